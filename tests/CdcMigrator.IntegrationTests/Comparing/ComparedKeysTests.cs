using CdcMigrator.Domain.Comparing;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Comparing;

/// <summary>Rows are told apart and found by keys of every type, however its values are equal and sorted.</summary>
public sealed class ComparedKeysTests(PostgresFixture postgres)
{
    private const string Ci = "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); ";
    private const string Citext = "create extension citext; ";

    /// <summary>What is needed, the key's type, and three values with their texts; the last is the second in another spelling, where there is one.</summary>
    public static TheoryData<string, string, string[], string[], ChunkOrder> Keys => new()
    {
        { "", "bigint", ["-1", "9223372036854775807", "3"], ["-1", "9223372036854775807", "3"], ChunkOrder.KeyRanges },
        { "", "numeric", ["1.5", "2", "2.00"], ["1.5", "2", "2.00"], ChunkOrder.KeyRanges },
        { "", "double precision", ["0.1", "'-0'", "0"], ["0.1", "-0", "0"], ChunkOrder.Buckets },
        { "", "uuid", ["'00000000-0000-0000-0000-00000000000a'", "'f0000000-0000-0000-0000-000000000000'", "'00000000-0000-0000-0000-000000000000'"], ["00000000-0000-0000-0000-00000000000a", "f0000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"], ChunkOrder.KeyRanges },
        { "", "timestamptz", ["'2024-01-01 00:00:00.000001+00'", "'infinity'", "'0001-01-01 00:00:00+00 BC'"], ["2024-01-01 00:00:00.000001+00", "infinity", "0001-01-01 00:00:00+00 BC"], ChunkOrder.KeyRanges },
        { "", "boolean", ["true", "false", "false"], ["t", "f", "f"], ChunkOrder.KeyRanges },
        { "", "bytea", ["'\\x00'", "'\\xff'", "''"], ["\\x00", "\\xff", "\\x"], ChunkOrder.KeyRanges },
        { "", "text collate \"C\"", ["'a|b'", "''", "E'\\n'"], ["a|b", "", "\n"], ChunkOrder.KeyRanges },
        { "", "character(3)", ["'a'", "'b'", "'b'"], ["a  ", "b  ", "b  "], ChunkOrder.KeyRanges },
        { "", "inet", ["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"], ["10.0.0.1", "10.0.0.0/8", "::1"], ChunkOrder.Buckets },
        { "", "jsonb", ["'{\"b\": 1, \"a\": 2}'", "'1'", "'1.0'"], ["{\"a\": 2, \"b\": 1}", "1", "1.0"], ChunkOrder.Buckets },
        { "", "interval", ["'1 day'", "'1 month'", "'30 days'"], ["1 day", "1 mon", "30 days"], ChunkOrder.Buckets },
        { "create type e as enum ('z', 'a', 'A'); ", "public.e", ["'z'", "'a'", "'A'"], ["z", "a", "A"], ChunkOrder.Buckets },
        { Citext, "public.citext", ["'Straße'", "'abc'", "'ABC'"], ["Straße", "abc", "ABC"], ChunkOrder.Buckets },
        { Citext + "create domain d as citext; ", "public.d", ["'x'", "'abc'", "'ABC'"], ["x", "abc", "ABC"], ChunkOrder.Buckets },
        { Ci, "text collate public.ci", ["'x'", "'abc'", "'ABC'"], ["x", "abc", "ABC"], ChunkOrder.Buckets },
        { Ci, "character varying(9) collate public.ci", ["''", "'é'", "'É'"], ["", "é", "É"], ChunkOrder.Buckets },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_row_is_found_by_its_key_and_by_no_other_that_is_merely_equal(string needs, string type, string[] values, string[] texts, ChunkOrder order)
    {
        await using var scene = await SidesScene.CreateAsync(
            postgres, $"{needs}create table t(k {type}, n int, v text, primary key (k, n)); insert into t values ({values[0]}, 1, 'one'), ({values[1]}, 2, 'two')");
        var table = await scene.TableAsync();
        Assert.Equal(order, table.Order);
        foreach (var place in new[] { HashPlace.Database, HashPlace.Here })
        {
            Assert.Empty(await scene.DifferencesAsync(table with { Hashing = place }));
        }

        await scene.Target.ExecuteAsync($"update t set v = 'other' where n = 1; update t set k = {values[2]} where n = 2");
        string[] expected = texts[1] == texts[2] ? [$"{texts[0]}, 1 v"] : [$"{texts[0]}, 1 v", $"{texts[1]}, 2 missing", $"{texts[2]}, 2 extra"];
        foreach (var place in new[] { HashPlace.Database, HashPlace.Here })
        {
            Assert.Equal(expected.Order(StringComparer.Ordinal), await scene.DifferencesAsync(table with { Hashing = place }));
        }
    }

    [Fact]
    public async Task A_key_that_only_the_wider_side_can_hold_is_a_row_too_many_and_no_fault()
    {
        await using var scene = await SidesScene.CreateAsync(
            postgres, "create table t(id int primary key, v text); insert into t values (1, 'a'), (2, 'b')", "create table t(id bigint primary key, v text); insert into t values (1, 'a'), (3000000000, 'b')");
        Assert.Equal(["2 missing", "3000000000 extra"], await scene.DifferencesAsync(await scene.TableAsync()));
    }

    [Fact]
    public async Task An_index_whose_columns_run_against_each_other_gives_no_ranges()
    {
        const string rows = "insert into t select i % 3, i, 'v' from generate_series(1, 100) i; ";
        await using var scene = await SidesScene.CreateAsync(
            postgres, "create table t(a int not null, b int not null, v text); create unique index on t(a desc, b); " + rows, "create table t(a int not null, b int not null, v text); create unique index on t(a, b); " + rows);
        var table = await scene.TableAsync();
        Assert.Equal(ChunkOrder.Buckets, table.Order);
        Assert.Empty(await scene.DifferencesAsync(table));
        await scene.Target.ExecuteAsync("update t set v = 'w' where b = 50");
        Assert.Equal(["2, 50 v"], await scene.DifferencesAsync(table));
    }

    [Fact]
    public async Task JSON_that_no_jsonb_can_hold_differs_and_stops_nothing()
    {
        await using var scene = await SidesScene.CreateAsync(
            postgres, """create table t(id int primary key, j json); insert into t values (1, '{"a": "\u0000"}'), (2, '{"b": 1,  "a": 2}')""",
            """create table t(id int primary key, j jsonb); insert into t values (1, '{"a": ""}'), (2, '{"a": 2, "b": 1}')""");
        Assert.Equal(["1 j"], await scene.DifferencesAsync(await scene.TableAsync()));
    }
}
