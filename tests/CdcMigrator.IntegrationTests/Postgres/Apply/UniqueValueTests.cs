using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Unique values that pass from row to row (invariant A6).</summary>
public sealed class UniqueValueTests(PostgresFixture postgres)
{
    private const string Users = "create table users(id int primary key, mail text unique, name text)";

    [Fact]
    public async Task A_swap_of_a_unique_value_within_a_batch_goes_through()
    {
        await using var target = await CreateAsync("insert into users values (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')");
        var users = target.Route("users");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0))
            .Update(users, ("id", "3"), ("mail", "c"), ("name", "early"))
            .Update(users, ("id", "1"), ("mail", "tmp"), ("name", "x"))
            .Update(users, ("id", "2"), ("mail", "a"), ("name", "y"))
            .Update(users, ("id", "1"), ("mail", "b"), ("name", "x"))
            .Build(), CancellationToken.None);
        Assert.Equal(["1|b|x", "2|a|y", "3|c|early"], await target.Database.RowsAsync("select * from users order by id"));
        Assert.Equal(4, writer.NextOffset);
    }

    [Fact]
    public async Task A_value_held_by_another_lanes_row_is_waited_for_without_holding_anything()
    {
        await using var target = await CreateAsync("insert into users values (1, 'a', 'x')");
        var users = target.Route("users");
        var holder = await target.ClaimAsync(0);
        var waiter = await target.ClaimAsync(1);
        using var turns = new SemaphoreSlim(1);
        using var turn = await WriterTurn.TakeAsync(turns, CancellationToken.None);
        var waiting = waiter.ApplyAsync(new BatchBuilder(new LaneId("t", 1), 0, firstLsn: 5000)
            .Insert(users, ("id", "2"), ("mail", "z"), ("name", "before")).Insert(users, ("id", "4"), ("mail", "a"), ("name", "taker")).Build(), turn, CancellationToken.None);

        // Its turn is free while it waits, what precedes is committed, and no session of its holds a transaction.
        await turns.WaitAsync();
        Assert.Equal(["1", "2"], await target.Database.RowsAsync("select id from users order by id"));
        Assert.Equal(["0|0", "1|1"], await target.Database.RowsAsync("select partition, next_offset from cdc_migrator.progress order by 1"));
        Assert.Equal(0, await target.Database.ScalarAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'"));
        await holder.ApplyAsync(new BatchBuilder(new LaneId("t", 0), 0, firstLsn: 4000).Delete(users, ("id", "1")).Build(), CancellationToken.None);
        turns.Release();
        await waiting;
        Assert.Equal(["2|z|before", "4|a|taker"], await target.Database.RowsAsync("select * from users order by id"));
    }

    [Fact]
    public async Task A_value_no_lane_will_free_halts_the_lane_naming_both_keys()
    {
        await using var target = await CreateAsync("insert into users values (1, 'a', 'x')");
        var users = target.Route("users");
        var other = await target.ClaimAsync(0);
        await other.ApplyAsync(new BatchBuilder(new LaneId("t", 0), 0, firstLsn: 9000).Insert(users, ("id", "8"), ("mail", "h"), ("name", "x")).Build(), CancellationToken.None);
        var fault = await HaltedAsync(target, users, 1);
        Assert.Equal("unique-conflict", fault.Code);
        Assert.Contains("""{"id":"4"}""", fault.Message, StringComparison.Ordinal);
        Assert.Contains("{\"id\":\"1\"}", fault.Message, StringComparison.Ordinal);
        Assert.Contains("mail", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_the_deadline_a_lane_that_is_behind_is_named_and_the_change_is_not_to_be_parked()
    {
        await using var target = await CreateAsync("insert into users values (1, 'a', 'x')", options: new ApplySection { UniqueWait = TimeSpan.Zero });
        await target.ClaimAsync(0);
        var fault = await RefusedAsync(target, target.Route("users"), 1);

        Assert.Equal((FaultKind.Transient, "unique-wait", false), (fault.Kind, fault.Code, ParkedRecord.MayPark(fault)));
        Assert.Contains("t[0] at offset 0", fault.Message, StringComparison.Ordinal);
        Assert.Contains("{\"id\":\"1\"}", fault.Message, StringComparison.Ordinal);
        Assert.Contains("cdcm status", fault.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exclusion_constraint_is_treated_as_a_unique_one()
    {
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(
            "create table spans(id int primary key, span int4range, exclude using gist (span with &&)); insert into spans values (1, '[1,5)')"), ["public.spans"]);
        var writer = await target.ClaimAsync(1);
        var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(
            new BatchBuilder(new LaneId("t", 1)).Insert(target.Route("spans"), ("id", "2"), ("span", "[4,6)")).Build(), CancellationToken.None));
        Assert.Equal("unique-conflict", fault.Fault.Code);
        Assert.Contains("existing key", fault.Fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_whose_value_a_newer_row_holds_is_superseded_by_the_sources_present_row()
    {
        // The value went 1 → 2 → 1. The lane of row 1 is ahead: what the lane of row 2 brings can never be true at once with it.
        await using var source = await postgres.CreateSourceAsync($"{Users}; insert into users values (1, 'a', 'x'), (2, 'free', 'now')");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Users}; insert into users values (1, 'a', 'x')"), ["public.users"], new SourceRows(rows, TimeProvider.System));
        var users = target.Route("users");
        await target.ClaimAsync(0);
        var waiter = await target.ClaimAsync(1);
        await waiter.ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Insert(users, ("id", "2"), ("mail", "a"), ("name", "then")).Build(), CancellationToken.None);
        await waiter.ApplyAsync(new BatchBuilder(new LaneId("t", 1), 1).Update(users, ("id", "2"), ("mail", "free"), ("name", "now")).Build(), CancellationToken.None);
        Assert.Equal(["1|a|x", "2|free|now"], await target.Database.RowsAsync("select * from users order by id"));
    }

    [Fact]
    public async Task A_holder_that_has_lost_the_value_in_the_source_gives_way_and_comes_back_with_its_own_change()
    {
        // Row 1 is to give its value to row 2, but its lane stands still, as it would if it waited for this one.
        await using var source = await postgres.CreateSourceAsync($"{Users}; insert into users values (1, 'b', 'x'), (2, 'a', 'y')");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Users}; insert into users values (1, 'a', 'x')"), ["public.users"], new SourceRows(rows, TimeProvider.System));
        var users = target.Route("users");
        var still = await target.ClaimAsync(0);
        var taker = await target.ClaimAsync(1);
        await taker.ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Insert(users, ("id", "2"), ("mail", "a"), ("name", "y")).Build(), CancellationToken.None);
        Assert.Equal(["2|a|y"], await target.Database.RowsAsync("select * from users order by id"));
        await still.ApplyAsync(new BatchBuilder(new LaneId("t", 0)).Update(users, ("id", "1"), ("mail", "b"), ("name", BatchBuilder.Unavailable)).Build(), CancellationToken.None);
        Assert.Equal(["1|b|x", "2|a|y"], await target.Database.RowsAsync("select * from users order by id"));
    }

    [Fact]
    public async Task A_holder_that_has_the_value_in_the_source_too_stays_and_the_lane_halts()
    {
        await using var source = await postgres.CreateSourceAsync("create table users(id int primary key, mail text, name text); insert into users values (1, 'a', 'x'), (2, 'a', 'y')");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Users}; insert into users values (1, 'a', 'x')"), ["public.users"], new SourceRows(rows, TimeProvider.System));
        await target.ClaimAsync(0);
        var taker = await target.ClaimAsync(1);
        var fault = await Assert.ThrowsAsync<FaultException>(() => taker.ApplyAsync(
            new BatchBuilder(new LaneId("t", 1)).Insert(target.Route("users"), ("id", "2"), ("mail", "a"), ("name", "y")).Build(), CancellationToken.None));
        Assert.Equal("unique-conflict", fault.Fault.Code);
        Assert.Equal(["1|a|x"], await target.Database.RowsAsync("select * from users"));
    }

    [Fact]
    public async Task A_bad_value_halts_the_lane_behind_what_precedes_it_and_is_named()
    {
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(
            "create table t(id int primary key, code varchar(3), n int not null check (n > 0))"), ["public.t"]);
        var table = target.Route("t");
        foreach (var (code, n, expected) in new[] { ("abcd", "1", "bad-value"), ("abc", "x", "bad-value"), ("abc", null, "not-null"), ("abc", "-1", "check") })
        {
            var writer = await target.ClaimAsync();
            var from = writer.NextOffset;
            var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(new BatchBuilder(new LaneId("t", 0), from)
                .Insert(table, ("id", $"{from}"), ("code", "ok"), ("n", "1")).Insert(table, ("id", "99"), ("code", code), ("n", n))
                .Insert(table, ("id", "100"), ("code", "ok"), ("n", "1")).Build(), CancellationToken.None));
            Assert.Equal((FaultKind.Poison, expected, from + 1, "public.t", """{"id":"99"}"""),
                (fault.Fault.Kind, fault.Fault.Code, fault.Fault.Offset, fault.Fault.Table, fault.Fault.Key));
            Assert.Equal(from + 1, (await target.Store.ReadProgressAsync(CancellationToken.None)).Single().NextOffset);
        }

        Assert.Equal(["0", "1", "2", "3"], await target.Database.RowsAsync("select id from t order by id"));
    }

    [Fact]
    public async Task A_key_spelled_differently_in_a_case_insensitive_key_is_not_deleted_by_the_old_spelling()
    {
        // A → a is a delete and an insert, here in two lanes; the insert's lane is the faster one and must wait for the delete.
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(
            "create extension citext; create table names(n citext primary key, v text); insert into names values ('A', 'old')"), ["public.names"]);
        var names = target.Route("names");
        var insert = new BatchBuilder(new LaneId("t", 1), 0, firstLsn: 2000).Insert(names, ("n", "a"), ("v", "new")).Build();
        var deleter = await target.ClaimAsync(0);
        var inserter = await target.ClaimAsync(1);
        var inserting = inserter.ApplyAsync(insert, CancellationToken.None);
        Assert.NotSame(inserting, await Task.WhenAny(inserting, Task.Delay(TimeSpan.FromMilliseconds(300))));
        await deleter.ApplyAsync(new BatchBuilder(new LaneId("t", 0), 0, firstLsn: 1500).Delete(names, ("n", "A")).Build(), CancellationToken.None);
        await inserting;
        await deleter.ApplyAsync(new BatchBuilder(new LaneId("t", 0), 1, firstLsn: 3000).Delete(names, ("n", "A")).Build(), CancellationToken.None);
        Assert.Equal(["a|new"], await target.Database.RowsAsync("select * from names"));
    }

    private static async Task<Fault> HaltedAsync(LaneTarget target, TableRoute users, int partition)
    {
        var fault = await RefusedAsync(target, users, partition);
        Assert.Equal(FaultKind.Poison, fault.Kind);
        return fault;
    }

    private static async Task<Fault> RefusedAsync(LaneTarget target, TableRoute users, int partition)
    {
        var writer = await target.ClaimAsync(partition);
        return (await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(new BatchBuilder(new LaneId("t", partition), 0, firstLsn: 5000)
            .Insert(users, ("id", "4"), ("mail", "a"), ("name", "taker")).Build(), CancellationToken.None))).Fault;
    }

    private async Task<LaneTarget> CreateAsync(string rows, ApplySection? options = null) =>
        await LaneTarget.CreateAsync(await postgres.CreateTargetAsync($"{Users}; {rows}"), ["public.users"], options: options);
}
