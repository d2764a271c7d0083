using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Service.Api;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>Two processes of one migration under writers: what is attempted through one is seen, refused beside, called off, paused and ended through the other one, also where the first one stands still and wakes up again.</summary>
public sealed class TwoProcessesTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_process_attempts_another_one_names_refuses_beside_it_calls_off_and_pauses_and_a_waiver_is_in_the_evidence_of_what_went_through()
    {
        await using var shop = await MovedShop.CreateAsync(postgres, "operators", """benchmarks: [ { name: orders, sql: "select count(*) from orders" } ]""");
        var (first, second) = await shop.StartPairAsync();

        // A gate that only a waivable criterion closes.
        GateReport gate = null!;
        await shop.UntilAsync("the gate to be closed by reads alone", async () =>
            (gate = (await first.LookAsync<GateReport>("/api/gate"))!).Criteria.Where(criterion => criterion.Closes).Select(criterion => criterion.Name).SequenceEqual(["reads"]));
        Assert.Equal(3, (await first.RunAsync("cutover", "check")).ExitCode);
        var closed = await first.AskAsync<CutoverStatus>(3, "cutover", "start", "--yes");
        Assert.Equal((CutoverPhase.Refused, "gate-closed"), (closed.Phase, closed.Fault!.Code));
        Assert.Equal($"The gate is closed: reads is {gate.Criteria.Single(criterion => criterion.Name == "reads").Measured}, allowed every benchmark passed within 24h", closed.Fault.Message);
        await second.AskAsync<WaiversReport>(0, "waive", "reads", "--reason", "the index comes on Monday", "--by", "ann");

        await CallOffAsync(shop, first, second);
        await PauseBeforeFenceAsync(shop, first, second);
        await PauseBehindFenceAsync(shop, first, second);

        await shop.UntilDoneAsync(first, "cutover", "start");
        shop.Workload.SwitchTo(new WriteSide("target", shop.Target.ConnectionString));
        await shop.WritersGoOnAsync();
        var evidence = await second.AskAsync<CutoverEvidence>(0, "cutover", "evidence");
        Assert.Equal((CutoverPhase.Done, evidence.Report.Attempt.Token), (evidence.Report.Phase, (await second.AskAsync<CutoverStatus>(0, "cutover", "status")).Target!.Attempt));
        Assert.Equal([("reads", "ann", "the index comes on Monday")], evidence.Waived.Select(waiver => (waiver.Criterion, waiver.By, waiver.Reason)));
    }

    /// <summary>The coordinator stands still behind the fence; another process lifts it, applications write on, and whoever wakes up finds that it is over.</summary>
    [Fact]
    public async Task A_coordinator_that_stands_still_is_ended_by_another_process_and_disturbs_nothing_when_it_wakes_up()
    {
        await using var shop = await MovedShop.CreateAsync(postgres, "stalled");
        var (first, second) = await shop.StartPairAsync();
        using var over = new CancellationTokenSource();
        var watching = shop.WatchAsync(over.Token);

        // Before the seal: the lease ends it.
        var attempt = await shop.AttemptUpToAsync(first, "Prove.begin", "cutover", "start");
        Assert.Equal(("closed", "sealed"), await shop.SidesAsync());
        await first.FreezeAsync();
        first.LetGoOn("Prove.begin");
        await shop.UntilAsync("the other process to lift the fence", async () => await shop.SidesAsync() is ("open", "sealed"));
        Assert.Equal(second.Actor, (await MovedShop.JournalAsync(shop.Source, "fence-undone", "actor"))[^1]);
        await shop.WritersGoOnAsync();

        await first.WakeAsync();
        var undone = MigrationProcess.Read<CutoverStatus>(await attempt, 5);
        Assert.Equal((CutoverPhase.Undone, "lease-lost"), (undone.Phase, undone.Fault!.Code));
        Assert.DoesNotContain(undone.Attempt!, await MovedShop.JournalAsync(shop.Source, "fence-sealed"));
        Assert.Equal(("open", "sealed"), await shop.SidesAsync());
        await shop.WritersGoOnAsync();

        // The other one takes the log over, and what it attempts goes through.
        Assert.Equal(0, await first.StopAsync());
        await shop.UntilEqualAsync(second);
        var logs = await shop.LogsAsync();
        await shop.UntilDoneAsync(second, "cutover", "start");
        shop.Workload.SwitchTo(new WriteSide("target", shop.Target.ConnectionString));
        await shop.WritersGoOnAsync();

        // Behind the seal: another process opens the side that takes over.
        var third = await shop.StartSecondAsync(second, logs);
        attempt = await shop.AttemptUpToAsync(second, "Open.begin", "rollback");
        Assert.Equal(("sealed", "sealed"), await shop.SidesAsync());
        await second.FreezeAsync();
        second.LetGoOn("Open.begin");
        await shop.UntilAsync("the other process to open the source", async () => await shop.SidesAsync() is ("open", "sealed"));
        Assert.Equal(third.Actor, (await MovedShop.JournalAsync(shop.Source, "side-opened", "actor"))[^1]);
        shop.Workload.SwitchTo(new WriteSide("source again", shop.Source.ConnectionString));
        await shop.WritersGoOnAsync();

        await second.WakeAsync();
        var done = MigrationProcess.Read<CutoverStatus>(await attempt, 0);
        Assert.Equal((CutoverPhase.Done, FenceState.Open, FenceState.Sealed), (done.Phase, done.Source!.State, done.Target!.State));
        Assert.Null(done.Fault);
        await shop.WritersGoOnAsync();

        // Each side was opened by what had sealed the other one, once; and the log goes on where it woke up.
        Assert.Equal(await MovedShop.JournalAsync(shop.Source, "fence-sealed"), await MovedShop.JournalAsync(shop.Target, "side-opened"));
        Assert.Equal([done.Attempt!], await MovedShop.JournalAsync(shop.Target, "fence-sealed"));
        Assert.Equal([done.Attempt!], await MovedShop.JournalAsync(shop.Source, "side-opened"));
        await shop.Workload.StopAsync(Cancellation);
        await shop.UntilAsync("the target to follow", async () => (await shop.Workload.CheckAsync(shop.Target.ConnectionString, Cancellation)).Kept);
        await over.CancelAsync();
        Assert.Null(await watching);
    }

    /// <summary>Of two operators at two processes the second one is told of the first one's attempt, and may call it off.</summary>
    private static async Task CallOffAsync(MovedShop shop, MigrationProcess first, MigrationProcess second)
    {
        var attempt = await shop.AttemptUpToAsync(first, "Drain.begin", "cutover", "start");
        var seen = await second.AskAsync<CutoverStatus>(0, "cutover", "status");
        Assert.Equal((FenceState.Closed, FenceState.Sealed), (seen.Source!.State, seen.Target!.State));
        var beside = await second.RunAsync("cutover", "start", "--yes");
        Assert.Equal(6, beside.ExitCode);
        Assert.Contains($"Attempt {seen.Source.Attempt} is under way: it has closed the source", beside.Error, StringComparison.Ordinal);
        Assert.Contains("'cdcm cutover abort' calls it off", beside.Error, StringComparison.Ordinal);
        var pause = await second.RunAsync("pause", "--reason", "another disk");
        Assert.Equal((6, true), (pause.ExitCode, pause.Error.Contains("An attempt is under way", StringComparison.Ordinal)));

        Assert.Equal(FenceState.Open, (await second.AskAsync<CutoverStatus>(0, "cutover", "abort")).Source!.State);
        await shop.WritersGoOnAsync();
        first.LetGoOn("Drain.begin");
        var undone = MigrationProcess.Read<CutoverStatus>(await attempt, 5);
        Assert.Equal((CutoverPhase.Undone, "lease-lost", seen.Source.Attempt), (undone.Phase, undone.Fault!.Code, undone.Attempt));
        Assert.Equal(second.Actor, Assert.Single(await MovedShop.JournalAsync(shop.Source, "fence-undone", "actor")));
        Assert.Equal(("open", "sealed"), await shop.SidesAsync());
    }

    /// <summary>A pause that came since the gate was looked at: nothing is closed.</summary>
    private static async Task PauseBeforeFenceAsync(MovedShop shop, MigrationProcess first, MigrationProcess second)
    {
        var closes = await MovedShop.JournalAsync(shop.Source, "fence-closed");
        var attempt = await shop.AttemptUpToAsync(first, "Hold.begin", "cutover", "start");
        await second.AskAsync<PauseReport>(0, "pause", "--reason", "another disk", "--by", "bob");
        first.LetGoOn("Hold.begin");
        await RefusedAsync(attempt);
        Assert.Equal(closes, await MovedShop.JournalAsync(shop.Source, "fence-closed"));
        Assert.Equal(("open", "sealed"), await shop.SidesAsync());
        await second.AskAsync<PauseReport>(0, "resume");
        await shop.WritersGoOnAsync();
    }

    /// <summary>A pause that waited for a batch in flight, and comes when the side is closed: although everything is applied, the attempt does not go through beside it.</summary>
    private static async Task PauseBehindFenceAsync(MovedShop shop, MigrationProcess first, MigrationProcess second)
    {
        while (!await TryPauseBehindFenceAsync(shop, first, second))
        {
            // The pause has a limit, within which a slow machine may not come to close a side.
        }

        Assert.Equal(("open", "sealed"), await shop.SidesAsync());
        await second.AskAsync<PauseReport>(0, "resume");
        await shop.WritersGoOnAsync();
    }

    private static async Task<bool> TryPauseBehindFenceAsync(MovedShop shop, MigrationProcess first, MigrationProcess second)
    {
        var attempt = await shop.AttemptUpToAsync(first, "Fence.begin", "cutover", "start");
        await using var batch = await shop.Target.DataSource.OpenConnectionAsync(Cancellation);
        await using var transaction = await batch.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("select from cdc_migrator.migration for share", batch, transaction))
        {
            await hold.ExecuteNonQueryAsync(Cancellation);
        }

        var pausing = second.RunAsync("pause", "--reason", "another disk", "--by", "bob");
        await shop.UntilPauseWaitsForAsync(batch.ProcessID);
        first.HoldAt("Drain.begin");
        first.LetGoOn("Fence.begin");
        await shop.UntilAsync("the fence", () => Task.FromResult(first.IsHeldAt("Drain.begin")));
        Assert.Equal(("closed", "sealed"), await shop.SidesAsync());
        await transaction.RollbackAsync(Cancellation);
        await shop.UntilAsync("the pause", async () => pausing.IsCompleted || await shop.Target.ScalarAsync<bool>("select paused_at is not null from cdc_migrator.migration"));
        var isLate = pausing.IsCompleted && (await pausing).ExitCode == 5;
        await (isLate ? second.RunAsync("cutover", "abort") : Task.CompletedTask);
        first.LetGoOn("Drain.begin");
        if (isLate)
        {
            await attempt;
            return false;
        }

        await RefusedAsync(attempt);
        MigrationProcess.Read<PauseReport>(await pausing, 0);
        return true;
    }

    private static async Task RefusedAsync(Task<ProcessResult> attempt)
    {
        var undone = MigrationProcess.Read<CutoverStatus>(await attempt, 6);
        Assert.Equal((CutoverPhase.Undone, "paused"), (undone.Phase, undone.Fault!.Code));
        Assert.Contains("paused by bob", undone.Fault.Message, StringComparison.Ordinal);
    }
}
