using CdcMigrator.Domain.Log;

namespace CdcMigrator.Cutover.Draining;

/// <summary>What a drain proof looks at. Every call is a fresh observation; none may answer from memory older than the call.</summary>
public interface IDrainEvidence
{
    /// <summary>Whether the marker row has been met in the log.</summary>
    Task<bool> IsMarkerSeenAsync(string markerId, CancellationToken cancellationToken);

    /// <summary>
    /// Whether the log is known to hold every record before a position, in all partitions. With Debezium the slot alone does not say so: it is told of the record acknowledged
    /// last, while one before it, in another partition, may still be on its way.
    /// </summary>
    Task<bool> IsConfirmedAsync(ulong lsn, CancellationToken cancellationToken);

    /// <summary>End offsets of every partition of every captured topic.</summary>
    Task<IReadOnlyDictionary<LaneId, long>> ReadEndOffsetsAsync(CancellationToken cancellationToken);

    /// <summary>Next offsets committed in the target, of all processes.</summary>
    Task<IReadOnlyDictionary<LaneId, long>> ReadProgressAsync(CancellationToken cancellationToken);

    /// <summary>Dead letters of the migration in the target: changes that progress has passed without applying them.</summary>
    Task<long> CountDeadLettersAsync(CancellationToken cancellationToken);
}
