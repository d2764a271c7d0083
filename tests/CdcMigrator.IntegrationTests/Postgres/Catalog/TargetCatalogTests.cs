using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Catalog;

public sealed class TargetCatalogTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Columns_have_their_base_types_kinds_and_modifiers()
    {
        await using var database = await postgres.CreateTargetAsync("""
            create schema s; create type s.mood as enum ('a'); create domain s.d as numeric(8,2); create domain s.dd as s.d; create domain s.words as text[];
            create table t(id bigint generated always as identity primary key, dropped int, b bit(12), bs varbit[], c char(3), m s.mood, ms s.mood[], d s.dd, w s.words, ts timestamp(3),
                i interval(2), g int generated always as (1) stored, n int not null default 5, p point, box box, j jsonb);
            alter table t drop column dropped
            """);
        var table = (await LoadAsync(database, "public.t")).All.Single().Target;
        Assert.Equal(
            [
                "id bigint Integer -1 int8", "b \"bit\" Bit 12 bit", "bs bit varying[] Array -1 varbit", "c bpchar Text -1 bpchar", "m s.mood Text -1 mood", "ms s.mood[] Array -1 mood",
                "d numeric Numeric -1 numeric", "w text[] Array -1 text", "ts timestamp without time zone Timestamp 3 timestamp", "i interval Interval 2 interval",
                "g integer Integer -1 int4", "n integer Integer -1 int4", "p point Point -1 point", "box box Opaque -1 box", "j jsonb Text -1 jsonb",
            ],
            table.Columns.Select(column => $"{column.Name} {column.Type.Sql} {column.Type.Kind} {column.Type.Modifier} {column.Type.BaseName}"));
        Assert.Equal((true, true, false), (table.Columns[0].IdentityAlways, table.Columns[0].HasDefault, table.Columns[0].Generated));
        Assert.Equal((true, false), (table.Columns[10].Generated, table.Columns[10].HasDefault));
        Assert.Equal((true, true), (table.Columns[11].NotNull, table.Columns[11].HasDefault));
    }

    [Fact]
    public async Task The_key_is_the_primary_key_or_the_first_usable_unique_index()
    {
        await using var database = await postgres.CreateTargetAsync("""
            create table a(x int not null unique, y text, z int, primary key (z, y));
            create table b(x int unique, y int not null, z int not null); create unique index on b (z) where y > 0; create unique index on b ((y + z)); create unique index b_key on b (z, y) include (x);
            create table c(x int primary key)
            """);
        var routes = await LoadAsync(database, "public.a", "public.b", "public.c");
        var (a, b, c) = (routes.Find(new("public", "a"))!, routes.Find(new("public", "b"))!, routes.Find(new("public", "c"))!);
        Assert.Equal(("a_pkey", true, "2,1"), (a.Key.Name, a.Key.IsPrimary, string.Join(',', a.Key.Columns)));
        Assert.Equal(("b_key", false, "2,1"), (b.Key.Name, b.Key.IsPrimary, string.Join(',', b.Key.Columns)));
        Assert.Equal((true, true, false), (a.Target.HasSecondaryUniqueness, b.Target.HasSecondaryUniqueness, c.Target.HasSecondaryUniqueness));
    }

    [Fact]
    public async Task All_that_is_missing_is_named_at_once()
    {
        await using var database = await postgres.CreateTargetAsync("create table here(id int primary key); create view v as select 1");
        var rename = new Dictionary<string, string> { ["old"] = "new" };
        var fault = await Assert.ThrowsAsync<FaultException>(() => TargetCatalog.LoadAsync(
            database.DataSource,
            [Mapping("public.gone"), Mapping("nowhere.t"), Mapping("public.v"), Mapping("public.here") with { Rename = rename }],
            CancellationToken.None));
        Assert.Equal((FaultKind.Configuration, "missing-table"), (fault.Fault.Kind, fault.Fault.Code));
        Assert.All(["public.gone", "nowhere.t", "public.v", "column public.here.new"], name => Assert.Contains(name, fault.Fault.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("create table t(id int)")]
    [InlineData("create table t(id int unique)")]
    [InlineData("create table t(id int primary key deferrable)")]
    public async Task A_table_whose_rows_cannot_be_told_apart_is_refused(string sql)
    {
        await using var database = await postgres.CreateTargetAsync(sql);
        var fault = await Assert.ThrowsAsync<FaultException>(() => LoadAsync(database, "public.t"));
        Assert.Equal("keyless", fault.Fault.Code);
    }

    private static TableMapping Mapping(string name) => new() { Source = TableName.Parse(name), Target = TableName.Parse(name) };

    private static Task<RouteTable> LoadAsync(TestDatabase database, params string[] tables) =>
        TargetCatalog.LoadAsync(database.DataSource, [.. tables.Select(Mapping)], CancellationToken.None);
}
