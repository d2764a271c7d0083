using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>The row that decides a cutover: whoever races, stalls or dies, never two open sides, and never none for good.</summary>
public sealed class FencedSideTests(PostgresFixture postgres)
{
    private const string Schema = "create table orders(id int primary key, v text)";
    private static readonly TableName[] Tables = [new("public", "orders")];
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Over = TimeSpan.FromMilliseconds(-1);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_attempt_closes_seals_and_opens_the_other_side_and_the_journals_say_so()
    {
        await using var pair = await PairAsync();
        Assert.Equal(new FenceRecord(FenceState.Open, 1, "", TimeSpan.Zero), await pair.Source.ReadAsync(Cancellation) is { } source ? source with { Age = default } : null);
        Assert.Equal(new FenceRecord(FenceState.Sealed, 0, "", TimeSpan.Zero), await pair.Target.ReadAsync(Cancellation) is { } target ? target with { Age = default } : null);
        Assert.Equal((true, false), await pair.WritableAsync());

        var marker = await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        Assert.Equal((false, false), await pair.WritableAsync());
        Assert.Equal(1, await pair.Left.ScalarAsync<long>($"select count(*) from cdc_migrator.fence where id = '{marker.Id}'"));
        Assert.True(await pair.Source.RenewAsync("a", Lease, Cancellation));

        Assert.True(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));
        Assert.False(await pair.Source.UndoAsync("a", onlyForsaken: false, Cancellation));
        Assert.Equal((false, false), await pair.WritableAsync());

        await pair.Right.ExecuteAsync("insert into cdc_migrator.progress (migration, topic, partition, next_offset, cluster_id, partition_count) values ('m', 't', 0, 7, 'c', 1), ('other', 't', 0, 7, 'c', 1)");
        Assert.True(await pair.Target.OpenAsync("a", 2, Cancellation));
        Assert.False(await pair.Target.OpenAsync("a", 2, Cancellation));
        Assert.Equal((false, true), await pair.WritableAsync());
        Assert.Equal(["m|2|t", "other|1|f"], await pair.Right.RowsAsync("select migration, epoch, frozen from cdc_migrator.progress order by 1"));
        Assert.Equal(["fence-closed|a", "fence-sealed|a"], await pair.Left.RowsAsync("select event, evidence ->> 'token' from cdc_migrator.journal order by id"));
        Assert.Equal(["side-opened|a"], await pair.Right.RowsAsync("select event, evidence ->> 'token' from cdc_migrator.journal order by id"));
    }

    [Fact]
    public async Task The_way_back_is_the_same_with_the_sides_exchanged_and_whoever_wakes_up_late_changes_nothing()
    {
        await using var pair = await PairAsync();
        await pair.SwitchAsync(pair.Source, pair.Target, "there", 2);
        await pair.SwitchAsync(pair.Target, pair.Source, "back", 3);
        Assert.Equal((true, false), await pair.WritableAsync());

        // All that the first coordinator may still have in hand.
        Assert.False(await pair.Target.OpenAsync("there", 2, Cancellation));
        Assert.False(await pair.Source.UndoAsync("there", onlyForsaken: false, Cancellation));
        Assert.False(await pair.Source.RenewAsync("there", Lease, Cancellation));
        Assert.False(await pair.Source.SealAsync("there", Margin, aim: null, Cancellation));
        Assert.Equal("fence-taken", (await Assert.ThrowsAsync<FaultException>(() => pair.Source.CloseAsync("there", 2, Lease, Cancellation))).Fault.Code);
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task A_delayed_undo_of_an_earlier_attempt_leaves_a_later_one_closed()
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Over, Cancellation);
        Assert.True(await pair.Source.UndoAsync("a", onlyForsaken: true, Cancellation));
        await pair.Source.CloseAsync("b", 3, Lease, Cancellation);

        Assert.False(await pair.Source.UndoAsync("a", onlyForsaken: true, Cancellation));
        Assert.False(await pair.Source.UndoAsync("a", onlyForsaken: false, Cancellation));
        Assert.False(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));
        Assert.Equal((false, false), await pair.WritableAsync());
        Assert.True(await pair.Source.SealAsync("b", Margin, aim: null, Cancellation));
    }

    [Fact]
    public async Task A_lease_that_is_over_or_nearly_so_cannot_be_sealed_or_renewed_and_one_that_is_not_is_no_ones_to_lift()
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        Assert.False(await pair.Source.UndoAsync("a", onlyForsaken: true, Cancellation));
        Assert.False(await pair.Source.SealAsync("a", Lease + Lease, aim: null, Cancellation));

        await pair.Left.ExecuteAsync("update cdc_migrator.fence_state set lease_until = clock_timestamp() - interval '1 ms'");
        Assert.True((await pair.Source.ReadAsync(Cancellation))!.IsForsaken);
        Assert.False(await pair.Source.RenewAsync("a", Lease, Cancellation));
        Assert.False(await pair.Source.SealAsync("a", TimeSpan.Zero, aim: null, Cancellation));
        Assert.True(await pair.Source.UndoAsync("a", onlyForsaken: true, Cancellation));
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task A_side_that_was_never_prepared_has_no_row_and_the_keeper_leaves_it_alone()
    {
        await using var bare = await postgres.CreateSourceAsync(Schema);
        await using var pair = await PairAsync();
        var side = new FencedSide(bare.DataSource, "m", Tables, "test", TimeProvider.System);
        Assert.Null(await side.ReadAsync(Cancellation));
        Assert.Null(await new FencedSide(pair.Left.DataSource, "another", Tables, "test", TimeProvider.System).ReadAsync(Cancellation));
        await new FenceKeeper(side, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance).TurnAsync(Cancellation);
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task An_attempt_that_does_not_know_whether_it_closed_closes_again()
    {
        await using var pair = await PairAsync();
        var first = await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        var again = await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        Assert.True(again.Lsn > first.Lsn);
        Assert.Equal((false, false), await pair.WritableAsync());
        Assert.True(await pair.Source.UndoAsync("a", onlyForsaken: false, Cancellation));
    }

    [Fact]
    public async Task Partitions_that_come_meanwhile_are_fenced_with_the_next_closing_and_keep_nothing_closed()
    {
        await using var database = await postgres.CreateSourceAsync("create table parts(id int, d int, primary key (id, d)) partition by range (d); create table p1 partition of parts for values from (0) to (10)");
        await ControlSchema.MigrateAsync(database.DataSource, Cancellation);
        var side = new FencedSide(database.DataSource, "m", [new TableName("public", "parts")], "test", TimeProvider.System);
        await side.PrepareOpenAsync(Cancellation);
        await database.ExecuteAsync("create table p2 partition of parts for values from (10) to (20)");
        await side.CloseAsync("a", 2, Lease, Cancellation);
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("insert into p2 values (1, 11)"))).SqlState);

        await database.ExecuteAsync("create table p3 partition of parts for values from (20) to (30)");
        Assert.True(await side.UndoAsync("a", onlyForsaken: false, Cancellation));
        await database.ExecuteAsync("insert into parts values (1, 1), (1, 11), (1, 21); insert into p2 values (2, 11)");
    }

    [Fact]
    public async Task A_side_that_is_away_keeps_the_other_not_closed()
    {
        await using var pair = await PairAsync();
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=x;Timeout=2");
        var away = new FencedSide(nowhere, "m", Tables, "test", TimeProvider.System);
        await pair.Source.CloseAsync("a", 2, Over, Cancellation);
        await Assert.ThrowsAsync<FaultException>(() => new FenceKeeper(pair.Source, away, new EndedForOthers(), TimeProvider.System, NullLogger.Instance).TurnAsync(Cancellation));
        Assert.Equal((true, false), await pair.WritableAsync());
        await pair.Source.CloseAsync("b", 3, Over, Cancellation);
        await Assert.ThrowsAsync<FaultException>(() => new FenceKeeper(away, pair.Source, new EndedForOthers(), TimeProvider.System, NullLogger.Instance).TurnAsync(Cancellation));
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task Of_two_operators_one_wins()
    {
        await using var pair = await PairAsync();
        var second = new FencedSide(pair.Left.DataSource, "m", Tables, "another", TimeProvider.System);
        var both = await Task.WhenAll(OutcomeAsync(pair.Source, "a"), OutcomeAsync(second, "b"));
        Assert.Equal(["closed", "fence-taken"], both.Order(StringComparer.Ordinal));

        static async Task<string> OutcomeAsync(FencedSide side, string token)
        {
            try
            {
                await side.CloseAsync(token, 2, Lease, Cancellation);
                return "closed";
            }
            catch (FaultException exception)
            {
                return exception.Fault.Code;
            }
        }
    }

    [Fact]
    public async Task Of_a_seal_and_an_undo_one_wins_and_the_fence_is_as_the_row_says()
    {
        await using var pair = await PairAsync();
        for (var epoch = 2; epoch < 22; epoch++)
        {
            var token = $"a{epoch}";
            await pair.Source.CloseAsync(token, epoch, Lease, Cancellation);
            var seal = pair.Source.SealAsync(token, Margin, aim: null, Cancellation);
            var undo = pair.Source.UndoAsync(token, onlyForsaken: false, Cancellation);
            var wins = await Task.WhenAll(seal, undo);
            Assert.Single(wins, true);
            Assert.Equal(wins[0] ? FenceState.Sealed : FenceState.Open, (await pair.Source.ReadAsync(Cancellation))!.State);
            Assert.Equal((!wins[0], false), await pair.WritableAsync());
            await pair.Left.ExecuteAsync("update cdc_migrator.fence_state set state = 'open'; alter table orders disable trigger cdcm_fence");
        }
    }

    [Fact]
    public async Task A_seal_whose_aim_fails_has_not_happened()
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        var impossible = new DirectionStart([new AimedLane(new LaneId("t", 0), new LogIdentity("c", "", 1), 0), new AimedLane(new LaneId("t", 1), new LogIdentity("c", null!, 1), 0)], 0, []);
        await Assert.ThrowsAnyAsync<Exception>(() => pair.Source.SealAsync("a", Margin, impossible, Cancellation));
        Assert.Equal(FenceState.Closed, (await pair.Source.ReadAsync(Cancellation))!.State);
        Assert.True(await pair.Source.UndoAsync("a", onlyForsaken: false, Cancellation));
    }

    [Fact]
    public async Task Preparing_again_changes_nothing_whatever_the_state_is()
    {
        await using var pair = await PairAsync();
        await pair.SwitchAsync(pair.Source, pair.Target, "a", 2);
        await pair.Source.PrepareOpenAsync(Cancellation);
        await pair.Target.PrepareSealedAsync(Cancellation);
        Assert.Equal((false, true), await pair.WritableAsync());
    }

    [Fact]
    public async Task The_keeper_lifts_a_forsaken_fence_and_goes_on_behind_a_seal()
    {
        await using var pair = await PairAsync();
        var keeper = new FenceKeeper(pair.Source, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((true, false), await pair.WritableAsync());

        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((false, false), await pair.WritableAsync());
        await pair.Left.ExecuteAsync("update cdc_migrator.fence_state set lease_until = clock_timestamp() - interval '1 ms'");
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((true, false), await pair.WritableAsync());

        await pair.Source.CloseAsync("b", 3, Lease, Cancellation);
        Assert.True(await pair.Source.SealAsync("b", Margin, aim: null, Cancellation));
        await keeper.TurnAsync(Cancellation);
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((false, true), await pair.WritableAsync());

        await pair.Target.CloseAsync("c", 4, Over, Cancellation);
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((false, true), await pair.WritableAsync());
        await pair.Target.CloseAsync("d", 5, Lease, Cancellation);
        Assert.True(await pair.Target.SealAsync("d", Margin, aim: null, Cancellation));
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task A_side_that_comes_back_open_from_an_older_copy_is_closed_by_the_keeper_and_nothing_is_applied_to_it()
    {
        await using var pair = await PairAsync();
        var keeper = new FenceKeeper(pair.Source, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await pair.SwitchAsync(pair.Source, pair.Target, "there", 2);
        var gone = (await pair.Source.ReadAsync(Cancellation))!;
        await ComeBackAsync(pair.Left, epoch: 1, token: "");
        Assert.Equal((true, true), await pair.WritableAsync());

        await keeper.TurnAsync(Cancellation);
        Assert.Equal((false, true), await pair.WritableAsync());
        Assert.Equal((gone.State, gone.Epoch, gone.Token), await pair.Source.ReadAsync(Cancellation) is { } shut ? (shut.State, shut.Epoch, shut.Token) : default);
        Assert.NotNull(await pair.Source.FindShutAsync(Cancellation));
        Assert.Null(await pair.Target.FindShutAsync(Cancellation));
        Assert.True(await pair.Left.ScalarAsync<bool>("select frozen from cdc_migrator.progress where topic = 't'"));

        await pair.SwitchAsync(pair.Target, pair.Source, "back", 3);
        await ComeBackAsync(pair.Right, epoch: 2, token: "there");
        await keeper.TurnAsync(Cancellation);
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((true, false), await pair.WritableAsync());
        Assert.Null(await pair.Source.FindShutAsync(Cancellation));
    }

    [Fact]
    public async Task A_side_that_comes_back_closed_from_before_its_seal_is_left_for_good_and_not_opened_beside_the_other_one()
    {
        await using var pair = await PairAsync();
        var keeper = new FenceKeeper(pair.Source, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await pair.SwitchAsync(pair.Source, pair.Target, "a", 2);
        await pair.Left.ExecuteAsync("update cdc_migrator.fence_state set state = 'closed', lease_until = clock_timestamp() - interval '1 minute'; delete from cdc_migrator.journal where event = 'fence-sealed'");
        Assert.Contains("was left for good", await pair.Source.LiftScriptAsync(await pair.Target.ReadAsync(Cancellation), terms: null, Cancellation), StringComparison.Ordinal);

        await keeper.TurnAsync(Cancellation);
        Assert.Equal((false, true), await pair.WritableAsync());
        Assert.Equal((FenceState.Sealed, 2, "a"), await pair.Source.ReadAsync(Cancellation) is { } left ? (left.State, left.Epoch, left.Token) : default);
        Assert.NotNull(await pair.Source.FindShutAsync(Cancellation));
    }

    [Fact]
    public async Task A_side_whose_row_was_opened_by_hand_is_closed_again_by_its_own_journal_and_goes_on_taking_what_is_applied_to_it()
    {
        await using var pair = await PairAsync();
        var keeper = new FenceKeeper(pair.Source, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await pair.SwitchAsync(pair.Source, pair.Target, "a", 2);
        await ComeBackAsync(pair.Left, epoch: 2, token: "a");
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((false, true), await pair.WritableAsync());
        Assert.False(await pair.Left.ScalarAsync<bool>("select frozen from cdc_migrator.progress where topic = 't'"));
    }

    [Fact]
    public async Task A_side_whose_older_copy_was_lifted_while_the_other_one_was_away_is_closed_once_that_one_tells_that_it_was_opened()
    {
        await using var pair = await PairAsync();
        var keeper = new FenceKeeper(pair.Source, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await pair.SwitchAsync(pair.Source, pair.Target, "a", 2);
        await ComeBackAsync(pair.Left, epoch: 2, token: "a");
        await pair.Left.ExecuteAsync("delete from cdc_migrator.journal where event = 'fence-sealed'");
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((false, true), await pair.WritableAsync());
        Assert.True(await pair.Left.ScalarAsync<bool>("select frozen from cdc_migrator.progress where topic = 't'"));

        // The same the other way round: the later opening stays.
        await pair.SwitchAsync(pair.Target, pair.Source, "b", 3);
        await ComeBackAsync(pair.Right, epoch: 3, token: "b");
        await pair.Right.ExecuteAsync("delete from cdc_migrator.journal where event = 'fence-sealed'");
        await keeper.TurnAsync(Cancellation);
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task A_keeper_whose_other_side_has_no_address_any_more_lives_on_and_lifts_what_it_reaches()
    {
        await using var pair = await PairAsync();
        await using var nowhere = NpgsqlDataSource.Create("Host=nosuch.invalid;Username=x;Database=x;Timeout=2");
        var keeper = new FenceKeeper(pair.Source, new FencedSide(nowhere, "m", Tables, "test", TimeProvider.System), new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var keeping = keeper.RunAsync(stop.Token);
        for (var epoch = 2; epoch < 4; epoch++)
        {
            await pair.Source.CloseAsync($"gone {epoch}", epoch, Over, Cancellation);
            while (await pair.Source.ReadAsync(Cancellation) is { State: FenceState.Closed })
            {
                Assert.False(keeping.IsCompleted, "the keeper has ended");
                await Task.Delay(20, Cancellation);
            }
        }

        await stop.CancelAsync();
        await keeping;
    }

    [Fact]
    public async Task An_undo_waits_for_a_close_whose_commit_is_on_its_way()
    {
        await using var pair = await PairAsync();
        await using var closing = await pair.Left.DataSource.OpenConnectionAsync(Cancellation);
        await using (var close = new NpgsqlCommand("begin; update cdc_migrator.fence_state set state = 'closed', epoch = 2, token = 'a', lease_until = clock_timestamp() + interval '1 hour'", closing))
        {
            await close.ExecuteNonQueryAsync(Cancellation);
        }

        var undoing = pair.Source.UndoAsync("a", onlyForsaken: false, Cancellation);
        while (await pair.Left.ScalarAsync<long>("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") == 0)
        {
            Assert.False(undoing.IsCompleted, "the undo passed by a close in flight");
        }

        await using (var commit = new NpgsqlCommand("commit", closing))
        {
            await commit.ExecuteNonQueryAsync(Cancellation);
        }

        Assert.True(await undoing);
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task Of_two_open_sides_of_which_none_tells_that_it_was_left_neither_is_touched_and_it_is_said()
    {
        await using var pair = await PairAsync();
        var keeper = new FenceKeeper(pair.Source, pair.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await ComeBackAsync(pair.Left, epoch: 2, token: "x");
        await ComeBackAsync(pair.Right, epoch: 2, token: "y");
        Assert.Equal("two-open-sides", (await Assert.ThrowsAsync<FaultException>(() => keeper.TurnAsync(Cancellation))).Fault.Code);
        Assert.Equal((true, true), await pair.WritableAsync());
    }

    [Fact]
    public async Task Who_read_two_sides_at_two_moments_of_a_switch_shuts_neither()
    {
        await using var pair = await PairAsync();
        var before = (await pair.Source.ReadAsync(Cancellation))!;
        await pair.SwitchAsync(pair.Source, pair.Target, "a", 2);
        var later = (await pair.Target.ReadAsync(Cancellation))!;
        Assert.False(await pair.Source.ShutAsync(before, later, openedThere: true, Cancellation));
        Assert.False(await pair.Target.ShutAsync(later, before, openedThere: false, Cancellation));

        await pair.SwitchAsync(pair.Target, pair.Source, "b", 3);
        Assert.False(await pair.Source.ShutAsync(before, later, openedThere: true, Cancellation));
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    /// <summary>As a standby that lagged, or somebody with psql, leaves a side.</summary>
    private static Task ComeBackAsync(TestDatabase side, long epoch, string token) => side.ExecuteAsync($"""
        update cdc_migrator.fence_state set state = 'open', epoch = {epoch}, token = '{token}'; alter table orders disable trigger cdcm_fence;
        insert into cdc_migrator.progress (migration, topic, partition, next_offset, cluster_id, partition_count) values ('m', 't', 0, 7, 'c', 1) on conflict do nothing
        """);

    private Task<FencedPair> PairAsync() => FencedPair.CreateAsync(postgres, Lease);
}
