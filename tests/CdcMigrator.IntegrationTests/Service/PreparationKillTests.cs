using CdcMigrator.Domain.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary><c>cdcm cutover prepare</c> is asked for while applications write, and its process dies between any two of its transactions.</summary>
public sealed class PreparationKillTests(PostgresFixture postgres)
{
    private const string Migration = "prepared";
    private const string Triggers = "select count(*), count(*) filter (where tgenabled <> 'D') from pg_trigger where tgname = 'cdcm_fence'";

    /// <summary>What keeps the preparation from its next transaction, and on which side; and what both have come to once it is dead: triggers, how many of them deny writes, and the row. A statement that its server has is done all the same.</summary>
    private static readonly (bool AtSource, string Lock, string Source, string Target)[] Steps =
    [
        (true, "select pg_advisory_xact_lock(hashtextextended('cdc_migrator', 0))", "0|0 ", "0|0 "),
        (false, "lock table receipts in row exclusive mode", "0|0 ", "0|0 "),
        (false, $"insert into cdc_migrator.fence_state (migration, state, epoch) values ('{Migration}', 'sealed', 0)", "0|0 ", "5|0 "),
        (true, "lock table receipts in row exclusive mode", "0|0 ", "5|5 sealed"),
        (true, $"insert into cdc_migrator.fence_state (migration, state, epoch) values ('{Migration}', 'open', 1)", "5|0 open", "5|5 sealed"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_preparation_that_is_killed_halfway_denies_no_write_at_the_source_and_is_completed_when_it_is_asked_for_again()
    {
        await using var shop = await MovedShop.CreateAsync(postgres, Migration);
        foreach (var step in Steps)
        {
            var service = shop.Start();
            await shop.UntilAppliesAsync(service);
            var side = step.AtSource ? shop.Source : shop.Target;
            await using var holder = await side.DataSource.OpenConnectionAsync(Cancellation);
            await using var transaction = await holder.BeginTransactionAsync(Cancellation);
            await using (var command = new NpgsqlCommand(step.Lock, holder, transaction))
            {
                await command.ExecuteNonQueryAsync(Cancellation);
            }

            if (step.Target.EndsWith("sealed", StringComparison.Ordinal))
            {
                // What is prepared by half is nothing to begin with.
                var refused = await service.RunAsync("cutover", "start", "--yes");
                Assert.Equal(6, refused.ExitCode);
                Assert.Contains("'cdcm cutover prepare' does it", refused.Error, StringComparison.Ordinal);
            }

            var waiting = $"select pid from pg_stat_activity where datname = current_database() and application_name like 'cdcm%' and {holder.ProcessID} = any(pg_blocking_pids(pid))";
            var preparing = service.RunAsync("cutover", "prepare");
            var session = 0;
            await shop.UntilAsync($"the preparation to wait for: {step.Lock}", async () =>
            {
                Assert.False(preparing.IsCompleted, $"it did not wait for: {step.Lock}");
                return (session = await side.ScalarAsync<int>(waiting)) != 0;
            });
            await service.KillAsync();
            Assert.Equal(4, (await preparing).ExitCode);
            await transaction.RollbackAsync(Cancellation);
            await shop.UntilAsync("its session to end", async () => !await side.ScalarAsync<bool>($"select exists (select from pg_stat_activity where pid = {session})"));
            Assert.Equal((step.Source, step.Target), (await StateAsync(shop.Source), await StateAsync(shop.Target)));
            await shop.WritersGoOnAsync();
        }

        var last = shop.Start();
        await shop.UntilAppliesAsync(last);
        for (var turn = 0; turn < 2; turn++)
        {
            var status = await last.AskAsync<CutoverStatus>(0, "cutover", "prepare");
            Assert.Equal((FenceState.Open, FenceState.Sealed), (status.Source!.State, status.Target!.State));
            Assert.Equal(("5|0 open", "5|5 sealed"), (await StateAsync(shop.Source), await StateAsync(shop.Target)));
        }

        // Nobody was denied a write, everything comes over, and nobody but the migration writes there.
        await shop.WritersGoOnAsync();
        await shop.Workload.StopAsync(Cancellation);
        Assert.Equal(0, shop.Workload.Denied);
        await shop.UntilAsync("all of it at the target", async () => (await shop.Workload.CheckAsync(shop.Target.ConnectionString, Cancellation)).Kept);
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, (await Assert.ThrowsAsync<PostgresException>(() => shop.Target.ExecuteAsync("delete from receipts"))).SqlState);
    }

    private static async Task<string> StateAsync(TestDatabase side) =>
        $"{(await side.RowsAsync(Triggers))[0]} {(await side.ScalarAsync<bool>("select to_regclass('cdc_migrator.fence_state') is not null") ? await side.ScalarAsync<string>("select state from cdc_migrator.fence_state") : null)}";
}
