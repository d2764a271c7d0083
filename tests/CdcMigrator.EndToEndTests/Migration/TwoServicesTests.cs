using CdcMigrator.Embedded.Workload;
using CdcMigrator.TestKit.Kit;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>Two service processes of one migration: who owns which lane, and what a process that lost its lanes can still do.</summary>
[Collection(typeof(SteadyKit))]
public sealed class TwoServicesTests(KitFixture kit, ITestOutputHelper output)
{
    private const double Rate = 200;

    [Fact]
    public async Task Two_services_share_the_partitions_and_killing_either_keeps_it_equal()
    {
        kit.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await Shop.StartAsync(kit, "pair");
        stack.Membership = GroupMembership.Default;
        await stack.RegisterAsync(MigrationFormat.Json);
        var first = stack.StartService();
        var second = stack.StartService();
        await using var workload = Shop.Write(stack, Rate);
        var all = ShopSchema.Tables.Count * 4 + 4;
        await SharedAsync();

        await first.KillAsync();
        await stack.WaitAsync("the second process to own every lane", async () => (await second.LanesAsync()).Count == all, cancellationToken);
        first = stack.StartService();
        await SharedAsync();
        await second.KillAsync();
        await stack.WaitAsync("the first process to own every lane", async () => (await first.LanesAsync()).Count == all, cancellationToken);

        await workload.StopAsync(cancellationToken);
        await stack.DrainAsync(cancellationToken);
        await Shop.ShouldBeEqualAsync(stack, workload, output, cancellationToken);

        Task SharedAsync() => stack.WaitAsync("both processes to own lanes, all of them together", async () =>
        {
            var (one, two) = (await first.LanesAsync(), await second.LanesAsync());
            return one.Count > 0 && two.Count > 0 && one.Count + two.Count == all && !one.Intersect(two).Any();
        }, cancellationToken);
    }

    [Fact]
    public async Task A_paused_process_that_wakes_up_after_losing_its_partitions_writes_nothing_any_more()
    {
        kit.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await Shop.StartAsync(kit, "zombie");
        stack.Membership = GroupMembership.ShortSession;
        await stack.RegisterAsync(MigrationFormat.Json);
        var zombie = stack.StartService();
        await using var workload = Shop.Write(stack, Rate);
        await stack.WaitAsync("the first process to apply", async () => (await stack.ProgressAsync(cancellationToken)).Values.Sum() > 1000, cancellationToken);

        await zombie.SignalAsync("STOP");
        var epochs = await EpochsAsync(stack, cancellationToken);
        var heir = stack.StartService();
        await stack.WaitAsync("the heir to claim every lane", async () =>
        {
            var now = await EpochsAsync(stack, cancellationToken);
            return epochs.All(epoch => now[epoch.Key] > epoch.Value);
        }, cancellationToken);
        var claimed = await EpochsAsync(stack, cancellationToken);

        await zombie.SignalAsync("CONT");
        var before = workload.Ledger.Acknowledged;
        await workload.WaitForAcknowledgedAsync(before + 500, cancellationToken);
        await workload.StopAsync(cancellationToken);
        await stack.DrainAsync(cancellationToken);

        Assert.False(heir.HasExited);
        await Shop.ShouldBeEqualAsync(stack, workload, output, cancellationToken);

        // Whoever owns a lane now, claimed it after the heir did or is the heir: no write of the zombie's old epochs can be among them.
        var after = await EpochsAsync(stack, cancellationToken);
        Assert.All(after, epoch => Assert.True(epoch.Value >= claimed[epoch.Key], $"{epoch.Key} went back to epoch {epoch.Value}"));
    }

    private static async Task<Dictionary<string, long>> EpochsAsync(MigrationStack stack, CancellationToken cancellationToken)
    {
        await using var command = stack.Target.CreateCommand("select topic || partition, epoch from cdc_migrator.progress where migration = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = stack.Name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var epochs = new Dictionary<string, long>();
        while (await reader.ReadAsync(cancellationToken))
        {
            epochs[reader.GetString(0)] = reader.GetInt64(1);
        }

        return epochs;
    }
}
