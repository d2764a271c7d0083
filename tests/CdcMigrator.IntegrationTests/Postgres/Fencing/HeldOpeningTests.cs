using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>What an opening needs is held over the seal: nobody who wants a lock in between is waited for while both sides deny writes, and no owner that is gone or frozen keeps others from opening.</summary>
public sealed class HeldOpeningTests(PostgresFixture postgres)
{
    private const string Schema = "create sequence ids; create table parts(id int primary key) partition by range (id); create table p1 partition of parts for values from (0) to (10); create table orders(id int primary key, v text)";
    private static readonly TableName[] Tables = [new("public", "orders"), new("public", "parts")];
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("lock table orders in access exclusive mode")]
    [InlineData("vacuum p1")]
    [InlineData("create table p2 partition of parts for values from (10) to (20)")]
    public async Task Who_wants_a_lock_between_the_proof_and_the_opening_waits_for_it(string statement)
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await using var held = await pair.Target.HoldOpeningAsync("a", Long, Cancellation);

        // It keeps what it gets until the test ends, as a forgotten psql would.
        await using var late = await pair.Right.DataSource.OpenConnectionAsync(Cancellation);
        await (statement.StartsWith("vacuum", StringComparison.Ordinal) ? Task.CompletedTask : ExecuteAsync(late, "begin"));
        var waiting = ExecuteAsync(late, statement);
        await UntilAsync(pair.Right, $"select exists (select from pg_locks where pid = {late.ProcessID} and not granted)");

        Assert.True(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));
        Assert.True(await pair.Target.OpenAsync(held, "a", 2, check: null, () => Task.CompletedTask, Cancellation));
        Assert.Equal(FenceState.Open, (await pair.Target.ReadAsync(Cancellation))!.State);
        await waiting;
        await late.CloseAsync();
        await pair.Right.ExecuteAsync("insert into parts values (1); insert into orders values (1, 'x')");
        Assert.False(await pair.Target.OpenAsync("a", 2, Cancellation));
    }

    [Fact]
    public async Task What_holds_a_table_for_longer_than_writers_could_wait_is_waited_for_in_one_go()
    {
        // An autovacuum is ended by the server for whoever has waited for deadlock_timeout (one second): who gives up earlier never gets past it.
        await using var pair = await PairAsync();
        await using var busy = await pair.Right.DataSource.OpenConnectionAsync(Cancellation);
        await ExecuteAsync(busy, "begin; lock table orders in share update exclusive mode");
        var holding = pair.Target.HoldOpeningAsync("a", Long, Cancellation);
        await UntilAsync(pair.Right, "select exists (select from pg_locks l join pg_stat_activity a using (pid) where not l.granted and l.mode = 'ShareRowExclusiveLock' and clock_timestamp() - a.query_start > interval '1500 ms')");
        await ExecuteAsync(busy, "rollback");
        await (await holding).DisposeAsync();
    }

    [Fact]
    public async Task While_it_is_held_rows_are_read_markers_written_sequences_moved_and_lanes_claimed_and_nothing_of_it_stays_behind()
    {
        await using var pair = await PairAsync();
        await using (await pair.Target.HoldOpeningAsync("a", Long, Cancellation))
        {
            await FenceTable.WriteMarkerAsync(pair.Right.DataSource, Cancellation);
            await pair.Right.ExecuteAsync($"""
                set lock_timeout = '1s'; select count(*) from orders; select setval('ids', 7); analyze cdc_migrator.progress;
                select state from cdc_migrator.fence_state where migration = 'm' for share;
                insert into cdc_migrator.progress (migration, topic, partition, next_offset, cluster_id, partition_count) values ('m', 't', 0, 7, 'c', 1);
                insert into cdc_migrator.verification_run (migration, requested_by) values ('m', 'test');
                """);
            Assert.Equal(1, await pair.Right.ScalarAsync<long>("select count(*) from pg_stat_activity where application_name = 'cdcm-opening a'"));
        }

        // The session goes back to its pool as it was.
        Assert.Equal(0, await pair.Right.ScalarAsync<long>("select count(*) from pg_stat_activity where application_name = 'cdcm-opening a'"));
        Assert.Equal(FenceState.Sealed, (await pair.Target.ReadAsync(Cancellation))!.State);
        await pair.Right.ExecuteAsync("set lock_timeout = '1s'; begin; lock table orders in access exclusive mode; update cdc_migrator.fence_state set token = token; rollback");
    }

    [Fact]
    public async Task A_coordinator_that_is_frozen_behind_its_seal_keeps_nobody_from_opening_for_longer_than_its_session_may_say_nothing()
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await using var held = await pair.Target.HoldOpeningAsync("a", TimeSpan.FromSeconds(1), Cancellation);
        Assert.True(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));

        // Another process that may not end others' sessions: the server does it.
        var other = new FencedSide(pair.Right.DataSource, "m", Tables, "another", TimeProvider.System);
        Assert.True(await other.OpenAsync("a", 2, Cancellation));
        await pair.Right.ExecuteAsync("insert into orders values (1, 'x')");

        // It wakes up.
        Assert.False(await held.IsHeldAsync(Cancellation));
        Assert.False(await pair.Target.OpenAsync(held, "a", 2, check: null, () => Task.CompletedTask, Cancellation));
        await pair.Right.ExecuteAsync("insert into orders values (2, 'x')");
    }

    [Fact]
    public async Task The_keeper_of_another_process_takes_from_a_silent_coordinator_what_it_holds_and_leaves_it_to_one_that_is_about_to_open()
    {
        await using var pair = await PairAsync();
        var keeper = new FenceKeeper(pair.Source, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await using var held = await pair.Target.HoldOpeningAsync("a", Long, Cancellation);
        Assert.True(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));
        Assert.True(await held.IsHeldAsync(Cancellation));
        Assert.True(await pair.Target.EndHeldAsync("a", Long, Cancellation));
        Assert.True(await held.IsHeldAsync(Cancellation));
        Assert.False(await pair.Target.EndHeldAsync("another", TimeSpan.Zero, Cancellation));

        while ((await pair.Target.ReadAsync(Cancellation))!.State != FenceState.Open)
        {
            await keeper.TurnAsync(Cancellation);
            await Task.Delay(50, Cancellation);
        }

        Assert.False(await held.IsHeldAsync(Cancellation));
        Assert.False(await pair.Target.OpenAsync(held, "a", 2, check: null, () => Task.CompletedTask, Cancellation));
        await pair.Right.ExecuteAsync("insert into orders values (1, 'x')");
    }

    [Theory]
    [InlineData("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdcm-opening a'")]
    [InlineData(null)]
    public async Task Where_its_session_died_the_side_is_opened_as_if_nothing_had_been_held(string? death)
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        var held = await pair.Target.HoldOpeningAsync("a", Long, Cancellation);
        Assert.True(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));
        await (death is null ? held.DisposeAsync().AsTask() : pair.Right.ExecuteAsync(death));
        Assert.True(await pair.Target.OpenAsync(held, "a", 2, check: null, () => Task.CompletedTask, Cancellation));
        Assert.Equal(["side-opened|a"], await pair.Right.RowsAsync("select event, evidence ->> 'token' from cdc_migrator.journal order by id"));
        await pair.Right.ExecuteAsync("insert into parts values (1); insert into orders values (1, 'x')");
    }

    [Fact]
    public async Task Of_two_that_open_at_once_one_holding_and_one_not_both_come_to_an_end_and_the_side_is_opened_once()
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await using var held = await pair.Target.HoldOpeningAsync("a", Long, Cancellation);
        Assert.True(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));
        var other = pair.Target.OpenAsync("a", 2, Cancellation);
        await UntilAsync(pair.Right, $"select exists (select from pg_stat_activity where {held.Backend} = any(pg_blocking_pids(pid)))");
        Assert.True(await pair.Target.OpenAsync(held, "a", 2, check: null, () => Task.CompletedTask, Cancellation));
        Assert.False(await other);
        Assert.Equal(1, await pair.Right.ScalarAsync<long>("select count(*) from cdc_migrator.journal where event = 'side-opened'"));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task UntilAsync(TestDatabase database, string condition)
    {
        while (!await database.ScalarAsync<bool>(condition))
        {
            await Task.Delay(10, Cancellation);
        }
    }

    private async Task<Pair> PairAsync()
    {
        var pair = new Pair(await postgres.CreateSourceAsync(Schema), await postgres.CreateTargetAsync(Schema));
        await ControlSchema.MigrateAsync(pair.Left.DataSource, Cancellation);
        await ControlSchema.MigrateAsync(pair.Right.DataSource, Cancellation);
        await pair.Source.PrepareOpenAsync(Cancellation);
        await pair.Target.PrepareSealedAsync(Cancellation);
        return pair;
    }

    private sealed class Pair(TestDatabase left, TestDatabase right) : IAsyncDisposable
    {
        public TestDatabase Left => left;

        public TestDatabase Right => right;

        public FencedSide Source { get; } = new(left.DataSource, "m", Tables, "test", TimeProvider.System);

        public FencedSide Target { get; } = new(right.DataSource, "m", Tables, "test", TimeProvider.System);

        public async ValueTask DisposeAsync()
        {
            await left.DisposeAsync();
            await right.DisposeAsync();
        }
    }
}
