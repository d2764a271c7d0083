using CdcMigrator.Connect.Registry;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.MariaDb.Checking;
using CdcMigrator.MariaDb.Comparing;
using CdcMigrator.Postgres.Checking;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Drift;
using CdcMigrator.Postgres.Resync;
using CdcMigrator.Reconciliation.Passes;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.Service.Resyncing;
using CdcMigrator.Service.Sources;
using CdcMigrator.Service.Verifying;
using CdcMigrator.Service.Watching;
using CdcMigrator.Streaming;
using CdcMigrator.Streaming.Following;
using CdcMigrator.Streaming.Inspection;
using Npgsql;

namespace CdcMigrator.Service.Runtime;

/// <summary>Composes what a runtime watches and copies beside its pipeline, as far as log and source allow it.</summary>
internal sealed class RuntimeWatches(
    MigrationDefinition definition, string slot, NpgsqlDataSource control, NpgsqlDataSource? source, ConnectClient? connect, ConnectorRestarts? restarts, PulseStore pulses, ServiceMetrics metrics,
    IReadOnlyDictionary<string, string>? connector, TimeProvider time, ILogger log)
{
    private readonly bool isKafka = definition.Log.Kind == LogKind.Kafka;
    private readonly SchemaWatch? schemas = source is null ? null : new SchemaWatch(
        source, control, definition.Name, definition.Tables, copiesNewTables: definition.Log.Kind == LogKind.Embedded, namesValues: definition.Log.Kind == LogKind.Embedded,
        definition.Log.Kind == LogKind.Embedded ? slot : PublicationOf(connector, isAsked: definition.Connect is not null));

    /// <summary>The watch of source, connector and log.</summary>
    public SourceWatch Watch(DebeziumSettings settings, RouteKeeper routes, FenceWatch fence, LogInspector inspector, IReadOnlyCollection<string> topics, ILaneStore lanes, IMigrationSource confirms) => new(new SourceWatchParts
    {
        Source = source,
        Slot = slot,
        Connect = connect,
        Section = definition.Connect,
        Settings = connect is null || !isKafka ? null : new SettingsWatch(definition, connect, settings),
        Restarts = restarts,
        Pulses = source is null || !isKafka ? null : new PulseWatch(pulses, source, confirms.IsConfirmedAsync, inspector, topics.Last(), lanes, time),
        Schemas = schemas,
        Routes = routes,
        Fence = fence,
        Log = inspector,
        Topics = topics,
        Metrics = metrics,
    }, time, log);

    /// <summary>The copying of tables.</summary>
    public TableResyncs Resyncs(
        SurplusRows? surplus, Func<RouteTable?> routes, Func<CancellationToken, Task<IReadOnlyDictionary<string, long>>> deadLetters,
        Func<string, ulong, TimeSpan, CancellationToken, Task<DrainReport>> drain) =>
        new(new TableResyncParts
        {
            Definition = definition,
            Store = new ResyncStore(control, definition.Name),
            Pulses = pulses,
            Control = control,
            Source = isKafka ? source : null,
            Schemas = schemas,
            Connect = connect,
            Surplus = surplus,
            Routes = routes,
            DeadLetters = deadLetters,
            Drain = drain,
        }, log);

    /// <summary>The reconciler.</summary>
    public Reconciler Reconciler(
        VerificationHandling verification, IMigrationSource origin, StreamingOptions options, IReadOnlyDictionary<string, string>? connector, LogInspector inspector,
        TableResyncs copies, Func<RuntimeStatus> status, ILoggerFactory loggers)
    {
        var (sides, tables, catalog) = Compared(verification, origin, options);
        var parts = new ReconcilerParts
        {
            Definition = definition,
            Store = verification.Store,
            Checks = verification.Checks,
            SourceSide = catalog,
            TargetSide = new PostgresCheckedSide(verification.Target, readsFurthest: true),
            Constraints = new TargetConstraints(verification.Target),
            Lag = () => (status().Pipeline?.Lanes ?? []).Where(lane => lane.State is LaneState.Running or LaneState.Paused).Select(lane => (TimeSpan?)lane.LagTime).Max(),
            Control = control,
            Sides = sides,
            Tables = tables,
            Source = origin,
            Inspector = inspector,
            TopicOf = table => EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table),
            FenceTopic = options.FenceTopic!,
            Incarnation = options.Incarnation,
            Reading = connector is null ? ReadingSettings.ForEmbeddedLog(definition.Log.TopicPrefix) : ReadingSettings.FromConnector(connector) with { IsMySqlFamily = origin is MariaDbSource },
            Schemas = () =>
            {
                var schemas = new WriterSchemas();
                return (schemas, definition.Log.SchemaRegistry is { } url ? new SchemaRegistryClient(url, schemas.Add) : null);
            },
            Follow = observe => LogFollower.Start(
                new LogFollowerOptions { BootstrapServers = options.BootstrapServers, Client = options.Client, MaxRecordBytes = options.MaxRecordBytes }, observe, loggers),
            Claims = token => ClaimLog.ReadAsync(control, definition.Name, options.Incarnation, token),
            Copying = async token => (await copies.ReadActiveAsync(token)).Select(TableName.Parse).ToHashSet(),
            Snapshot = () => status().Snapshot,
            Paused = () => status().Paused,
            ReaderSince = () => status().ReaderSince,
        };
        var limits = new VerificationLimits { ChunkTime = definition.Verify.ChunkTime, DirtyKeys = definition.Verify.DirtyKeys };
        return new Reconciler(parts, limits, time, log);
    }

    /// <summary>Publication of the connector, by its settings; null where these do not say. The embedded log's is called as its slot.</summary>
    private static string? PublicationOf(IReadOnlyDictionary<string, string>? connector, bool isAsked) =>
        connector?.GetValueOrDefault("publication.name", isAsked ? "dbz_publication" : "") is { Length: > 0 } name ? name : null;

    private (IComparedSides Sides, Func<CancellationToken, Task<IReadOnlyList<ComparedTable>>> Tables, ICheckedSide Catalog) Compared(
        VerificationHandling verification, IMigrationSource origin, StreamingOptions options) => origin switch
        {
            PostgresSource postgres => (
                new PostgresSides(postgres.Verify, verification.Target, definition.Name, () => options.Incarnation),
                token => ComparedTables.ReadAsync(postgres.Verify, verification.Target, definition.Tables, token),
                new PostgresCheckedSide(postgres.Verify, readsFurthest: false)),
            MariaDbSource mariaDb => (
                new MariaDbSides(mariaDb.Database, verification.Target, definition.Name, () => options.Incarnation),
                token => MariaDbComparedTables.ReadAsync(mariaDb.Database, verification.Target, definition.Tables, token),
                new MariaDbCheckedSide(mariaDb.Database)),
            _ => throw new ArgumentException(origin.GetType().Name, nameof(origin)),
        };
}
