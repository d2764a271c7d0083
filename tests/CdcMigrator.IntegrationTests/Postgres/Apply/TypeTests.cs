using System.Text;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Text in = text out for every type, through each way rows are written (invariant A10).</summary>
public sealed class TypeTests(PostgresFixture postgres)
{
    private const string Types = """
        create extension citext; create extension hstore; create extension ltree;
        create type mood as enum ('sad', 'ok', 'très "bad"'); create type pair as (a int, b text);
        create domain short as varchar(5) check (value <> 'bad'); create domain shorter as short; create domain pos as numeric(8,2) check (value > 0);
        create domain words as text[]; create type span as range (subtype = float8);
        """;

    public static TheoryData<string, string[]> Cases { get; } = new()
    {
        { "smallint", ["-32768", "32767"] },
        { "integer", ["-2147483648", "0"] },
        { "bigint", ["9007199254740993", "-9223372036854775808"] },
        { "oid", ["4294967295"] },
        { "numeric", ["1.1000", "NaN", "-0.00000000000000000001", "123456789012345678901234567890.5"] },
        { "numeric(12,2)", ["1.10", "-0.01"] },
        { "real", ["1e-45", "-0", "NaN", "-Infinity", "1.6777216e+07"] },
        { "double precision", ["5e-324", "0.1", "1.7976931348623157e+308", "Infinity"] },
        { "money", ["$1.10", "-$92,233,720,368,547,758.08"] },
        { "boolean", ["t", "f"] },
        { "bit", ["1"] },
        { "bit(12)", ["101000000001"] },
        { "bit varying", ["", "00101"] },
        { "bit varying(5)", ["101"] },
        { "character(5)", ["ab   ", "     "] },
        { "bpchar", ["ab"] },
        { "character varying(10)", ["ab  ", ""] },
        { "\"char\"", ["x", ""] },
        { "name", ["some name"] },
        { "text", ["", "tab\t nl\n cr\r bs\\ \\. \\N 'q' \"d\" {a,b} é 😀 \u2028", "NULL"] },
        { "citext", ["MiXed"] },
        { "bytea", ["\\x", "\\x00ff5c0a"] },
        { "date", ["0001-01-01", "5874897-12-31", "0044-03-15 BC", "infinity", "-infinity", "1582-10-10"] },
        { "time", ["24:00:00", "12:34:56.789012"] },
        { "time(3)", ["12:34:56.789"] },
        { "timetz", ["12:34:56.789012+05:30", "24:00:00-12"] },
        { "timestamp", ["0044-03-15 12:00:00 BC", "294276-12-31 23:59:59.999999", "infinity", "2024-02-29 12:34:56.789012"] },
        { "timestamp(0)", ["2024-02-29 12:34:56"] },
        { "timestamptz", ["2024-02-29 10:34:56.789012+00", "-infinity"] },
        { "interval", ["10 mons 3 days -04:05:06.789", "00:00:00", "178000000 years"] },
        { "interval(2)", ["00:00:01.23"] },
        { "interval year to month", ["1 year 2 mons"] },
        { "uuid", ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"] },
        { "json", ["{\"b\":1, \"a\" : 1e400, \"b\":2}", "null"] },
        { "jsonb", ["{\"a\": 1.10, \"b\": [1, null]}", "\"\\\\n\""] },
        { "xml", ["<a b=\"1\">x</a>", "plain <b/>"] },
        { "inet", ["10.0.0.1", "10.0.0.0/8", "::1"] },
        { "cidr", ["10.0.0.0/8"] },
        { "macaddr", ["08:00:2b:01:02:03"] },
        { "macaddr8", ["08:00:2b:01:02:03:04:05"] },
        { "point", ["(1.1,-2.5)"] },
        { "line", ["{1,-1,0}"] },
        { "lseg", ["[(0,0),(1,1)]"] },
        { "box", ["(1,1),(0,0)"] },
        { "path", ["((0,0),(1,1))", "[(0,0),(1,1)]"] },
        { "polygon", ["((0,0),(1,1),(1,0))"] },
        { "circle", ["<(1,2),3>"] },
        { "tsvector", ["'a':1A 'fat''s':2,3B"] },
        { "tsquery", ["'a' & !'b':*"] },
        { "pg_lsn", ["16/B374D848"] },
        { "jsonpath", ["$.\"a\"[*]?(@ > 1)"] },
        { "hstore", ["\"a\"=>\"1\", \"b\"=>NULL"] },
        { "ltree", ["a.b.c"] },
        { "mood", ["très \"bad\""] },
        { "pair", ["(1,\"a,\"\"b\"\"\")", "(,)"] },
        { "short", ["abc"] },
        { "shorter", ["abcde"] },
        { "pos", ["1.50"] },
        { "words", ["{a,NULL,\"b c\"}"] },
        { "int4range", ["[1,5)", "empty", "(,)"] },
        { "tstzrange", ["[\"2024-01-01 00:00:00+00\",infinity)"] },
        { "span", ["[1.5,2.5)"] },
        { "integer[]", ["{1,NULL,3}", "{{1,2},{3,4}}", "[5:6]={1,2}", "{}"] },
        { "text[]", ["{\"a,b\",\"NULL\",NULL,\"\",\"\\\"\\\\\"}"] },
        { "numeric(6,2)[]", ["{1.10,NaN}"] },
        { "bit(3)[]", ["{101,000}"] },
        { "character(3)[]", ["{\"a  \",NULL}"] },
        { "mood[]", ["{sad,NULL,\"très \\\"bad\\\"\"}"] },
        { "bytea[]", ["{\"\\\\x00ff\"}"] },
        { "timetz[]", ["{24:00:00+00}"] },
        { "pair[]", ["{\"(1,a)\"}"] },
        { "money[]", ["{$1.00}"] },
        { "short[]", ["{abc}"] },
    };

    [Fact]
    public async Task Every_type_survives_inserts_updates_copy_and_reselection()
    {
        await using var source = await postgres.CreateSourceAsync(Types + Create());
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        var names = Enumerable.Range(0, Cases.Count).Select(i => $"public.t{i}").ToArray();
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Types + Create()), names, new SourceRows(rows, TimeProvider.System));
        var writer = await target.ClaimAsync();
        await using var reading = await target.Apply.OpenConnectionAsync();
        var wrong = new List<string>();
        var table = 0;
        foreach (var row in Cases)
        {
            var (type, values) = row.Data;
            var route = target.Route($"t{table++}");
            var batch = new BatchBuilder(new LaneId("t", 0), writer.NextOffset);
            for (var i = 0; i < values.Length; i++)
            {
                batch.Insert(route, ("id", $"{i}"), ("v", values[i])).Insert(route, ("id", $"{1000 + i}"), ("v", null)).Insert(route, ("id", $"{3000 + i}"), ("v", BatchBuilder.Unavailable));
                await using var command = source.DataSource.CreateCommand($"insert into {route.Source.Sql} values ({3000 + i}, $1::text::{route.Target.Columns[1].Type.Sql})");
                command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = values[i] });
                await command.ExecuteNonQueryAsync();
            }

            await writer.ApplyAsync(batch.Build(), CancellationToken.None);
            batch = new BatchBuilder(new LaneId("t", 0), writer.NextOffset);
            for (var i = 0; i < values.Length; i++)
            {
                batch.Update(route, ("id", $"{1000 + i}"), ("v", values[i]), ("n", BatchBuilder.Unavailable));
            }

            await writer.ApplyAsync(batch.Build(), CancellationToken.None);
            batch = new BatchBuilder(new LaneId("t", 0), writer.NextOffset);
            for (var i = 0; i < 500; i++)
            {
                batch.Insert(route, ("id", $"{5000 + i}"), ("v", values[i % values.Length]));
            }

            await writer.ApplyAsync(batch.Build(), CancellationToken.None);
            for (var i = 0; i < values.Length; i++)
            {
                foreach (var id in new[] { i, 1000 + i, 3000 + i, 5000 + i })
                {
                    var read = await ReadAsync(reading, route.Target.Name.Sql, id);
                    if (read != values[i])
                    {
                        wrong.Add($"{type} row {id}: '{read}' for '{values[i]}'");
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("varchar(3)", "abcd")]
    [InlineData("char(3)", "abcd")]
    [InlineData("bit(3)", "1010")]
    [InlineData("bit(3)", "10")]
    [InlineData("varbit(3)", "1010")]
    [InlineData("numeric(4,2)", "123.4")]
    [InlineData("short", "abcdef")]
    [InlineData("shorter", "abcdef")]
    [InlineData("short", "bad")]
    [InlineData("smallint", "40000")]
    [InlineData("mood", "happy")]
    [InlineData("varchar(3)[]", "{abcd}")]
    public async Task A_value_the_target_cannot_hold_is_refused_and_never_cut(string type, string value)
    {
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync($"{Types} create table v(id int primary key, v {type})"), ["public.v"]);
        foreach (var rows in new[] { 1, 700 })
        {
            var writer = await target.ClaimAsync();
            var batch = new BatchBuilder(new LaneId("t", 0), writer.NextOffset);
            for (var i = 0; i < rows; i++)
            {
                batch.Insert(target.Route("v"), ("id", $"{i}"), ("v", value));
            }

            var fault = await Assert.ThrowsAsync<CdcMigrator.Domain.Faults.FaultException>(() => writer.ApplyAsync(batch.Build(), CancellationToken.None));
            Assert.Equal(CdcMigrator.Domain.Faults.FaultKind.Poison, fault.Fault.Kind);
        }

        Assert.Empty(await target.Database.RowsAsync("select * from v"));
    }

    [Fact]
    public async Task Generated_identity_and_odd_named_columns_are_written_as_they_must_be()
    {
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(""""
            create table "Odd ""Table"""("Id" int generated always as identity primary key, "a b" int, twice int generated always as ("a b" * 2) stored, "weird{0}" text)
            """"), ["public.\"Odd \"\"Table\"\"\""]);
        var route = target.Route("Odd \"Table\"");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0)).Insert(route, ("Id", "7"), ("a b", "2"), ("twice", "99")).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0), 1).Update(route, ("Id", "7"), ("a b", "3"), ("twice", "99"), ("weird{0}", BatchBuilder.Unavailable)).Build(), CancellationToken.None);
        Assert.Equal(["7|3|6|∅"], await target.Database.RowsAsync("select * from \"Odd \"\"Table\"\"\""));
    }

    [Fact]
    public async Task A_table_of_key_columns_only_and_a_composite_key_are_applied()
    {
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(
            "create table links(b text, a int, primary key (a, b)); create table parts(k int, p int, v text, primary key (k, p)) partition by list (p);"
            + "create table parts1 partition of parts for values in (1); create table parts2 partition of parts default"), ["public.links", "public.parts"]);
        var (links, parts) = (target.Route("links"), target.Route("parts"));
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0))
            .Insert(links, ("a", "1"), ("b", "x")).Insert(links, ("a", "1"), ("b", "y")).Update(links, ("a", "1"), ("b", "y")).Delete(links, ("a", "1"), ("b", "x"))
            .Insert(parts, ("k", "1"), ("p", "1"), ("v", "a")).Insert(parts, ("k", "1"), ("p", "2"), ("v", "b")).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0), writer.NextOffset).Insert(links, ("a", "1"), ("b", "y"))
            .Update(parts, ("k", "1"), ("p", "1"), ("v", "a2")).Delete(parts, ("k", "1"), ("p", "2")).Build(), CancellationToken.None);
        Assert.Equal(["y|1"], await target.Database.RowsAsync("select * from links"));
        Assert.Equal(["1|1|a2"], await target.Database.RowsAsync("select * from parts"));
    }

    [Fact]
    public async Task A_child_may_come_before_its_parent_and_triggers_do_not_fire()
    {
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync("""
            create table parents(id int primary key); create table children(id int primary key, parent int references parents on delete cascade);
            create function boom() returns trigger language plpgsql as 'begin raise exception ''fired''; end'; create trigger boom before insert on children execute function boom()
            """), ["public.parents", "public.children"]);
        var (parents, children) = (target.Route("parents"), target.Route("children"));
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0)).Insert(children, ("id", "1"), ("parent", "5")).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0), 1).Insert(parents, ("id", "5")).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0), 2).Delete(parents, ("id", "5")).Build(), CancellationToken.None);
        Assert.Equal(["1|5"], await target.Database.RowsAsync("select * from children"));
    }

    private static string Create()
    {
        var sql = new StringBuilder();
        var table = 0;
        foreach (var row in Cases)
        {
            sql.Append(System.Globalization.CultureInfo.InvariantCulture, $"create table t{table++}(id int primary key, v {row.Data.Item1}, n text);");
        }

        return sql.ToString();
    }

    private static async Task<string?> ReadAsync(Npgsql.NpgsqlConnection connection, string table, int id)
    {
        await using var command = new Npgsql.NpgsqlCommand($"select v from {table} where id = {id}", connection) { AllResultTypesAreUnknown = true };
        return await command.ExecuteScalarAsync() as string;
    }
}
