using System.Globalization;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using Npgsql;

namespace CdcMigrator.Cli.Demo;

/// <summary>
/// One demo: load, stream under load, compare at rest, cut over under load, prove, go back under load, prove. The switches are the service's own, asked for over HTTP as
/// <c>cdcm cutover start</c> and <c>cdcm rollback</c> do; the writers are applications that follow whichever side takes writes.
/// </summary>
internal sealed class DemoRun(DemoOptions options, DemoFolder folder, DemoServers servers, DemoDisplay display)
{
    private const string Migration = "shop";
    private const string Before = "source";
    private const string After = "target";
    private const string Again = "source again";
    private static readonly TimeSpan CatchUpLimit = TimeSpan.FromMinutes(10);
    private readonly FencedSide target = new(servers.Target, Migration, ShopSchema.Tables, "cdcm demo", TimeProvider.System);
    private readonly List<DemoMismatch> mismatches = [];
    private IReadOnlyList<TableRoute> routes = [];
    private readonly DemoAttempts attempts = new(Migration, options, folder, display);
    private CutoverStatus? cutover;
    private CutoverStatus? rollback;
    private LedgerVerdict? verdict;
    private long rowsLoaded;
    private long rowsCompared;

    /// <summary>Runs it all. The service is left to the caller to dispose, through <paramref name="started"/>.</summary>
    public async Task<DemoReport> RunAsync(Action<DemoService> started, CancellationToken cancellationToken)
    {
        await display.StepAsync("load", () => LoadAsync(cancellationToken));
        var url = DemoService.FreeAddress();
        await WriteMigrationFileAsync(url, cancellationToken);
        var service = DemoService.Start(folder, url);
        started(service);
        display.Say($"service: {url} (pid {await PidAsync(service, cancellationToken)}), folder: {folder.Path}");
        await using var workload = ShopWorkload.Start(new WriteSide(Before, servers.SourceConnection), new ShopWorkloadOptions { Rate = options.Rate });
        await display.StepAsync("snapshot", () => CatchUpAsync(service, workload, cancellationToken));
        await display.StepAsync("stream", () => StreamAsync(service, workload, cancellationToken));
        await display.StepAsync("settle", () => SettleAsync(service, workload, cancellationToken));
        await display.StepAsync("compare", () => CompareAsync(cancellationToken));
        workload.Resume();
        await using (var router = new DemoRouter(Migration, servers, workload))
        {
            await SwitchAsync(service, workload, router, cancellationToken);
        }

        return Report(service, workload);
    }

    private static async Task<int?> PidAsync(DemoService service, CancellationToken cancellationToken)
    {
        for (var wait = 0; service.ProcessId is null && wait < 100; wait++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        return service.ProcessId;
    }

    private async Task<string> LoadAsync(CancellationToken cancellationToken)
    {
        await ShopSchema.LoadAsync(servers.SourceConnection, options.Rows, cancellationToken);
        rowsLoaded = await CountAsync(servers.Source, cancellationToken);
        await ControlSchema.MigrateAsync(servers.Source, cancellationToken);
        await ControlSchema.MigrateAsync(servers.Target, cancellationToken);

        // Until it is opened the target takes writes from the applier only.
        await target.PrepareSealedAsync(cancellationToken);
        routes = [.. (await TargetCatalog.LoadAsync(
            servers.Target, [.. ShopSchema.Tables.Select(table => new TableMapping { Source = table, Target = table })], cancellationToken)).All];
        return $"{rowsLoaded:N0} rows into PostgreSQL {servers.SourceServer.Major}; PostgreSQL {servers.TargetServer.Major} is empty and closed to all but the applier";
    }

    private Task WriteMigrationFileAsync(Uri url, CancellationToken cancellationToken) => File.WriteAllTextAsync(folder.MigrationFile, $$"""
        migration: {{Migration}}
        source:  { kind: postgresql, connection: "{{servers.SourceConnection}}" }
        target:  { connection: "{{servers.TargetConnection}}" }
        log: embedded
        tables:  [ {{string.Join(", ", ShopSchema.Tables.Select(table => $"{{ source: {table} }}"))}} ]
        cutover: { budget: 30s } # on any machine: what is predicted is shown, not held against it
        service: { url: "{{url.GetLeftPart(UriPartial.Authority)}}" }

        """, cancellationToken);

    private async Task<string> CatchUpAsync(DemoService service, ShopWorkload workload, CancellationToken cancellationToken)
    {
        await workload.WaitForAcknowledgedAsync(1, cancellationToken);
        var marker = await FenceTable.WriteMarkerAsync(servers.Source, cancellationToken);
        await DrainAsync(service, workload, marker, CatchUpLimit, cancellationToken);
        return $"all {rowsLoaded:N0} rows are in the target, while the shop wrote {workload.Ledger.Acknowledged:N0} transactions";
    }

    private async Task<string> StreamAsync(DemoService service, ShopWorkload workload, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var before = (service.Applied, workload.Ledger.Acknowledged);
        for (var slice = 0; slice <= options.Kills; slice++)
        {
            var until = options.Streaming * (slice + 1) / (options.Kills + 1);
            while (TimeProvider.System.GetElapsedTime(began) < until)
            {
                service.ThrowIfHopeless();
                Show(service, workload, "streaming");
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }

            if (slice < options.Kills)
            {
                service.Kill();
                display.Say($"killed the service (kill -9), {slice + 1} of {options.Kills}");
            }
        }

        return $"{service.Applied - before.Applied:N0} changes applied, {workload.Ledger.Acknowledged - before.Acknowledged:N0} transactions acknowledged";
    }

    private async Task<string> SettleAsync(DemoService service, ShopWorkload workload, CancellationToken cancellationToken)
    {
        await workload.PauseAsync(cancellationToken);
        var marker = await FenceTable.WriteMarkerAsync(servers.Source, cancellationToken);
        await DrainAsync(service, workload, marker, CatchUpLimit, cancellationToken);
        return "the writers rest, and all they wrote is in the target";
    }

    private async Task SwitchAsync(DemoService service, ShopWorkload workload, DemoRouter router, CancellationToken cancellationToken)
    {
        await display.StepAsync("prepare", async () =>
        {
            await service.PostAsync<CutoverStatus>("/api/cutover/prepare", new { }, cancellationToken);
            return "both fences and the way back: the writers notice nothing";
        });
        await display.StepAsync("verify", () => attempts.OpenGateAsync(service, "", cancellationToken));
        await TamperAsync(service, workload, cancellationToken);
        router.Next = After;
        cutover = await attempts.RunAsync(service, MigrationDirection.Forward, cancellationToken);
        workload.Resume();
        if (cutover.Phase != CutoverPhase.Done)
        {
            display.Say(cutover.Phase == CutoverPhase.Rehearsed ? "rehearsal: the fence is lifted, the source goes on" : $"not switched: {cutover.Fault?.Message}; the source goes on");
            await display.StepAsync("prove", () => ProveAsync(service, workload, Before, cancellationToken));
            return;
        }

        await WaitForWritersAsync(service, workload, After, cancellationToken);
        await display.StepAsync("prove", () => ProveAsync(service, workload, After, cancellationToken));
        await display.StepAsync("verify", () => attempts.OpenGateAsync(service, "/back", cancellationToken));
        router.Next = Again;
        rollback = await attempts.RunAsync(service, MigrationDirection.Back, cancellationToken);
        if (rollback.Phase != CutoverPhase.Done)
        {
            display.Say($"not gone back: {rollback.Fault?.Message}; the target goes on");
            return;
        }

        await WaitForWritersAsync(service, workload, Again, cancellationToken);
        await display.StepAsync("prove", () => ProveAsync(service, workload, Again, cancellationToken));
    }

    private async Task WaitForWritersAsync(DemoService service, ShopWorkload workload, string side, CancellationToken cancellationToken)
    {
        var wanted = Math.Max(100, (long)(options.Rate * 2));
        while (workload.Ledger.AcknowledgedBy(side) < wanted)
        {
            Show(service, workload, $"writing to the {side}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Every acknowledged write must be on the side that has the shop; after a rehearsal also on the target.</summary>
    private async Task<string> ProveAsync(DemoService service, ShopWorkload workload, string side, CancellationToken cancellationToken)
    {
        await workload.PauseAsync(cancellationToken);
        if (side == Before && mismatches.Count == 0)
        {
            var marker = await FenceTable.WriteMarkerAsync(servers.Source, cancellationToken);
            await DrainAsync(service, workload, marker, CatchUpLimit, cancellationToken);
        }

        var onTarget = side == After || (side == Before && mismatches.Count == 0);
        var now = await workload.CheckAsync(onTarget ? servers.TargetConnection : servers.SourceConnection, cancellationToken);
        verdict = verdict is { Kept: false } ? verdict : now;
        workload.Resume();
        return now.Kept
            ? $"all {now.ReceiptsExpected:N0} committed transactions are on the {(onTarget ? After : Before)}, {now.RowsExpected:N0} rows are as their writers left them"
            : now.ToString();
    }

    private async Task<int> DrainAsync(DemoService service, ShopWorkload workload, FenceMarker marker, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var shown = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var showing = ShowUntilAsync(service, workload, shown.Token);
        try
        {
            var proof = await service.DrainAsync(marker, limit, cancellationToken);
            return proof?.Lanes.Count ?? throw new FaultException(FaultKind.TimedOut, "demo-drain",
                $"The target did not catch up within {limit.TotalSeconds:0} s: {service.Trouble}", $"See {folder.ServiceLog}; the source was left open");
        }
        finally
        {
            await shown.CancelAsync();
            await showing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ShowUntilAsync(DemoService service, ShopWorkload workload, CancellationToken cancellationToken)
    {
        while (true)
        {
            Show(service, workload, "catching up");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }
    }

    private void Show(DemoService service, ShopWorkload workload, string what) => display.Now(
        $"{what}: {service.Applied:N0} applied, {(service.Latest is { } status ? $"{status.Lag.Records:N0} records behind" : "service is down")}, "
        + $"{workload.Ledger.Acknowledged:N0} writes acknowledged, {service.Restarts} restarts");

    private async Task<string> CompareAsync(CancellationToken cancellationToken)
    {
        var comparison = new TableComparison(servers.Source, servers.Target);
        rowsCompared = 0;
        var found = 0;
        foreach (var route in routes)
        {
            var result = await comparison.CompareAsync(route, maxDifferences: 100, cancellationToken);
            rowsCompared += result.RowsSource;
            found += result.Differences.Count;
            mismatches.AddRange(result.Differences.Select(row => new DemoMismatch(route.Source.ToString(), row.Key, row.Kind, row.Columns)));
        }

        return $"{rowsCompared:N0} rows of {routes.Count} tables, {(found == 0 ? "all equal" : $"{found} DIFFER")}";
    }

    /// <summary>The writers rest from then on: a change of theirs to the same product would mend it.</summary>
    private async Task TamperAsync(DemoService service, ShopWorkload workload, CancellationToken cancellationToken)
    {
        if (!options.Tamper)
        {
            return;
        }

        await using (var command = servers.Target.CreateCommand(
            "set session_replication_role = replica; update public.products set name = name || '!' where id = 7; reset session_replication_role;"))
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        display.Say("tampered with one product in the target");
        await display.StepAsync("compare", async () =>
        {
            await workload.PauseAsync(cancellationToken);
            await DrainAsync(service, workload, await FenceTable.WriteMarkerAsync(servers.Source, cancellationToken), CatchUpLimit, cancellationToken);
            var found = await CompareAsync(cancellationToken);
            var run = await service.PostAsync<VerifyReport>("/api/verify", new VerifyRequest(null, true), cancellationToken);
            while (await service.GetAsync<VerifyReport>($"/api/verify/{run.RunId}", cancellationToken) is not { State: not "running" })
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }

            return found;
        });
    }

    private static async Task<long> CountAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var sql = string.Join(" + ", ShopSchema.Tables.Select(table => $"(select count(*) from {table.Sql})"));
        await using var command = database.CreateCommand($"select {sql}");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private DemoReport Report(DemoService service, ShopWorkload workload)
    {
        var switched = cutover?.Phase == CutoverPhase.Done;
        var wanted = options.Keep ? cutover?.Phase == CutoverPhase.Rehearsed : switched && rollback?.Phase == CutoverPhase.Done;
        var clean = workload.Failures.Keys.All(state => !state.StartsWith("23", StringComparison.Ordinal));
        return new DemoReport
        {
            Ok = mismatches.Count == 0 && verdict!.Kept && clean && wanted,
            SourceVersion = servers.SourceServer.Major,
            TargetVersion = servers.TargetServer.Major,
            RowsLoaded = rowsLoaded,
            RowsApplied = service.Applied,
            RowsCompared = rowsCompared,
            Mismatches = mismatches.Count,
            MismatchedRows = [.. mismatches.Take(20)],
            AcknowledgedWrites = workload.Ledger.Acknowledged,
            LostWrites = verdict!.LostReceipts.Count,
            GhostWrites = verdict.GhostReceipts.Count,
            WrongRows = verdict.WrongRows.Count,
            OwnedRows = verdict.RowsExpected,
            InDoubtWrites = workload.Ledger.FoundCommitted,
            DeniedWrites = workload.Denied,
            FailedWrites = workload.Failures,
            WriteOutageMs = Milliseconds(workload.Ledger.Outage(Before, After)),
            LongestWriterOutageMs = Milliseconds(workload.Ledger.LongestOutage(Before, After)),
            RollbackOutageMs = Milliseconds(workload.Ledger.Outage(After, Again)),
            ServiceRestarts = service.Restarts,
            Switched = switched,
            RolledBack = rollback?.Phase == CutoverPhase.Done,
            SequencesAdvanced = cutover?.Sequences ?? [],
            Steps = display.Steps,
            Running = options.Keep ? Leftovers(service) : null,
        };
    }

    private DemoLeftovers Leftovers(DemoService service) => new(
        folder.Path,
        service.Url.ToString(),
        service.ProcessId,
        string.Join(' ', DemoService.Command("run", "-f", folder.MigrationFile)),
        Address(servers.SourceServer.Port),
        Address(servers.TargetServer.Port),
        string.Join(' ', DemoService.Command("demo", "stop", "--folder", folder.Path)));

    private static string Address(int port) => string.Create(CultureInfo.InvariantCulture, $"postgresql://postgres@127.0.0.1:{port}/shop");

    private static double? Milliseconds(TimeSpan? time) => time is null ? null : Math.Round(time.Value.TotalMilliseconds, 1);
}
