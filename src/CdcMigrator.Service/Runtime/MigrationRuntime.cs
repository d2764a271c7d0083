using CdcMigrator.Connect;
using CdcMigrator.Connect.Registry;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.DeadLetters;
using CdcMigrator.Postgres.Repair;
using CdcMigrator.Postgres.Resync;
using CdcMigrator.Service.Pausing;
using CdcMigrator.Service.Repairing;
using CdcMigrator.Service.Resyncing;
using CdcMigrator.Service.Sources;
using CdcMigrator.Service.Switching;
using CdcMigrator.Service.Watching;
using CdcMigrator.Streaming;
using CdcMigrator.Streaming.Inspection;
using Npgsql;
using Prometheus;

namespace CdcMigrator.Service.Runtime;

/// <summary>
/// A migration in this process, composed: connector settings, control schema, routes, the log, the pipeline. What is not there yet
/// (a database that is down, a target table that is missing) is waited for and shown; it never ends the process.
/// </summary>
public sealed class MigrationRuntime : IAsyncDisposable
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);
    private readonly MigrationDefinition definition;
    private readonly TimeProvider time;
    private readonly ILoggerFactory loggers;
    private readonly ILogger log;
    private readonly ServiceMetrics metrics;
    private readonly StreamingMetrics streamingMetrics;
    private readonly PostgresMetrics postgresMetrics;
    private readonly NpgsqlDataSource apply;
    private readonly NpgsqlDataSource control;
    private readonly IMigrationSource source;
    private readonly ConnectClient? connect;
    private readonly ConnectorRestarts? restarts;
    private readonly PostgresLaneStore store;
    private readonly RouteKeeper routes;
    private readonly PulseStore pulses;
    private readonly FenceWatch fence;
    private readonly StartSteps steps;
    private volatile ApplyPipeline? pipeline;
    private volatile EmbeddedLog? embedded;
    private volatile SourceWatch? watch;
    private volatile TableResyncs? resyncs;
    private RuntimePhase phase = RuntimePhase.Starting;
    private bool began;
    private volatile bool completed;
    private LogInspector? inspector;
    private IReadOnlyDictionary<string, string>? connectorSettings;
    private IReadOnlyCollection<string> topics = [];

    /// <summary>Composes the migration; nothing connects before <see cref="RunAsync"/>.</summary>
    /// <param name="definition">The migration file.</param>
    /// <param name="registry">Where metrics go; the owner has given it the label <c>migration</c>.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="loggers">Where to log.</param>
    public MigrationRuntime(MigrationDefinition definition, CollectorRegistry registry, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(definition);
        this.definition = definition;
        this.time = time;
        this.loggers = loggers;
        log = loggers.CreateLogger<MigrationRuntime>();
        var factory = Metrics.WithCustomRegistry(registry);
        metrics = new ServiceMetrics(factory);
        streamingMetrics = new StreamingMetrics(factory);
        postgresMetrics = new PostgresMetrics(factory);
        apply = PostgresConnections.CreateApply(definition.Target.Connection);
        control = PostgresConnections.CreateControl(definition.Target.Connection);
        connect = definition.Connect is { } section ? new ConnectClient(section.Url) : null;
        restarts = connect is not null && definition.Log.Kind == LogKind.Kafka ? new ConnectorRestarts(definition.Connect!, connect, metrics, time, log) : null;
        source = MigrationSources.Create(definition, connect, time);
        pulses = new PulseStore(control, definition.Name);
        fence = new FenceWatch(new MarkerStore(control, definition.Name), pulses);
        routes = new RouteKeeper(control, definition.Tables, log);
        store = new PostgresLaneStore(apply, definition.Name, definition.Apply,
            source.Rows, postgresMetrics, time, loggers.CreateLogger<PostgresLaneStore>());
        DeadLetters = new DeadLetterHandling(definition.Name, new DeadLetterDesk(store, control), routes, time);
        Verification = new VerificationHandling(definition, control);
        Pauses = new PauseKeeper(new PauseStore(control, definition.Name), () => pipeline);
        Repairs = new TableRepairs(definition, Verification, routes, new RowRepair(store), metrics.Repairs, time);
        steps = new StartSteps(time, log);
        metrics.SetPhase(phase);
    }

    /// <summary>Metrics of closed sides.</summary>
    internal WindowMetrics Window => metrics.Window;

    /// <summary>Records that were put aside.</summary>
    internal DeadLetterHandling DeadLetters { get; }

    /// <summary>Whether anything is applied for now.</summary>
    internal PauseKeeper Pauses { get; }

    /// <summary>The repairing of rows that were found wrong.</summary>
    internal TableRepairs Repairs { get; }

    /// <summary>The comparing of both sides.</summary>
    internal VerificationHandling Verification { get; }

    /// <summary>What it moves, and which way.</summary>
    internal MigrationDefinition Definition => definition;

    /// <summary>As <see cref="RuntimeStatus.Snapshot"/> has it.</summary>
    private string? SnapshotState =>
        (embedded is { } own ? own.Status.Phase is EmbeddedLogPhase.None or EmbeddedLogPhase.Snapshot : resyncs?.IsInitial) switch { true => "running", false => "done", null => null };

    /// <summary>Slot of the migration's reader, by the rule connector templates and the embedded log share.</summary>
    private string Slot => ConnectorNames.Slot(definition.LogName);

    /// <summary>Starts, runs until cancelled, stops gracefully. Returns normally after a stop that was asked for, or once the migration is over. After a fault it may be run again: it begins where the databases say.</summary>
    /// <exception cref="FaultException">Configuration and other faults that waiting cannot heal.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        began = true;
        SetPhase(RuntimePhase.Starting);
        try
        {
            while (await LiveAsync(stop))
            {
                await EndLifeAsync();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            await StopAsync();
        }
    }

    /// <summary>True where the embedded log was turned by a cutover, and begins again in its new phase.</summary>
    private async Task<bool> LiveAsync(CancellationToken stop)
    {
        try
        {
            await StartAsync(stop);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var beside = Task.WhenAll(
                resyncs!.RunAsync(WatchInterval, time, ending.Token), Verification.RunAsync(ending.Token), new GateWatch(definition, StatusWithFindingsAsync, metrics.Verification, time).RunAsync(ending.Token),
                restarts?.RunAsync(ending.Token) ?? Task.CompletedTask);
            try
            {
                await WatchAsync(stop);
            }
            finally
            {
                await ending.CancelAsync();
                await beside.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
        catch (FaultException exception) when (exception.Fault.Code is EmbeddedLog.Turned or Completion.Completed)
        {
            completed |= exception.Fault.Code == Completion.Completed;
            return !completed;
        }

        return false;
    }

    /// <summary>Whether the migration is over.</summary>
    internal bool IsCompleted => completed;

    /// <summary>The migration is over: whoever runs this cancels it.</summary>
    internal void Complete() => completed = true;

    /// <summary>The process as it is now. Cheap, any thread.</summary>
    public RuntimeStatus Status()
    {
        if (phase == RuntimePhase.Completed)
        {
            return new RuntimeStatus { Phase = phase, Faults = [], Routes = routes.Routes };
        }

        var now = pipeline?.Status();
        var report = watch?.Report ?? SourceReport.Empty;
        var feed = embedded?.Status;
        var faults = new[] { steps.WaitingFor, feed?.Fault, now?.Fault }
            .Concat(report.Faults)
            .Concat(now?.Lanes.Select(lane => report.Mend(lane.Fault)) ?? [])
            .OfType<Fault>()
            .DistinctBy(fault => fault.ToString());
        return report.AddTo(new RuntimeStatus { Phase = phase, Pipeline = now, Faults = [.. faults], Snapshot = SnapshotState, Routes = routes.Routes, Log = feed, Paused = Pauses.Current });
    }

    /// <summary>The process as it is now, with what the target knows of the whole migration: dead letters, copies, comparisons. What it does not say stays null; one that said nothing once is not asked for the rest.</summary>
    internal async Task<RuntimeStatus> StatusWithFindingsAsync(CancellationToken cancellationToken)
    {
        var target = new PatientReads("target", cancellationToken);
        var now = Status() with
        {
            DeadLetters = await target.TryAsync(Patience.Answer, DeadLetters.TryCountAsync),
            Paused = await target.TryAsync(Patience.Answer, Pauses.TryReadAsync) ?? Pauses.Current,
            Side = await target.TryAsync(Patience.Answer, stop => Sides.TryReadAsync(control, definition.Name, time, stop)),
            Copying = resyncs is { } copies ? await target.TryAsync(Patience.Answer, copies.TryReadActiveAsync) : null,
            Elsewhere = await target.TryAsync(Patience.Work, stop => OtherLanes.TryReadAsync(pipeline?.Status(), inspector, topics, store, embedded?.Incarnation, stop)),
        };
        return await target.TryAsync(Patience.Work, stop => Verification.AddToAsync(now, stop)) ?? now;
    }

    /// <summary>Makes halted lanes try again at once, with the target's tables read anew.</summary>
    public async Task RetryLanesAsync(CancellationToken cancellationToken)
    {
        if (pipeline is { } running)
        {
            await routes.LoadAsync(cancellationToken);
            running.Retry();
        }
    }

    /// <summary>Committed progress of all lanes in every process.</summary>
    public Task<IReadOnlyList<LaneProgress>> ReadProgressAsync(CancellationToken cancellationToken) => store.ReadProgressAsync(cancellationToken);

    /// <summary>Proves that everything up to a marker is in the target, or says what is missing.</summary>
    /// <exception cref="FaultException">NotAllowed: not started yet, or nobody can be asked how far the source was read.</exception>
    public async Task<DrainReport> DrainAsync(string markerId, ulong lsn, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var report = await DrainLogAsync(markerId, lsn, timeout, cancellationToken);
        await (report.Drained && resyncs is { } copies ? copies.RequireDoneAsync(cancellationToken) : Task.CompletedTask);
        return report;
    }

    private Task<DrainReport> DrainLogAsync(string markerId, ulong lsn, TimeSpan timeout, CancellationToken cancellationToken) =>
        new DrainProof(Evidence(), time).RunAsync(markerId, lsn, timeout, cancellationToken);

    /// <summary>What the log and the target say of themselves.</summary>
    /// <exception cref="FaultException">NotAllowed: not started yet.</exception>
    internal DrainEvidence Evidence() => new(fence, source, inspector ?? throw NotStarted(), topics, store, DeadLetters, watch, Verification.ReadTablesAsync, embedded?.Incarnation);

    /// <summary>Copies of tables that are running, and the last one of each table; empty before the start.</summary>
    public async Task<IReadOnlyList<ResyncState>> ReadResyncsAsync(CancellationToken cancellationToken) =>
        resyncs is { } copies ? await copies.ReadAsync(cancellationToken) : [];

    /// <summary>Asks for tables to be copied again; returns before they are. All tables together also put a log that lost changes back into use.</summary>
    /// <exception cref="FaultException">NotAllowed, Configuration: this log, or this connector, cannot.</exception>
    public async Task ResyncAsync(IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        var copies = resyncs ?? throw NotStarted();
        await copies.RequestAsync(tables, cancellationToken);
        await watch!.LookAgainAsync(cancellationToken);
        pipeline?.Retry();
    }

    /// <summary>Rows of snapshots applied to a table by this process.</summary>
    public long SnapshotRows(TableName source) => postgresMetrics.SnapshotRows(source);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        connect?.Dispose();
        await store.DisposeAsync();
        await source.DisposeAsync();
        await apply.DisposeAsync();
        await Verification.DisposeAsync();
        await control.DisposeAsync();
    }

    private async Task StartAsync(CancellationToken stop)
    {
        await steps.WaitForAsync(() => ControlSchema.MigrateAsync(control, stop), waitsForTables: false, stop);
        await steps.WaitForAsync(() => Completion.RefuseAsync(control, definition.Name, time, stop), waitsForTables: false, stop);
        await steps.WaitForAsync(async () => fence.Lineage = await LineageStore.RecordAsync(control, definition.Name, await source.ReadIdentityAsync(stop), stop), waitsForTables: false, stop);
        DebeziumSettings settings = null!;
        await steps.WaitForAsync(async () => settings = await ReadSettingsAsync(stop), waitsForTables: false, stop);
        if (source is PostgresSource { Control: var catalog } && definition.Log.Kind == LogKind.Kafka)
        {
            var origin = new OriginCatalog(catalog, type => EventFidelity.Of(type, settings), log);
            routes.Source = (_, cancellationToken) => origin.LoadAsync(definition.Tables, cancellationToken);
        }
        else if (source is MariaDbSource { Origin: var mariaDb })
        {
            routes.Source = mariaDb.LoadAsync;
        }

        await steps.WaitForAsync(() => routes.LoadAsync(stop), waitsForTables: true, stop);
        if (definition.Log.Kind == LogKind.Embedded)
        {
            await steps.WaitForAsync(() => source.PrepareAsync(stop), waitsForTables: false, stop);
            await steps.WaitForAsync(
                async () => embedded = await EmbeddedLog.StartAsync(EmbeddedLogs.Of(definition, store.ReadProgressAsync, time, loggers), stop), waitsForTables: false, stop);
        }

        var options = PipelineOptions.Of(definition, embedded);
        topics = [.. options.Topics, options.FenceTopic!];
        inspector = new LogInspector(options.BootstrapServers, options.Client, options.Incarnation);
        var schemas = new SchemaStore();
        var registry = definition.Log.SchemaRegistry is { } url ? new SchemaRegistryClient(url, schemas.Add) : null;
        Func<IRecordDecoder> decoders = () => new DebeziumDecoder(settings, CurrentRoutes, schemas);
        DeadLetters.Begin(decoders, registry);
        var running = new ApplyPipeline(options, decoders, store, registry, fence.Observe, streamingMetrics, time, loggers);
        var postgres = source as PostgresSource;
        var watches = new RuntimeWatches(definition, embedded?.SlotName ?? Slot, control, postgres?.Control, connect, restarts, pulses, metrics, connectorSettings, time, log);
        watch = watches.Watch(settings, routes, fence, inspector, topics, store, source);
        resyncs = watches.Resyncs(postgres is null ? null : new SurplusRows(apply, definition.Name, postgres.Rows, time), () => routes.Routes, DeadLetters.CountAsync, DrainLogAsync);
        Verification.Begin(watches.Reconciler(Verification, source, options, connectorSettings, inspector, resyncs, Status, loggers));
        await watch.LookAsync(stop);
        await running.StartAsync(stop);
        pipeline = running;
        SetPhase(RuntimePhase.Running);
        RuntimeLog.Started(log, definition.Name, definition.Tables.Count, options.BootstrapServers);
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        while (true)
        {
            var now = pipeline!.Status();
            metrics.SetLanes(now.Lanes);
            metrics.SetPaused(await Pauses.LookAsync(stop));
            await routes.RefreshAsync(now, stop);
            await watch!.LookAsync(stop);
            if (await DeadLetters.TryCountAsync(stop) is { } parked)
            {
                metrics.SetDeadLetters(definition.Tables.Select(table => table.Source.ToString()), parked);
            }

            if (embedded is { Status: { Stopped: true, Fault: { } fault } })
            {
                throw new FaultException(fault);
            }

            await Task.Delay(WatchInterval, time, stop);
        }
    }

    /// <summary>The routes, unless no lane may go on.</summary>
    private RouteTable CurrentRoutes() => watch?.Halt is { } halt ? throw new FaultException(halt) : routes.Current();

    private async Task StopAsync()
    {
        if (phase is RuntimePhase.Stopped or RuntimePhase.Completed)
        {
            return;
        }

        SetPhase(RuntimePhase.Stopping);
        if (began)
        {
            RuntimeLog.Stopping(log);
        }

        await EndLifeAsync();
        SetPhase(completed ? RuntimePhase.Completed : RuntimePhase.Stopped);
        if (began)
        {
            RuntimeLog.Stopped(log);
        }
    }

    private async Task EndLifeAsync()
    {
        await (pipeline?.StopAsync() ?? Task.CompletedTask);
        // After the pipeline: the log confirms what the last batches committed, and its broker must outlive its consumers.
        await (embedded?.DisposeAsync() ?? ValueTask.CompletedTask);
        inspector?.Dispose();
        (pipeline, embedded, inspector) = (null, null, null);
    }

    private async Task<DebeziumSettings> ReadSettingsAsync(CancellationToken stop)
    {
        if (definition.Log.Kind == LogKind.Embedded)
        {
            return DebeziumSettings.ForEmbeddedLog(definition.Log.TopicPrefix);
        }

        connectorSettings = await ConnectorSettingsSource.ReadAsync(definition, connect, stop);
        return DebeziumSettings.FromConnector(connectorSettings);
    }

    private static FaultException NotStarted() => new(FaultKind.NotAllowed, "not-started", "The migration has not started", "See 'cdcm status' for what the start waits for");

    private void SetPhase(RuntimePhase next)
    {
        phase = next;
        metrics.SetPhase(next);
    }
}
