using System.Text.Json;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>The cutover and the way back with real Debezium, under writers that remember what was acknowledged to them.</summary>
[Collection(typeof(SteadyKit))]
public sealed class CutoverTests(KitFixture kit, ITestOutputHelper output)
{
    /// <summary>As many cycles as <c>CDCM_CYCLES</c> says; a few by default, for each takes some ten seconds.</summary>
    [Fact]
    public async Task Cycles_of_cutover_and_rollback_lose_no_acknowledged_write()
    {
        kit.Require();
        var cycles = int.Parse(Environment.GetEnvironmentVariable("CDCM_CYCLES") ?? "6", System.Globalization.CultureInfo.InvariantCulture);
        var token = TestContext.Current.CancellationToken;
        await using var stack = await Shop.StartAsync(kit, "cycles");
        stack.Cutover = "{ budget: 5m, maxLag: 5m, deadlines: { fencing: 1m, draining: 1m, finalVerify: 1m, reverseArmed: 1m } }";
        await stack.RegisterAsync(MigrationFormat.Json);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        await using var workload = ShopWorkload.Start(new WriteSide("source 0", stack.SourceConnection), new ShopWorkloadOptions { Rate = 200, Writers = 16, AdoptedCustomers = 100 });
        await using var router = new Router(stack, workload);
        Assert.Equal(6, (await RunAsync(service, "cutover", "start", "--yes")).ExitCode);
        var prepared = await RunAsync(service, "cutover", "prepare");
        Assert.True(prepared.ExitCode == 0, prepared.Error + service.Log);

        // Nothing was compared yet: the gate is closed, and says by which criteria.
        var refused = await RunAsync(service, "cutover", "start", "--yes");
        Assert.Equal((3, true), (refused.ExitCode, refused.Output.Contains("verification is not of", StringComparison.Ordinal)));
        Assert.Equal(6, (await RunAsync(service, "rollback", "--yes")).ExitCode);
        Assert.Equal(6, (await RunAsync(service, "cutover", "abort")).ExitCode);
        var compared = await RunAsync(service, "verify", "start", "--wait", "--timeout", "4m");
        Assert.True(compared.ExitCode == 0, compared.Error + compared.Output);

        var outages = new List<double>();
        for (var turn = 1; turn <= 2 * cycles; turn++)
        {
            var forward = turn % 2 == 1;
            await stack.WaitAsync($"the gate to open for turn {turn}", () => service.IsGateOpenAsync(forward), token);
            var (from, to) = (router.Side, $"{(forward ? "target" : "source")} {turn}");
            router.Name(to);
            string[] verb = forward ? ["cutover", "start", "--yes"] : ["rollback", "--yes"];

            // Two operators at once in the first turns: one wins.
            var operators = await Task.WhenAll(Enumerable.Range(0, turn <= 2 ? 2 : 1).Select(_ => RunAsync(service, verb)));
            var result = operators.MinBy(one => one.ExitCode)!;
            Assert.True(result.ExitCode == 0, $"turn {turn}: {result.Output}{result.Error}\n{service.Log}");
            Assert.All(operators.Except([result]), other => Assert.Equal(6, other.ExitCode));
            await stack.WaitAsync($"writes on the {to}", () => Task.FromResult(workload.Ledger.AcknowledgedBy(to) > 50), token);
            outages.Add(workload.Ledger.Outage(from, to)!.Value.TotalMilliseconds);

            // All writers rest, each of their transactions decided: what was acknowledged must be on the side that is open.
            await workload.PauseAsync(token);
            var verdict = await workload.CheckAsync(forward ? stack.TargetConnection : stack.SourceConnection, token);
            Assert.True(verdict.Kept, $"turn {turn}: {verdict}");
            workload.Resume();
            output.WriteLine($"turn {turn}: {outages[^1]:0} ms; {JsonDocument.Parse(result.Output).RootElement.GetProperty("writeOutageMs").GetDouble():0} ms by the service; {verdict.ReceiptsExpected} receipts");
        }

        outages.Sort();
        output.WriteLine($"{outages.Count} turns, {workload.Ledger.Acknowledged} acknowledged, {workload.Denied} denied; write outage p50 {outages[outages.Count / 2]:0} ms, p99 {outages[(int)Math.Ceiling(outages.Count * 0.99) - 1]:0} ms, most {outages[^1]:0} ms");
    }

    private static Task<ProcessResult> RunAsync(ServiceProcess service, params string[] verb) => Cdcm.RunAsync([.. verb, "--server", service.Address.ToString(), "-o", "json"]);
}
