using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.TestKit.Kit;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>A shop at 200 transactions a second moves through real Debezium and Kafka while everything that can die is killed.</summary>
public sealed class ChaosTests(KitFixture kit, ITestOutputHelper output)
{
    private const double Rate = 200;
    private const int Transactions = (int)Rate * 60;

    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.JsonWithSchema)]
    [InlineData(MigrationFormat.Avro)]
    public async Task Source_and_target_are_equal_after_six_kills_of_the_service_two_of_the_broker_one_of_connect_and_one_of_the_target(MigrationFormat format)
    {
        kit.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await StartShopAsync($"chaos-{format}".ToLowerInvariant());
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = Rate });

        // Ten blows with an even share of the load before each, so that each falls into the middle of it however long a restart takes.
        string[] blows = ["service", "broker", "service", "target", "service", "connect", "service", "broker", "service", "service"];
        for (var i = 0; i < blows.Length; i++)
        {
            await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + (Transactions / (blows.Length + 1)), cancellationToken);
            output.WriteLine($"{workload.Ledger.Acknowledged} acknowledged: killing the {blows[i]}");
            switch (blows[i])
            {
                case "service":
                    await service.KillAsync();
                    service = stack.StartService();
                    break;
                case "target":
                    await stack.TargetServer.KillAsync(cancellationToken);
                    await stack.TargetServer.StartAsync(cancellationToken);
                    break;
                default:
                    await kit.KillAsync(blows[i]);
                    await kit.UpAsync(blows[i]);
                    break;
            }
        }

        await workload.WaitForAcknowledgedAsync(Transactions, cancellationToken);
        await workload.StopAsync(cancellationToken);
        await stack.DrainAsync(cancellationToken);
        await ShouldBeEqualAsync(stack, workload, cancellationToken);
    }

    [Fact]
    public async Task Two_services_share_the_partitions_and_killing_either_keeps_it_equal()
    {
        kit.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await StartShopAsync("pair");
        await stack.RegisterAsync(MigrationFormat.Json);
        var first = stack.StartService();
        var second = stack.StartService();
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = Rate });
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
        await ShouldBeEqualAsync(stack, workload, cancellationToken);

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
        await using var stack = await StartShopAsync("zombie");
        await stack.RegisterAsync(MigrationFormat.Json);
        var zombie = stack.StartService();
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = Rate });
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
        await workload.WaitForAcknowledgedAsync(before + 2000, cancellationToken);
        await workload.StopAsync(cancellationToken);
        await stack.DrainAsync(cancellationToken);

        Assert.False(heir.HasExited);
        await ShouldBeEqualAsync(stack, workload, cancellationToken);

        // Whoever owns a lane now, claimed it after the heir did or is the heir: no write of the zombie's old epochs can be among them.
        var after = await EpochsAsync(stack, cancellationToken);
        Assert.All(after, epoch => Assert.True(epoch.Value >= claimed[epoch.Key], $"{epoch.Key} went back to epoch {epoch.Value}"));
    }

    private Task<MigrationStack> StartShopAsync(string name) =>
        MigrationStack.StartAsync(kit, name, ShopSchema.Sql, ShopSchema.Tables, connection => ShopSchema.LoadAsync(connection, 5000, CancellationToken.None));

    private async Task ShouldBeEqualAsync(MigrationStack stack, ShopWorkload workload, CancellationToken cancellationToken)
    {
        var verdict = await workload.CheckAsync(stack.TargetConnection, cancellationToken);
        Assert.True(verdict.Kept, verdict.ToString());
        var routes = await TargetCatalog.LoadAsync(stack.Target, [.. ShopSchema.Tables.Select(table => new TableMapping { Source = table, Target = table })], cancellationToken);
        foreach (var route in routes.All)
        {
            var result = await new TableComparison(stack.Source, stack.Target).CompareAsync(route, 5, cancellationToken);
            output.WriteLine($"{route}: {result.RowsSource} rows, {result.Differences.Count} differences");
            Assert.True(result.Equal, $"{route}: {result.RowsSource} against {result.RowsTarget} rows; {string.Join("; ", result.Differences.Select(row =>
                $"{row.Kind} {string.Join('/', row.Key.Values)} {string.Join(',', row.Columns)}"))}");
        }

        await using var command = stack.Target.CreateCommand("select count(*) from cdc_migrator.dead_letter");
        Assert.Equal(0L, await command.ExecuteScalarAsync(cancellationToken));
        output.WriteLine($"{workload.Ledger.Acknowledged} acknowledged, {workload.Ledger.FoundCommitted} of unknown outcome found committed");
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
