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
        await stack.WaitAsync("a comparison without rows on their way", () => IsEqualAsync(service), token);

        var outages = new List<double>();
        var tries = 0;
        for (var turn = 1; turn <= 2 * cycles; turn++)
        {
            var forward = turn % 2 == 1;
            var (from, to) = (router.Side, $"{(forward ? "target" : "source")} {turn}");
            router.Name(to);
            string[] verb = forward ? ["cutover", "start", "--yes"] : ["rollback", "--yes"];
            ProcessResult? result = null;
            await stack.WaitAsync($"turn {turn} to be done", async () =>
            {
                if (!await service.IsGateOpenAsync(forward))
                {
                    return false;
                }

                // Two operators at once in the first turns: one wins at most. An attempt that is refused, or undone because the machine is slow, is made again, as by a person.
                var operators = await Task.WhenAll(Enumerable.Range(0, turn <= 2 ? 2 : 1).Select(_ => RunAsync(service, verb)));
                Assert.InRange(operators.Count(one => one.ExitCode == 0), 0, 1);
                Assert.All(operators, one => Assert.True(one.ExitCode is 0 or 3 or 5 or 6, $"turn {turn}: {one.Output}{one.Error}"));
                Assert.True(operators.Length == 1 || operators.Any(one => one.ExitCode == 6), $"turn {turn}: {operators[^1].Output}");
                result = operators.MinBy(one => one.ExitCode)!;
                tries += result.ExitCode == 0 ? 0 : 1;
                if (result.ExitCode != 0)
                {
                    output.WriteLine($"turn {turn}: exit code {result.ExitCode}: {JsonDocument.Parse(result.Output).RootElement.GetProperty("fault").GetProperty("message").GetString()}");
                }

                return result.ExitCode == 0;
            }, token);
            await stack.WaitAsync($"writes on the {to}", () => Task.FromResult(workload.Ledger.AcknowledgedBy(to) > 50), token);
            outages.Add(workload.Ledger.Outage(from, to)!.Value.TotalMilliseconds);

            // All writers rest, each of their transactions decided: what was acknowledged must be on the side that is open.
            await workload.PauseAsync(token);
            var verdict = await workload.CheckAsync(forward ? stack.TargetConnection : stack.SourceConnection, token);
            Assert.True(verdict.Kept, $"turn {turn}: {verdict}");
            workload.Resume();
            var steps = string.Join(", ", JsonDocument.Parse(result!.Output).RootElement.GetProperty("steps").EnumerateArray().Select(step => $"{step.GetProperty("name").GetString()} {step.GetProperty("ms").GetDouble():0}"));
            output.WriteLine($"turn {turn}: {outages[^1]:0} ms ({steps}); {verdict.ReceiptsExpected} receipts");
        }

        outages.Sort();
        output.WriteLine($"{outages.Count} turns, {tries} attempts refused or undone, {workload.Ledger.Acknowledged} acknowledged, {workload.Denied} denied; write outage p50 {outages[outages.Count / 2]:0} ms, p99 {outages[(int)Math.Ceiling(outages.Count * 0.99) - 1]:0} ms, most {outages[^1]:0} ms");
    }

    /// <summary>Rows that are written all the time may be on their way at the end of a comparison, on a slow machine: then it is made again.</summary>
    internal static async Task<bool> IsEqualAsync(ServiceProcess service)
    {
        var compared = await RunAsync(service, "verify", "start", "--wait", "--timeout", "4m");
        Assert.True(compared.ExitCode == 0 || (compared.ExitCode == 3 && compared.Output.Contains("\"InFlight\"", StringComparison.Ordinal) && !compared.Output.Contains("\"Mismatch\"", StringComparison.Ordinal)), compared.Error + compared.Output);
        return compared.ExitCode == 0;
    }

    private static Task<ProcessResult> RunAsync(ServiceProcess service, params string[] verb) => Cdcm.RunAsync([.. verb, "--server", service.Address.ToString(), "-o", "json"]);
}
