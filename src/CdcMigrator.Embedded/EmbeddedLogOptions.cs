using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Tables;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CdcMigrator.Embedded;

/// <summary>What an <see cref="EmbeddedLog"/> reads, and where its consumers report to.</summary>
public sealed record EmbeddedLogOptions
{
    /// <summary>Name of the migration; slot and publication are named after it.</summary>
    public required string Migration { get; init; }

    /// <summary>Npgsql connection string of the database whose changes are published. The role needs REPLICATION and must own the tables or the publication.</summary>
    public required string SourceConnection { get; init; }

    /// <summary>Npgsql connection string of the database the changes are applied to. Durable state is kept there, so that it is lost and restored together with the rows.</summary>
    public required string TargetConnection { get; init; }

    /// <summary>Tables published. <see cref="FenceTable"/> is added where it is not among them.</summary>
    public required IReadOnlyList<TableMapping> Tables { get; init; }

    /// <summary>Topics are <c>prefix.schema.table</c>, as Debezium names them.</summary>
    public required string TopicPrefix { get; init; }

    /// <summary>
    /// The target's committed progress: <see cref="ILaneStore.ReadProgressAsync"/>. Rows count only while their
    /// <see cref="LaneProgress.ClusterId"/> is this log's incarnation. Called about twenty times a second while records are in flight.
    /// </summary>
    public required Func<CancellationToken, Task<IReadOnlyList<LaneProgress>>> ReadProgress { get; init; }

    /// <summary>What a first start does. Ignored once the target holds this log's state.</summary>
    public EmbeddedLogStart Start { get; init; } = EmbeddedLogStart.Snapshot;

    /// <summary>Name of slot and publication; null derives it from the migration's. Names are unique in a server, so that two logs on one server need two.</summary>
    public string? SlotName { get; init; }

    /// <summary>The table of markers and heartbeats; published like any other, never cleared in the target.</summary>
    public TableName FenceTable { get; init; } = new("cdc_migrator", "fence");

    /// <summary>How long a start waits for a slot that another process still holds: a killed process's walsender may linger.</summary>
    public TimeSpan SlotWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Clock of waits and of <c>ts_ms</c>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where to log.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
