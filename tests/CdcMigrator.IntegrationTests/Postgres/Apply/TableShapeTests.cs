using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>What a table is tied to in the target, and how it is laid out there (invariants A3 to A7, A10).</summary>
public sealed class TableShapeTests(PostgresFixture postgres)
{
    private static readonly LaneId Lane = new("t", 0);

    [Fact]
    public async Task Rows_of_self_referencing_and_circular_foreign_keys_come_and_go_in_any_order()
    {
        await using var target = await CreateAsync("""
            create table staff(id int primary key, boss int references staff on delete cascade);
            create table a(id int primary key, b int);
            create table b(id int primary key, a int not null references a on delete cascade);
            alter table a add foreign key (b) references b
            """, "public.staff", "public.a", "public.b");
        var (staff, a, b) = (target.Route("staff"), target.Route("a"), target.Route("b"));
        var (first, second) = (await target.ClaimAsync(0), await target.ClaimAsync(1));
        await first.ApplyAsync(new BatchBuilder(Lane).Insert(staff, ("id", "2"), ("boss", "1")).Insert(b, ("id", "1"), ("a", "1")).Build(), CancellationToken.None);
        await second.ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Insert(staff, ("id", "1"), ("boss", null)).Insert(a, ("id", "1"), ("b", "1"))
            .Delete(staff, ("id", "1")).Delete(a, ("id", "1")).Build(), CancellationToken.None);

        // Nothing cascades: the source's own deletes are in the log.
        Assert.Equal(["2|1"], await target.Database.RowsAsync("select * from staff"));
        Assert.Equal(["1|1"], await target.Database.RowsAsync("select * from b"));
    }

    [Fact]
    public async Task A_row_moves_between_the_targets_partitions_with_its_key_and_without()
    {
        // Without: the event of a source that is not partitioned is an update, whose new value belongs elsewhere.
        await using var target = await CreateAsync("""
            create table parts(id int, flag bool, v text, own text default 'd', primary key (id, flag)) partition by list (flag);
            create table parts_t partition of parts for values in (true); create table parts_f partition of parts for values in (false)
            """, "public.parts");
        var parts = target.Route("parts");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane).Insert(parts, ("id", "1"), ("flag", "t"), ("v", "a")).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(Lane, 1)
            .Add(parts, ChangeOperation.Delete, KeyChangeHalf.OldKey, new SourcePosition(5000, 5000, 1), ("id", "1"), ("flag", "t"))
            .Add(parts, ChangeOperation.Insert, KeyChangeHalf.NewKey, new SourcePosition(5000, 5000, 1), ("id", "1"), ("flag", "f"), ("v", "a")).Build(), CancellationToken.None);
        Assert.Equal(["parts_f|1|a"], await target.Database.RowsAsync("select tableoid::regclass, id, v from parts"));
    }

    [Fact]
    public async Task A_partitioned_target_takes_large_batches_partial_updates_and_deletes()
    {
        await using var target = await CreateAsync("""
            create table parts(id int primary key, v text, big text) partition by range (id);
            create table low partition of parts for values from (0) to (500); create table high partition of parts for values from (500) to (5000)
            """, "public.parts");
        var parts = target.Route("parts");
        var writer = await target.ClaimAsync();
        var batch = new BatchBuilder(Lane);
        for (var id = 0; id < 1000; id++)
        {
            batch.Insert(parts, ("id", $"{id}"), ("v", "a"), ("big", "b"));
        }

        await writer.ApplyAsync(batch.Build(), CancellationToken.None);
        batch = new BatchBuilder(Lane, 1000);
        for (var id = 0; id < 1000; id++)
        {
            _ = id % 2 == 0 ? batch.Update(parts, ("id", $"{id}"), ("v", "c"), ("big", BatchBuilder.Unavailable)) : batch.Delete(parts, ("id", $"{id}"));
        }

        await writer.ApplyAsync(batch.Build(), CancellationToken.None);
        Assert.Equal(["high|250|c|b", "low|250|c|b"], await target.Database.RowsAsync("select tableoid::regclass, count(*), min(v), min(big) from parts group by 1 order by min(id) desc"));
    }

    [Fact]
    public async Task Generated_columns_are_computed_and_identity_always_takes_the_sources_numbers()
    {
        await using var target = await CreateAsync(
            "create table items(id bigint generated always as identity primary key, n int, twice int generated always as (n * 2) stored)", "public.items");
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane).Insert(items, ("id", "41"), ("n", "1")).Insert(items, ("id", "7"), ("n", "2")).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(Lane, 2).Update(items, ("id", "7"), ("n", "5")).Build(), CancellationToken.None);
        Assert.Equal(["7|5|10", "41|1|2"], await target.Database.RowsAsync("select * from items order by id"));
    }

    [Fact]
    public async Task Triggers_fire_only_where_the_target_says_always_or_replica()
    {
        await using var target = await CreateAsync("""
            create table items(id int primary key); create table fired(name text);
            create function note() returns trigger language plpgsql as 'begin insert into public.fired values (tg_name); return new; end';
            create trigger plain after insert on items for each row execute function note();
            create trigger always after insert on items for each row execute function note(); alter table items enable always trigger always;
            create trigger replica after insert on items for each row execute function note(); alter table items enable replica trigger replica
            """, "public.items");
        await (await target.ClaimAsync()).ApplyAsync(new BatchBuilder(Lane).Insert(target.Route("items"), ("id", "1")).Build(), CancellationToken.None);
        Assert.Equal(["always", "replica"], await target.Database.RowsAsync("select name from fired order by name"));
    }

    [Fact]
    public async Task A_deferrable_unique_constraint_is_passed_through_for_a_moment()
    {
        // It is not enforced in the replica role; the swap needs no detour, and the end state is the source's.
        await using var target = await CreateAsync("create table items(id int primary key, v text, unique (v) deferrable initially deferred); insert into items values (1, 'a'), (2, 'b')", "public.items");
        var items = target.Route("items");
        var (first, second) = (await target.ClaimAsync(0), await target.ClaimAsync(1));
        await first.ApplyAsync(new BatchBuilder(Lane).Update(items, ("id", "1"), ("v", "b")).Build(), CancellationToken.None);
        await second.ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Update(items, ("id", "2"), ("v", "a")).Build(), CancellationToken.None);
        Assert.Equal(["1|b", "2|a"], await target.Database.RowsAsync("select * from items order by id"));
    }

    [Fact]
    public async Task A_key_change_across_lanes_gets_its_column_whichever_half_comes_first()
    {
        const string Docs = "create table docs(id int primary key, big text)";
        await using var source = await postgres.CreateSourceAsync($"{Docs}; insert into docs values (2, 'large'), (4, 'small')");
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Docs}; insert into docs values (1, 'large'), (3, 'small')"), ["public.docs"], new SourceRows(reading, TimeProvider.System));
        var docs = target.Route("docs");
        var (odd, even) = (await target.ClaimAsync(1), await target.ClaimAsync(0));
        var at = new SourcePosition(5000, 5000, 0);
        await even.ApplyAsync(New(0, "2"), CancellationToken.None);
        await odd.ApplyAsync(Old(0, "1"), CancellationToken.None);
        await odd.ApplyAsync(Old(1, "3"), CancellationToken.None);
        await even.ApplyAsync(New(1, "4"), CancellationToken.None);
        Assert.Equal(["2|large", "4|small"], await target.Database.RowsAsync("select * from docs order by id"));

        ChangeBatch New(long offset, string id) => new BatchBuilder(new LaneId("t", 0), offset)
            .Add(docs, ChangeOperation.Insert, KeyChangeHalf.NewKey, at, ("id", id), ("big", BatchBuilder.Unavailable)).Build();
        ChangeBatch Old(long offset, string id) => new BatchBuilder(new LaneId("t", 1), offset)
            .Add(docs, ChangeOperation.Delete, KeyChangeHalf.OldKey, at, ("id", id)).Build();
    }

    private async Task<LaneTarget> CreateAsync(string sql, params string[] tables) => await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(sql), tables);
}
