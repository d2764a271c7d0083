using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>A migration with the embedded log: its process dies at the boundaries of a cutover's steps and in mid-turn of the log, both ways, and the next one ends what it began.</summary>
public sealed class EmbeddedCutoverKillTests(PostgresFixture postgres, ITestOutputHelper output) : IDisposable
{
    private const string Migration = "embedded_kills";
    private static readonly string[] Points = ["Fence.begin", "Drain.begin", "Prove.begin", "Seal.begin", "Open.begin", "Route.begin", "Route.end"];
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cdcm-embedded-kills");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task Wherever_its_process_dies_one_side_takes_writes_and_has_every_acknowledged_one()
    {
        var token = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(ShopSchema.Sql);
        await using var target = await postgres.CreateTargetAsync(ShopSchema.Sql);
        await ShopSchema.LoadAsync(source.ConnectionString, 500, token);
        await using var workload = ShopWorkload.Start(new WriteSide("source", source.ConnectionString), new ShopWorkloadOptions { Rate = 40, Writers = 6, AdoptedCustomers = 30 });
        var service = Start(source, target);
        var last = "";
        try
        {
            await UntilAsync("the sides to be prepared", async () => (await RunAsync(service, "cutover", "prepare")).ExitCode == 0);
            await UntilAsync("both sides to be equal", async () => (await RunAsync(service, "verify", "start", "--wait", "--timeout", "4m")).ExitCode == 0);
            foreach (var point in Points)
            {
                var forward = await IsOpenAsync(source);
                Assert.NotEqual(forward, await IsOpenAsync(target));
                await File.WriteAllTextAsync(Path.Combine(folder.FullName, point), "kill", token);
                var attempt = Task.FromResult<ProcessResult>(null!);
                await UntilAsync($"the process to die at {point}", async () =>
                {
                    // Refused, or undone because the machine is slow: made again, as by a person.
                    if (attempt.IsCompleted && !service.Run.HasExited)
                    {
                        last = (await attempt) is { } refused ? refused.Output + refused.Error : "";
                        if (last.Contains("gate-closed", StringComparison.Ordinal))
                        {
                            // Each life of the embedded log has offsets of its own: what was compared is compared anew.
                            await Cdcm.RunAsync("verify", "start", "--wait", "--timeout", "2m", "--server", service.Address + (forward ? "" : "/back"));
                        }

                        attempt = RunAsync(service, [.. forward ? new[] { "cutover", "start" } : ["rollback"], "--yes", "--timeout", "5s"]);
                    }

                    return service.Run.HasExited;
                });
                await attempt;
                await service.Run.DisposeAsync();
                service = Start(source, target);

                var done = false;
                await UntilAsync("one side to take writes", async () => (done = await IsOpenAsync(forward ? target : source)) != await IsOpenAsync(forward ? source : target));
                if (done)
                {
                    workload.SwitchTo(new WriteSide($"{(forward ? "target" : "source")} {point}", (forward ? target : source).ConnectionString));
                }

                await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 20, token);
                await workload.PauseAsync(token);
                if (point is "Open.begin" or "Route.begin" or "Route.end")
                {
                    // Nobody reported the end, and what it was done on is known all the same.
                    var evidence = "";
                    await UntilAsync("the evidence", async () => await RunAsync(service, "cutover", "evidence") is { ExitCode: 0 } told && (evidence = told.Output).Length > 0);
                    var report = JsonDocument.Parse(evidence).RootElement.GetProperty("report");
                    Assert.Equal(("Sealed", forward ? "Forward" : "Back"), (report.GetProperty("phase").GetString(), report.GetProperty("attempt").GetProperty("direction").GetString()));
                    Assert.Equal(ShopSchema.Tables.Count, report.GetProperty("proof").GetProperty("tables").GetArrayLength());
                }

                var verdict = await workload.CheckAsync((done == forward ? target : source).ConnectionString, token);
                Assert.True(verdict.Kept, $"{point}: {verdict}");
                workload.Resume();
                output.WriteLine($"killed at {point,-12} {(forward ? "forward" : "back"),-8} {(done ? "done" : "undone")}; {verdict.ReceiptsExpected} receipts kept");
            }

            // The side that was left follows: nothing the last one wrote is missing there.
            await workload.StopAsync(token);
            var open = await IsOpenAsync(source);
            await UntilAsync("the other side to have everything", async () => (await workload.CheckAsync((open ? target : source).ConnectionString, token)).Kept);
        }
        finally
        {
            await service.Run.DisposeAsync();
        }

        async Task UntilAsync(string what, Func<Task<bool>> condition)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
            limit.CancelAfter(TimeSpan.FromMinutes(5));
            while (!await condition())
            {
                Assert.False(limit.IsCancellationRequested, $"waited in vain for {what}\n{last}\n{string.Join('\n', service.Run.Error.Split('\n').TakeLast(25))}");
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, token);
            }
        }
    }

    private (ProcessRun Run, string Address) Start(TestDatabase source, TestDatabase target)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();
        var file = Path.Combine(folder.FullName, "migration.yaml");
        File.WriteAllText(file, $$"""
            migration: {{Migration}}
            source:  { kind: postgresql, connection: "{{source.ConnectionString}}" }
            target:  { connection: "{{target.ConnectionString}}" }
            log: embedded
            tables:  [ {{string.Join(", ", ShopSchema.Tables.Select(table => $"{{ source: {table} }}"))}} ]
            cutover: { lease: 10s, budget: 5m, maxLag: 5m, deadlines: { fencing: 1m, draining: 1m, finalVerify: 1m, reverseArmed: 1m } }
            service: { url: "{{address}}" }
            """);
        return (ProcessRun.Start("env", [$"CDCM_FAILPOINTS={folder.FullName}", "dotnet", Cdcm.Assembly, "run", "-f", file]), address);
    }

    private static Task<ProcessResult> RunAsync((ProcessRun Run, string Address) service, params string[] verb) => Cdcm.RunAsync([.. verb, "--server", service.Address, "-o", "json"]);

    private static async Task<bool> IsOpenAsync(TestDatabase side) =>
        await side.ScalarAsync<bool>($"select exists (select from cdc_migrator.fence_state where migration = '{Migration}' and state = 'open')");
}
