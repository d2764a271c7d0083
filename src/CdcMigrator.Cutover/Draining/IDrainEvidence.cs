using CdcMigrator.Domain.Log;

namespace CdcMigrator.Cutover.Draining;

/// <summary>What a drain proof looks at. Every call is a fresh observation; none may answer from memory older than the call.</summary>
public interface IDrainEvidence
{
    /// <summary>Whether the marker row has been met in the log.</summary>
    Task<bool> IsMarkerSeenAsync(string markerId, CancellationToken cancellationToken);

    /// <summary>The replication slot's confirmed position; 0 where it has none. Debezium confirms only what Kafka has acknowledged.</summary>
    Task<ulong> ReadConfirmedLsnAsync(CancellationToken cancellationToken);

    /// <summary>End offsets of every partition of every captured topic.</summary>
    Task<IReadOnlyDictionary<LaneId, long>> ReadEndOffsetsAsync(CancellationToken cancellationToken);

    /// <summary>Next offsets committed in the target, of all processes.</summary>
    Task<IReadOnlyDictionary<LaneId, long>> ReadProgressAsync(CancellationToken cancellationToken);

    /// <summary>Dead letters of the migration in the target: changes that progress has passed without applying them.</summary>
    Task<long> CountDeadLettersAsync(CancellationToken cancellationToken);
}
