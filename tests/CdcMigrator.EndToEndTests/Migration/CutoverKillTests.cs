using CdcMigrator.Cutover.Switching;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>Everything that can die is killed at every boundary of a cutover's steps, in both directions, and nobody helps.</summary>
[Collection(typeof(KilledKit))]
public sealed class CutoverKillTests(KitFixture kit, ITestOutputHelper output)
{
    private static readonly string[] Points = [.. Enum.GetValues<CutoverStep>().SelectMany(step => new[] { $"{step}.begin", $"{step}.end" })];
    private static readonly string[] Victims = ["service", "source", "target", "broker", "connect"];

    /// <summary>
    /// By default the service and both databases die at every boundary, broker and Connect at every other one, in the two directions by turns; with <c>CDCM_ALL_KILLS=1</c> each at every boundary (<c>Seal,Open</c>: at those)
    /// in both. The end of a step is the begin of the next: only the last one's end is taken too. A slow machine gets a minute for each step; <c>CDCM_KILLS_CUTOVER</c> is another
    /// section <c>cutover</c>, as with the deadlines there are by default: <c>{ budget: 5m, maxLag: 5m }</c>.
    /// </summary>
    [Fact]
    public async Task Whatever_dies_at_whichever_step_one_side_takes_writes_and_has_every_acknowledged_one()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await Shop.StartAsync(kit, "kills");
        stack.Cutover = Environment.GetEnvironmentVariable("CDCM_KILLS_CUTOVER")
            ?? "{ lease: 10s, budget: 5m, maxLag: 5m, deadlines: { fencing: 1m, draining: 1m, finalVerify: 1m, reverseArmed: 1m } }";
        var points = stack.FailPoints = Directory.CreateTempSubdirectory("cdcm-points-").FullName;
        await stack.RegisterAsync(MigrationFormat.Json);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = 100, Writers = 16, AdoptedCustomers = 50 });
        await using var router = new Router(stack, workload);
        Assert.Equal(0, (await RunAsync(service, "cutover", "prepare")).ExitCode);
        await stack.WaitAsync("a comparison without rows on their way", () => CutoverTests.IsEqualAsync(service), token);

        var all = Environment.GetEnvironmentVariable("CDCM_ALL_KILLS") ?? "";
        var both = all.Length > 0;
        var blows = Points.Where(point => point.EndsWith(".begin", StringComparison.Ordinal) || point == "Route.end")
            .Where(point => all is "" or "1" || all.Split(',').Contains(point.Split('.')[0]))
            .SelectMany((point, place) => Victims.Where((_, index) => both || index < 3 || place % 2 == 1).Select(victim => (Point: point, Victim: victim)))
            .SelectMany((blow, index) => both ? [(blow.Point, blow.Victim, Forward: true), (blow.Point, blow.Victim, Forward: false)] : new[] { (blow.Point, blow.Victim, Forward: index % 2 == 0) }).ToList();
        var (done, undone) = (0, 0);
        var silences = new Dictionary<string, TimeSpan[]>();
        for (var turn = 0; turn < blows.Count; turn++)
        {
            var (point, victim, forward) = blows[turn];
            if ((await SettledAsync()).Source != forward)
            {
                await TurnAsync(turn, !forward);
            }

            router.Name($"{(forward ? "target" : "source")} {turn}");
            await File.WriteAllTextAsync(Path.Combine(points, point), victim == "service" ? "kill" : "wait", token);
            var attempt = Task.FromResult<ProcessResult>(null!);
            await stack.WaitAsync($"an attempt to come to {point} where the {victim} dies", async () =>
            {
                // Refused, or undone because the machine is slow: made again, as by a person.
                if (attempt.IsCompleted && !service.HasExited && await service.IsGateOpenAsync(forward))
                {
                    attempt = RunAsync(service, [.. forward ? new[] { "cutover", "start" } : ["rollback"], "--yes", "--timeout", "5s"]);
                }

                return service.HasExited || File.Exists(Path.Combine(points, $"{point}.reached"));
            }, token);
            await using var silence = new WriteSilence(workload);
            service = await KillAsync(stack, service, victim, () => File.Delete(Path.Combine(points, $"{point}.reached")), token);
            await attempt;

            // Nobody helps: the lease, or whoever lives, ends it.
            var settled = await SettledAsync();
            var writes = workload.Ledger.Acknowledged;
            await workload.WaitForAcknowledgedAsync(writes + 20, token);
            var waited = silences[victim] = [.. silences.GetValueOrDefault(victim, []), silence.Longest];
            await workload.PauseAsync(token);
            var verdict = await workload.CheckAsync(settled.Source ? stack.SourceConnection : stack.TargetConnection, token);
            Assert.True(verdict.Kept, $"{victim} at {point}: {verdict}");
            workload.Resume();
            (done, undone) = settled.Source == forward ? (done, undone + 1) : (done + 1, undone);
            Tell($"{victim,-8} killed at {point,-12} {(forward ? "forward" : "back"),-8} {(settled.Source == forward ? "undone" : "done")}, no write for {waited[^1].TotalSeconds:0.0} s; {verdict.ReceiptsExpected} receipts kept");
        }

        Directory.Delete(points, recursive: true);
        output.WriteLine($"{blows.Count} kills: {done} attempts went through, {undone} were undone; {workload.Ledger.Acknowledged} acknowledged, all kept; no write for at most {string.Join(", ", silences.Select(pair => $"{pair.Value.Max().TotalSeconds:0.0} s ({pair.Key})"))}");

        // A long run is told as it goes, for whoever cannot wait for its end.
        void Tell(string line)
        {
            output.WriteLine(line);
            if (Environment.GetEnvironmentVariable("CDCM_KILLS_LOG") is { Length: > 0 } log)
            {
                File.AppendAllText(log, $"{line}\n");
            }
        }

        // Nothing dies: the attempt before was undone, and the next blow is for the other direction.
        async Task TurnAsync(int turn, bool forward)
        {
            router.Name($"{(forward ? "target" : "source")} before {turn}");
            await stack.WaitAsync($"a turn {(forward ? "forward" : "back")}", async () =>
                await service.IsGateOpenAsync(forward) && (await RunAsync(service, forward ? ["cutover", "start", "--yes"] : ["rollback", "--yes"])).ExitCode == 0, token);
            await SettledAsync();
        }

        async Task<(bool Source, bool Target)> SettledAsync()
        {
            (bool Source, bool Target) open = default;
            await stack.WaitAsync("one side to take writes", async () =>
            {
                // Both are not read at one moment, and a switch may lie between: twice in a row it does not.
                open = await router.OpenAsync();
                Assert.False(open is (true, true) && await router.OpenAsync() is (true, true), "both sides take writes");
                return open.Source != open.Target;
            }, token);
            return open;
        }
    }

    private async Task<ServiceProcess> KillAsync(MigrationStack stack, ServiceProcess service, string victim, Action letGo, CancellationToken token)
    {
        switch (victim)
        {
            case "service":
                await stack.WaitAsync("the service to die", () => Task.FromResult(service.HasExited), token);
                return stack.StartService();
            case "source" or "target":
                var server = victim == "source" ? stack.SourceServer : stack.TargetServer;
                await server.KillAsync(token);
                letGo();
                await server.StartAsync(token);
                return service;
            default:
                await kit.KillAsync(victim);
                letGo();
                await kit.UpAsync(victim);
                return service;
        }
    }

    private static Task<ProcessResult> RunAsync(ServiceProcess service, params string[] verb) => Cdcm.RunAsync([.. verb, "--server", service.Address.ToString(), "-o", "json"]);
}
