using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Comparing;

/// <summary>Tables of every shape: what is compared, by which key, and that what differs is found.</summary>
public sealed class ComparedTablesTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_composite_key_of_odd_names_and_text_is_compared_by_its_values()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, """
            create schema "odd ""s";
            create table "odd ""s"."T |1"("Id" int, "a b" text collate "C", "it's" uuid, "v""w" text, primary key ("a b", "Id", "it's"));
            insert into "odd ""s"."T |1" select i % 10, case i % 4 when 0 then '' when 1 then 'x, y' when 2 then '{"|"}' else 'ünï ☃' end, gen_random_uuid(), 'v' || i from generate_series(1, 500) i;
            """, """create schema "odd ""s"; create table "odd ""s"."T |1"("Id" bigint, "a b" text collate "C", "it's" uuid, "v""w" text, primary key ("a b", "Id", "it's"));""");
        foreach (var row in await scene.Source.RowsAsync("""select format('(%L, %L, %L, %L)', "Id", "a b", "it's", "v""w") from "odd ""s"."T |1" order by 1"""))
        {
            await scene.Target.ExecuteAsync($"insert into \"odd \"\"s\".\"T |1\" values {row}");
        }

        var table = await scene.TableAsync("\"odd \"\"s\".\"T |1\"");
        Assert.Equal((ChunkOrder.KeyRanges, "1,0,2"), (table.Order, string.Join(',', table.Key)));
        Assert.Empty(await scene.DifferencesAsync(table));
        await scene.Target.ExecuteAsync("""update "odd ""s"."T |1" set "v""w" = 'other' where "v""w" = 'v8'; delete from "odd ""s"."T |1" where "v""w" = 'v9'""");
        Assert.Collection(await scene.DifferencesAsync(table), one => Assert.EndsWith(" v\"w", one, StringComparison.Ordinal), other => Assert.EndsWith(" missing", other, StringComparison.Ordinal));
        Assert.Equal(2, (await scene.DifferencesAsync(table with { Hashing = HashPlace.Here })).Count);
    }

    [Fact]
    public async Task Renamed_columns_are_paired_and_excluded_generated_and_foreign_ones_left_out()
    {
        await using var scene = await SidesScene.CreateAsync(postgres,
            "create table t(id int primary key, mail text, legacy text, twice int generated always as (id * 2) stored); insert into t values (1, 'a', 'x'), (2, 'b', 'y')",
            "create schema crm; create table crm.c(email text, id int primary key, twice int generated always as (id * 3) stored, added timestamptz default now()); insert into crm.c values ('a', 1), ('b', 2)");
        var table = await scene.TableAsync(new TableMapping
        {
            Source = TableName.Parse("public.t"),
            Target = TableName.Parse("crm.c"),
            Exclude = new HashSet<string> { "legacy" },
            Rename = new Dictionary<string, string> { ["mail"] = "email" },
        });
        Assert.Equal(["id→id", "mail→email"], table.Columns.Select(column => $"{column.Source}→{column.Target}"));
        Assert.Equal(["legacy", "twice", "added"], table.NotCompared);
        Assert.Empty(await scene.DifferencesAsync(table));
        await scene.Target.ExecuteAsync("update crm.c set email = 'B' where id = 2");
        Assert.Equal(["2 mail"], await scene.DifferencesAsync(table));
    }

    [Theory]
    [InlineData("total int generated always as (n * 2) stored", "total int", "update t set n = 5 where id = 2", "update t set n = 5 where id = 2")]
    [InlineData("total int", "total int generated always as (n * 2) stored", "update t set total = 5 where id = 2", "select")]
    public async Task A_column_that_is_generated_on_one_side_only_is_compared(string source, string target, string change, string applied)
    {
        await using var scene = await SidesScene.CreateAsync(postgres, $"create table t(id int primary key, n int, {source})", $"create table t(id int primary key, n int, {target})");
        await scene.Source.ExecuteAsync("insert into t(id, n) values (1, 1), (2, 2)");
        await scene.Target.ExecuteAsync("insert into t(id, n) values (1, 1), (2, 2)");
        foreach (var side in new[] { scene.Source, scene.Target })
        {
            if (!await side.ScalarAsync<bool>("select attgenerated <> '' from pg_attribute where attrelid = 't'::regclass and attname = 'total'"))
            {
                await side.ExecuteAsync("update t set total = n * 2");
            }
        }

        var table = await scene.TableAsync();
        Assert.Empty(await scene.DifferencesAsync(table));
        await scene.Source.ExecuteAsync(change);
        await scene.Target.ExecuteAsync(applied);
        Assert.Equal(["2 total"], await scene.DifferencesAsync(table));
    }

    [Theory]
    [InlineData(HashPlace.Database)]
    [InlineData(HashPlace.Here)]
    public async Task Rows_of_a_table_without_a_key_are_counted(HashPlace place)
    {
        const string schema = "create table t(a text, b int); insert into t values ('x', 1), ('x', 1), ('x', 1), (null, null), (null, null), ('y', 2)";
        await using var scene = await SidesScene.CreateAsync(postgres, schema);
        var table = await scene.TableAsync(SidesScene.Mapping("public.t") with { Keyless = true }) with { Hashing = place };
        Assert.Equal((true, ChunkOrder.Buckets), (table.IsKeyless, table.Order));
        Assert.Empty(await scene.DifferencesAsync(table));
        await scene.Target.ExecuteAsync("delete from t where ctid = (select min(ctid) from t where a = 'x'); insert into t values (null, 0)");
        var wrong = await scene.DifferencesAsync(table);
        Assert.Equal(2, wrong.Count);
        Assert.Single(wrong, row => row.EndsWith(" extra", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_partitioned_table_is_compared_at_its_root_however_the_other_side_divides_it()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, """
            create table t(id int, day date, v text, primary key (id, day)) partition by range (day);
            create table t1 partition of t for values from ('2024-01-01') to ('2024-01-15'); create table t2 partition of t default;
            insert into t select i, date '2024-01-01' + i % 30, 'v' || i from generate_series(1, 300) i; analyze t1; analyze t2;
            """, """
            create table t(id int, day date, v text, primary key (id, day)) partition by hash (id);
            create table h0 partition of t for values with (modulus 2, remainder 0); create table h1 partition of t for values with (modulus 2, remainder 1);
            insert into t select i, date '2024-01-01' + i % 30, 'v' || i from generate_series(1, 300) i;
            """);
        var table = await scene.TableAsync();
        Assert.Equal((ChunkOrder.KeyRanges, 300L), (table.Order, table.EstimatedRows));
        Assert.Empty(await scene.DifferencesAsync(table));
        await scene.Target.ExecuteAsync("delete from t where id = 30");
        Assert.Equal(["30, 2024-01-01 missing"], await scene.DifferencesAsync(table));
    }

    [Fact]
    public async Task Keys_that_are_equal_in_another_spelling_are_told_apart()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, "create table t(n numeric, c char(4), v text, primary key (n, c)); insert into t values (1.0, 'a', 'x'), (2.50, 'b', 'y')");
        var table = await scene.TableAsync();
        Assert.Empty(await scene.DifferencesAsync(table));
        await scene.Target.ExecuteAsync("update t set n = 1.00 where n = 1");
        Assert.Equal(["1.0, a    missing", "1.00, a    extra"], await scene.DifferencesAsync(table));
    }

    [Fact]
    public async Task Types_that_differ_are_compared_in_a_form_that_is_equal_where_values_are()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, """
            create type mood as enum ('sad', 'ok');
            create table t(id int primary key, n numeric, m money, j json, f real, c char(5), e mood, v varchar(9), at timestamp, d date, i int, big bigint, ts timestamp(3), arr int[], s text);
            insert into t values (1, 1.50, 12.5, '{"b": 1.0, "a": [1e2, "é"], "b": 2}', 0.1, 'x', 'ok', 'v', '2024-01-01 10:00:00.5', '2024-02-03', 7, 8, '2024-01-01 00:00:00.123', '{1,null}', 'z  '),
                (2, 'NaN', -1, 'null', 1e20, '', 'sad', '', 'infinity', '-infinity', -1, 0, '2024-01-01', '{}', ''), (3, null, null, null, '-0', null, null, null, null, null, null, null, null, null, null);
            """, """
            create table t(id bigint primary key, n numeric(20,4), m numeric(12,2), j jsonb, f double precision, c text, e text, v text, at timestamptz, d timestamp, i numeric(9,2), big int, ts timestamp(6), arr bigint[], s char(8));
            insert into t values (1, 1.5, 12.50, '{"a": [100, "é"], "b": 2}', 0.1, 'x', 'ok', 'v', '2024-01-01 10:00:00.5+00', '2024-02-03', 7, 8, '2024-01-01 00:00:00.123', '{1,null}', 'z'),
                (2, 'NaN', -1, 'null', 1e20, '', 'sad', '', 'infinity', '-infinity', -1, 0, '2024-01-01', '{}', ''), (3, null, null, null, '-0', null, null, null, null, null, null, null, null, null, null);
            """);
        var table = await scene.TableAsync();
        Assert.Empty(await scene.DifferencesAsync(table));
        Assert.Empty(await scene.DifferencesAsync(table with { Hashing = HashPlace.Here }));
        await scene.Target.ExecuteAsync("""update t set n = 1.5001, m = 12.51, j = '{"a": [100, "é"], "b": 2.0}', f = 0.1000001, c = 'X', e = 'sad', at = at + '1 us', d = d + '1 us', i = 7.01, s = 'y' where id = 1""");
        Assert.Equal(["1 n,m,j,f,c,e,at,d,i,s"], await scene.DifferencesAsync(table));
        Assert.Equal(["1 n,m,j,f,c,e,at,d,i,s"], await scene.DifferencesAsync(table with { Hashing = HashPlace.Here }));
    }

    [Theory]
    [InlineData("", "create table t(id int primary key)", "the source has no table public.t")]
    [InlineData("create table t(id int primary key)", "create view t as select 1 as id", "public.t in the target is no table")]
    [InlineData("create table t(id int primary key, gone text)", "create table t(id int primary key)", "column gone of the source has no counterpart gone in public.t")]
    [InlineData("create table t(id int primary key, b bool)", "create table t(id int primary key, b int)", "column b is boolean in the source and integer in the target")]
    [InlineData("create table t(id int primary key)", "create table t(id text primary key)", "key column id is integer in the source and text in the target")]
    [InlineData("create table t(id int[] primary key)", "create table t(id int[] primary key)", "key column id is integer[] in the source and integer[] in the target")]
    [InlineData("create table t(id int primary key, n int not null unique)", "create table t(id int, n int not null unique)", "the source identifies rows of public.t otherwise than by n")]
    [InlineData("create table t(id int)", "create table t(id int)", "has no unique index over NOT NULL columns")]
    [InlineData("create table t(id int primary key); create table heir() inherits (t)", "create table t(id int primary key)", "other tables inherit from public.t")]
    public async Task A_table_that_cannot_be_compared_exactly_says_why(string source, string target, string reason)
    {
        await using var scene = await SidesScene.CreateAsync(postgres, source, target);
        Assert.Contains(reason, (await scene.TableAsync()).Unverifiable, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("id bigint primary key", ChunkOrder.KeyRanges)]
    [InlineData("id uuid, d date, primary key (d, id)", ChunkOrder.KeyRanges)]
    [InlineData("id text collate \"C\" primary key", ChunkOrder.KeyRanges)]
    [InlineData("id text collate \"en-x-icu\" primary key", ChunkOrder.Buckets)]
    [InlineData("id int primary key deferrable initially deferred", ChunkOrder.KeyRanges)]
    [InlineData("id inet primary key", ChunkOrder.Buckets)]
    [InlineData("a int not null, b int not null, unique (b, a)", ChunkOrder.KeyRanges)]
    public async Task Ranges_are_used_where_both_sides_sort_alike(string columns, ChunkOrder order)
    {
        await using var scene = await SidesScene.CreateAsync(postgres, $"create table t({columns})");
        var table = await scene.TableAsync();
        Assert.Null(table.Unverifiable);

        // One and the same server has one order whatever the collation.
        Assert.Equal(ReferenceEquals(postgres.Source, postgres.Target) && columns.Contains("icu", StringComparison.Ordinal) ? ChunkOrder.KeyRanges : order, table.Order);
        Assert.Empty(await scene.DifferencesAsync(table));
    }
}
