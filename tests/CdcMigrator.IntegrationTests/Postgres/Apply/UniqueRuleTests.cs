using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Whatever makes two rows collide: the holder gives way if it no longer does in the source (invariant A6).</summary>
public sealed class UniqueRuleTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData("v text", "create unique index on rows (lower(v))", "A", "a", "c")]
    [InlineData("v text", "create unique index on rows (v) where v like 'x%'", "x", "x", "y")]
    [InlineData("v text", "create unique index on rows ((v collate \"C\"), (1))", "x", "x", "y")]
    [InlineData("v text", "alter table rows add unique nulls not distinct (v)", null, null, "y")]
    [InlineData("v int4range", "alter table rows add exclude using gist (v with &&)", "[1,5)", "[4,8)", "[8,9)")]
    [InlineData("v text, g text generated always as (upper(v)) stored", "create unique index on rows (g)", "a", "A", "b")]
    [InlineData("v numeric(6,2)", "alter table rows add unique (v)", "1.504", "1.50", "2")]
    [InlineData("v json", "create unique index on rows ((v ->> 'k'))", """{"k": 1}""", """{"k":1,"z":2}""", "{}")]
    public async Task A_holder_that_is_no_longer_in_the_way_in_the_source_gives_way(string columns, string rule, string? held, string? wanted, string now)
    {
        await using var source = await postgres.CreateSourceAsync(
            $"create table rows(id int primary key, n text, {columns}); insert into rows(id, n, v) values (1, 'x', {Literal(now)}), (2, 'y', {Literal(wanted)})");
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"create table rows(id int primary key, n text, {columns}); {rule}; insert into rows(id, n, v) values (1, 'x', {Literal(held)})"),
            ["public.rows"], new SourceRows(reading, TimeProvider.System));
        var rows = target.Route("rows");
        var still = await target.ClaimAsync(0);
        var taker = await target.ClaimAsync(1);
        await taker.ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Insert(rows, ("id", "2"), ("n", "y"), ("v", wanted)).Build(), CancellationToken.None);
        Assert.Equal(["2"], await target.Database.RowsAsync("select id from rows"));
        await still.ApplyAsync(new BatchBuilder(new LaneId("t", 0)).Update(rows, ("id", "1"), ("n", BatchBuilder.Unavailable), ("v", now)).Build(), CancellationToken.None);
        Assert.Equal(["1|x", "2|y"], await target.Database.RowsAsync("select id, n from rows order by id"));
    }

    [Fact]
    public async Task An_own_row_that_overlaps_its_new_value_is_not_taken_for_the_holder()
    {
        const string Spans = "create table rows(id int primary key, v int4range, exclude using gist (v with &&))";
        await using var source = await postgres.CreateSourceAsync($"{Spans}; insert into rows values (1, '[9,10)'), (2, '[2,7)')");
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Spans}; insert into rows values (1, '[1,3)'), (2, '[4,6)')"), ["public.rows"], new SourceRows(reading, TimeProvider.System));
        await target.ClaimAsync(0);
        await (await target.ClaimAsync(1)).ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Update(target.Route("rows"), ("id", "2"), ("v", "[2,7)")).Build(), CancellationToken.None);
        Assert.Equal(["2|[2,7)"], await target.Database.RowsAsync("select * from rows"));
    }

    [Fact]
    public async Task A_unique_index_of_one_partition_is_found_by_the_partitions_name()
    {
        const string Rows = "create table rows(id int primary key, v text)";
        await using var source = await postgres.CreateSourceAsync($"{Rows}; insert into rows values (1, 'b'), (2, 'a')");
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(
            $"{Rows} partition by range (id); create table low partition of rows for values from (0) to (100); create unique index on low (v); insert into rows values (1, 'a')"),
            ["public.rows"], new SourceRows(reading, TimeProvider.System));
        await target.ClaimAsync(0);
        await (await target.ClaimAsync(1)).ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Insert(target.Route("rows"), ("id", "2"), ("v", "a")).Build(), CancellationToken.None);
        Assert.Equal(["2|a"], await target.Database.RowsAsync("select * from rows"));
    }

    [Fact]
    public async Task A_column_of_the_target_alone_takes_part_with_the_targets_value()
    {
        await using var source = await postgres.CreateSourceAsync("create table rows(id int primary key, v text); insert into rows values (1, 'b'), (2, 'a')");
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(
            "create table rows(id int primary key, v text, own text default 'o', unique (v, own)); insert into rows values (1, 'a', 'o'), (2, 'c', 'o')"),
            ["public.rows"], new SourceRows(reading, TimeProvider.System));
        await target.ClaimAsync(0);
        await (await target.ClaimAsync(1)).ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Update(target.Route("rows"), ("id", "2"), ("v", "a")).Build(), CancellationToken.None);
        Assert.Equal(["2|a|o"], await target.Database.RowsAsync("select * from rows"));
    }

    private static string Literal(string? value) => value is null ? "null" : $"'{value}'";
}
