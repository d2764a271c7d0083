using CdcMigrator.TestKit.Kit;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>A shop at 200 transactions a second moves through real Debezium and Kafka while everything that can die is killed.</summary>
[Collection(typeof(KilledKit))]
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
        await using var stack = await Shop.StartAsync(kit, $"chaos-{format}".ToLowerInvariant());
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        await using var workload = Shop.Write(stack, Rate);

        // Ten blows with an even share of the load before each, and changes applied since the last one: each falls into the middle of the work, however
        // long a restart takes.
        string[] blows = ["service", "broker", "service", "target", "service", "connect", "service", "broker", "service", "service"];
        var applied = 0L;
        for (var i = 0; i < blows.Length; i++)
        {
            await stack.WaitAsync("changes to be applied", async () => await AppliedAsync() > applied, cancellationToken);
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

            applied = await AppliedAsync();
        }

        await workload.WaitForAcknowledgedAsync(Transactions, cancellationToken);
        await workload.StopAsync(cancellationToken);
        await stack.DrainAsync(cancellationToken);
        await Shop.ShouldBeEqualAsync(stack, workload, output, cancellationToken);

        async Task<long> AppliedAsync() => (await stack.ProgressAsync(cancellationToken)).Where(lane => lane.Key.Topic.Contains(".public.", StringComparison.Ordinal)).Sum(lane => lane.Value);
    }
}
