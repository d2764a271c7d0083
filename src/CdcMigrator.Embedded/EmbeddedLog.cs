using System.Text.RegularExpressions;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Broker;
using CdcMigrator.Embedded.Publishing;
using CdcMigrator.Embedded.Replication;
using CdcMigrator.Embedded.State;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Embedded;

/// <summary>
/// The log of a migration without Kafka: an in-process broker, and a publisher that reads the source's replication slot and writes
/// records in Debezium's envelope (values as PostgreSQL's own text). The slot is confirmed only up to what the target has
/// committed, so that a process killed at any point loses nothing: the next one starts a new incarnation from the slot.
/// Thread-safe. One instance at a time for a migration, in all processes.
/// </summary>
public sealed partial class EmbeddedLog : IAsyncDisposable
{
    private readonly EmbeddedBroker broker;
    private readonly LogProducer producer;
    private readonly RecordWriter writer;
    private readonly LogStateStore store;
    private readonly FlowControl flow;
    private readonly SlotStream stream;
    private readonly SnapshotProgress snapshot;
    private readonly LogRunner runner;
    private readonly CancellationTokenSource stop = new();
    private int disposed;

    private EmbeddedLog(EmbeddedLogOptions options, LogStart start, EmbeddedBroker broker, LogStateStore store, ILogger logger)
    {
        this.broker = broker;
        this.store = store;
        Incarnation = start.State.Incarnation;
        SlotName = start.State.Slot;
        Topics = [.. start.Tables.Select(table => table.Topic).Distinct()];
        producer = new LogProducer(broker.BootstrapServers);
        writer = new RecordWriter(options.TopicPrefix, start.Database, options.Time);
        flow = new FlowControl(Incarnation);
        snapshot = new SnapshotProgress();
        var publisher = new Publisher(writer, producer, flow);
        stream = new SlotStream(options.SourceConnection, start.State.Slot, start.Tables, publisher, flow);
        var reader = new SnapshotReader(options, start.State.Slot, start.Catalog, publisher, snapshot);
        runner = new LogRunner(options, start.State, store, start.Catalog, start.Tables, flow, stream, reader, logger);
    }

    /// <summary>Code of the fault with which a log ends that was turned by a cutover: another life begins in the new phase, from the slot, and loses nothing.</summary>
    public const string Turned = LogRunner.Turned;

    /// <summary>Where consumers connect.</summary>
    public string BootstrapServers => broker.BootstrapServers;

    /// <summary>Unique name of this log's life; its offsets mean nothing in another.</summary>
    public string Incarnation { get; }

    /// <summary>Slot and publication in the source.</summary>
    public string SlotName { get; }

    /// <summary>What consumers claim their lanes under.</summary>
    public LogIdentity Identity => new(Incarnation, "", EmbeddedBroker.PartitionCount) { Ephemeral = true };

    /// <summary>All topics, the fence table's included. They exist already.</summary>
    public IReadOnlyList<string> Topics { get; }

    /// <summary>Ends when the log has stopped, by <see cref="DisposeAsync"/> or by a fault that <see cref="Status"/> names. Never faults.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>The log as it is now.</summary>
    public EmbeddedLogStatus Status
    {
        get
        {
            var (records, bytes) = flow.Unapplied;
            return new EmbeddedLogStatus
            {
                Phase = runner.Phase,
                ConfirmedLsn = runner.ConfirmedLsn,
                ReceivedLsn = stream.ReceivedLsn,
                UnappliedRecords = records,
                UnappliedBytes = bytes,
                Snapshot = snapshot.Tables,
                Fault = runner.Fault,
                Stopped = runner.Stopped,
            };
        }
    }

    /// <summary>Topic of a table, as Debezium names it: characters Kafka does not allow become <c>_</c>.</summary>
    public static string TopicOf(string prefix, TableName table) => NotAllowedInTopics().Replace($"{prefix}.{table.Schema}.{table.Name}", "_");

    /// <summary>
    /// Starts the broker, takes the migration's lock, checks the durable state against the source, and begins to publish in the
    /// background; consumers can start at once. A snapshot that was interrupted is started over, with cleared target tables.
    /// </summary>
    /// <exception cref="FaultException">
    /// Configuration: a table has no usable key, <c>target-not-empty</c>, <c>slot-exists</c>, <c>tables-added</c>. NotAllowed:
    /// <c>slot-in-use</c>. LogBroken: the slot is lost or the source is another one. Unreachable: a database does not answer.
    /// </exception>
    public static async Task<EmbeddedLog> StartAsync(EmbeddedLogOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var incarnation = Guid.NewGuid().ToString("N");
        var logger = options.LoggerFactory.CreateLogger<EmbeddedLog>();
        var store = new LogStateStore(options, incarnation);
        EmbeddedBroker? broker = null;
        try
        {
            var start = await LogStart.PrepareAsync(options, store, incarnation, logger, cancellationToken);
            broker = EmbeddedBroker.Start();
            var log = new EmbeddedLog(options, start, broker, store, logger);
            foreach (var topic in log.Topics)
            {
                broker.CreateTopic(topic);
            }

            logger.LogStarted(incarnation, options.Migration, start.State.Phase, broker.BootstrapServers, start.State.Slot);
            log.Completion = Task.Run(() => log.runner.RunAsync(log.stop.Token), CancellationToken.None);
            return log;
        }
        catch
        {
            broker?.Dispose();
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Drops slot and publication in the source and the state in the target, once a migration is over: a slot that nobody reads
    /// keeps the source's WAL for ever. Idempotent. No log of the migration may run.
    /// </summary>
    /// <exception cref="FaultException">NotAllowed: <c>slot-in-use</c>. Unreachable: a database does not answer.</exception>
    public static async Task RemoveAsync(EmbeddedLogOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var store = new LogStateStore(options, "");
        await using (store)
        {
            var state = await store.OpenAsync(cancellationToken);
            await LogStart.DropSourceSideAsync(options, state?.Slot, cancellationToken);
            await store.DeleteAsync(cancellationToken);
        }
    }

    /// <summary>Ends <see cref="EmbeddedLogPhase.Passive"/> durably: what the source commits after this call is published, what it committed before is not. Idempotent.</summary>
    /// <exception cref="FaultException">NotAllowed: the log is in its snapshot. Transient: its slot was not made in time.</exception>
    public Task ActivateAsync(CancellationToken cancellationToken) => runner.SetActiveAsync(true, cancellationToken);

    /// <summary>Makes the log passive durably: changes are dropped, the slot keeps moving, and what is in flight is no longer waited for. Idempotent.</summary>
    /// <exception cref="FaultException">NotAllowed: the log is in its snapshot.</exception>
    public Task DeactivateAsync(CancellationToken cancellationToken) => runner.SetActiveAsync(false, cancellationToken);

    /// <summary>
    /// Stops and takes the broker down. There is no orderly end beyond that of a killed process: what the slot has not been told is
    /// read again by the next life. Idempotent.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }

        await stop.CancelAsync();
        await Completion;
        runner.Dispose();
        stream.Dispose();
        producer.Dispose();
        writer.Dispose();
        broker.Dispose();
        await store.DisposeAsync();
        stop.Dispose();
    }

    [GeneratedRegex("[^a-zA-Z0-9._-]")]
    private static partial Regex NotAllowedInTopics();
}
