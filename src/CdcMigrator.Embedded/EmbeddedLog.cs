using System.Text.RegularExpressions;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Broker;

namespace CdcMigrator.Embedded;

/// <summary>
/// The log of a migration without Kafka: an in-process broker, and a publisher that reads the source's replication slot and writes
/// records in Debezium's envelope (values as PostgreSQL's own text). The slot is confirmed only up to what the target has
/// committed, so that a process killed at any point loses nothing: the next one starts a new incarnation from the slot.
/// Thread-safe. One instance at a time for a migration, in all processes.
/// </summary>
public sealed partial class EmbeddedLog : IAsyncDisposable
{
    private readonly EmbeddedLogOptions options;
    private readonly EmbeddedBroker broker;
    private EmbeddedLogPhase phase;

    private EmbeddedLog(EmbeddedLogOptions options, EmbeddedBroker broker)
    {
        this.options = options;
        this.broker = broker;
    }

    /// <summary>Where consumers connect.</summary>
    public string BootstrapServers => broker.BootstrapServers;

    /// <summary>Unique name of this log's life; its offsets mean nothing in another.</summary>
    public string Incarnation { get; } = Guid.NewGuid().ToString("N");

    /// <summary>What consumers claim their lanes under.</summary>
    public LogIdentity Identity => new(Incarnation, "", EmbeddedBroker.PartitionCount) { Ephemeral = true };

    /// <summary>All topics, the fence table's included. They exist once the log has started.</summary>
    public IReadOnlyList<string> Topics => [.. options.Tables.Select(table => table.Source).Append(options.FenceTable).Distinct().Select(table => TopicOf(options.TopicPrefix, table))];

    /// <summary>The log as it is now.</summary>
    public EmbeddedLogStatus Status => new()
    {
        Phase = phase,
        ConfirmedLsn = 0,
        ReceivedLsn = 0,
        UnappliedRecords = 0,
        UnappliedBytes = 0,
        Snapshot = [],
    };

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
    public static Task<EmbeddedLog> StartAsync(EmbeddedLogOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(new EmbeddedLog(options, EmbeddedBroker.Start()));
    }

    /// <summary>Ends <see cref="EmbeddedLogPhase.Passive"/> durably: changes committed in the source from now on are published. Idempotent.</summary>
    /// <exception cref="FaultException">NotAllowed: the log is in its snapshot.</exception>
    public Task ActivateAsync(CancellationToken cancellationToken)
    {
        phase = EmbeddedLogPhase.Streaming;
        return Task.CompletedTask;
    }

    /// <summary>Makes the log passive durably: changes are dropped and the slot keeps moving. Idempotent.</summary>
    /// <exception cref="FaultException">NotAllowed: the log is in its snapshot.</exception>
    public Task DeactivateAsync(CancellationToken cancellationToken)
    {
        phase = EmbeddedLogPhase.Passive;
        return Task.CompletedTask;
    }

    /// <summary>Stops publishing, confirms what the target has committed, and takes the broker down. Idempotent.</summary>
    public ValueTask DisposeAsync()
    {
        broker.Dispose();
        return ValueTask.CompletedTask;
    }

    [GeneratedRegex("[^a-zA-Z0-9._-]")]
    private static partial Regex NotAllowedInTopics();
}
