using CdcMigrator.Connect.Registry;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
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
    MigrationDefinition definition, string slot, NpgsqlDataSource control, NpgsqlDataSource? source, ConnectClient? connect, PulseStore pulses, ServiceMetrics metrics,
    TimeProvider time, ILogger log)
{
    private readonly bool isKafka = definition.Log.Kind == LogKind.Kafka;
    private readonly SchemaWatch? schemas = source is null ? null : new SchemaWatch(
        source, control, definition.Name, definition.Tables, copiesNewTables: definition.Log.Kind == LogKind.Embedded, namesValues: definition.Log.Kind == LogKind.Embedded);

    /// <summary>The watch of source, connector and log.</summary>
    public SourceWatch Watch(DebeziumSettings settings, RouteKeeper routes, FenceWatch fence, LogInspector inspector, IReadOnlyCollection<string> topics, ILaneStore lanes) => new(new SourceWatchParts
    {
        Source = source,
        Slot = slot,
        Connect = connect,
        Section = definition.Connect,
        Settings = connect is null || !isKafka ? null : new SettingsWatch(definition, connect, settings),
        Pulses = source is null || !isKafka ? null : new PulseWatch(pulses, source, inspector, topics.Last(), lanes),
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

    /// <summary>The reconciler; null where sides or log are not of a kind it can compare.</summary>
    public Reconciler? Reconciler(
        VerificationHandling verification, PostgresSource? postgres, StreamingOptions options, IReadOnlyDictionary<string, string>? connector, LogInspector inspector,
        Func<RouteTable?> routes, TableResyncs copies, ILoggerFactory loggers)
    {
        if (postgres is null)
        {
            return null;
        }

        var parts = new ReconcilerParts
        {
            Definition = definition,
            Store = verification.Store,
            Control = control,
            Sides = new PostgresSides(postgres.Verify, verification.Target, definition.Name, () => options.Incarnation),
            Tables = token => ComparedTables.ReadAsync(postgres.Verify, verification.Target, definition.Tables, table => Reselects(routes()?.Find(table)), token),
            Source = postgres,
            Inspector = inspector,
            TopicOf = table => EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table),
            FenceTopic = options.FenceTopic!,
            Incarnation = options.Incarnation,
            Reading = connector is null ? ReadingSettings.ForEmbeddedLog(definition.Log.TopicPrefix) : ReadingSettings.FromConnector(connector),
            Schemas = () =>
            {
                var schemas = new WriterSchemas();
                return (schemas, definition.Log.SchemaRegistry is { } url ? new SchemaRegistryClient(url, schemas.Add) : null);
            },
            Follow = observe => LogFollower.Start(
                new LogFollowerOptions { BootstrapServers = options.BootstrapServers, Client = options.Client, MaxRecordBytes = options.MaxRecordBytes }, observe, loggers),
            Copying = async token => (await copies.ReadAsync(token)).Where(copy => copy.IsActive).Select(copy => TableName.Parse(copy.Table)).ToHashSet(),
        };
        return new Reconciler(parts, new VerificationLimits(), time, log);
    }

    private static bool Reselects(TableRoute? route) =>
        route is null || Enumerable.Range(0, route.Target.Columns.Count).Any(ordinal => route.ReadAgainOf(ordinal) != ReadAgain.Never);
}
