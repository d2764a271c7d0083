using CdcMigrator.Cutover.Switching;
using CdcMigrator.Service.Api;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>A process that is asked to end while it attempts a cutover.</summary>
public sealed class StopDuringAttemptTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Writes_are_allowed_again_at_once_though_the_lanes_have_a_batch_in_flight_and_end_behind_it()
    {
        await using var shop = await MovedShop.CreateAsync(postgres, "stopped", "apply: { drainTimeout: 30m }");
        var service = shop.Start();
        await shop.UntilPreparedAsync(service);
        await shop.UntilEqualAsync(service);
        var attempt = await shop.AttemptUpToAsync(service, "Fence.begin", "cutover", "start");

        // A batch that waits for a lock in the target: neither does the attempt go on, nor do the lanes end, before it is gone.
        var holder = await shop.Target.DataSource.OpenConnectionAsync(Cancellation);
        await using var transaction = await holder.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("lock table customers, orders, order_items in share mode", holder, transaction))
        {
            await hold.ExecuteNonQueryAsync(Cancellation);
        }

        await shop.UntilAsync("a batch to wait", () => IsBlockedAsync(shop, holder.ProcessID));
        service.LetGoOn("Fence.begin");
        await shop.UntilAsync("the fence", async () => await shop.SidesAsync() is ("closed", "sealed"));
        var stopping = service.StopAsync();
        await shop.UntilAsync("the fence to be lifted", async () => await shop.SidesAsync() is ("open", "sealed"));
        Assert.True(await IsBlockedAsync(shop, holder.ProcessID));
        Assert.False(stopping.IsCompleted, "the process did not wait for its lanes");

        // Not by a deadline, nor by a lease that was over; and whoever asked for it is told.
        var undone = MigrationProcess.Read<CutoverStatus>(await attempt, 6);
        Assert.Equal((CutoverPhase.Undone, "called-off"), (undone.Phase, undone.Fault!.Code));
        Assert.NotNull(undone.WriteOutageMs);
        Assert.Equal(service.Actor, (await MovedShop.JournalAsync(shop.Source, "fence-undone", "actor"))[^1]);
        await transaction.RollbackAsync(Cancellation);
        await holder.DisposeAsync();
        Assert.Equal(0, await stopping);

        // What it had in flight, and what was written since, is applied by the next one.
        var next = shop.Start();
        await shop.UntilAppliesAsync(next);
        await shop.WritersGoOnAsync();
        await shop.Workload.StopAsync(Cancellation);
        await shop.UntilAsync("the target to follow", async () => (await shop.Workload.CheckAsync(shop.Target.ConnectionString, Cancellation)).Kept);
    }

    private static Task<bool> IsBlockedAsync(MovedShop shop, int session) =>
        shop.Target.ScalarAsync<bool>($"select exists (select from pg_stat_activity where datname = current_database() and {session} = any(pg_blocking_pids(pid)))");
}
