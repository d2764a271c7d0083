using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Changes;

/// <summary>
/// One decoded row event. A view: the values live in the <see cref="ChangeBatch"/> that holds the change and are valid as long
/// as the batch is. For <see cref="ChangeOperation.Delete"/> only the key columns are set, of a keyless table the row as it was; for a truncate none is.
/// </summary>
public readonly record struct Change
{
    /// <summary>Source table, target table and the columns by which rows are identified.</summary>
    public required TableRoute Route { get; init; }

    /// <summary>What happened.</summary>
    public required ChangeOperation Operation { get; init; }

    /// <summary>Kafka offset of the record.</summary>
    public required long Offset { get; init; }

    /// <summary>Position in the source; <see cref="SourcePosition.None"/> for incremental snapshot rows.</summary>
    public SourcePosition Position { get; init; }

    /// <summary>Which half of a primary-key change this is.</summary>
    public KeyChangeHalf KeyChange { get; init; }

    /// <summary>Commit time at the source, Unix milliseconds, by the source's clock; 0 where unknown.</summary>
    public long SourceTimestampMs { get; init; }

    /// <summary>
    /// Which life of the connector's task sent it: repeats begin with a new one. 0 where the event does not say.
    /// </summary>
    public ulong Run { get; init; }

    /// <summary>A life of the connector's task may begin in between changes that share an LSN (Debezium 3.7 and newer), not only in front of them all.</summary>
    public bool RunMayBeginWithinLsn { get; init; }

    /// <summary>The row as it was is there too: updates of keyless tables.</summary>
    public bool HasBefore { get; init; }

    /// <summary>Index of the first of <c>Route.Target.Columns.Count</c> slots in the batch.</summary>
    internal int FirstSlot { get; init; }
}
