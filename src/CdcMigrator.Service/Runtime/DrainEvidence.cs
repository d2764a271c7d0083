using CdcMigrator.Cutover.Draining;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;
using CdcMigrator.Service.Sources;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Runtime;

/// <summary>The drain proof's view of the running migration.</summary>
internal sealed class DrainEvidence(
    FenceWatch fence, IMigrationSource source, LogInspector inspector, IReadOnlyCollection<string> topics, ILaneStore store, DeadLetterHandling letters, string? clusterId)
    : IDrainEvidence
{
    public Task<bool> IsMarkerSeenAsync(string markerId, CancellationToken cancellationToken) => fence.SawAsync(markerId, cancellationToken);

    public Task<ulong> ReadConfirmedLsnAsync(CancellationToken cancellationToken) => source.ReadConfirmedAsync(cancellationToken);

    public async Task<IReadOnlyDictionary<LaneId, long>> ReadEndOffsetsAsync(CancellationToken cancellationToken) =>
        (await inspector.ReadTopicRangesAsync(topics, cancellationToken)).ToDictionary(range => range.Key, range => range.Value.End);

    public async Task<IReadOnlyDictionary<LaneId, long>> ReadProgressAsync(CancellationToken cancellationToken) =>
        (await store.ReadProgressAsync(cancellationToken))
            .Where(lane => clusterId is null || lane.ClusterId == clusterId)
            .ToDictionary(lane => lane.Lane, lane => lane.NextOffset);

    public async Task<long> CountDeadLettersAsync(CancellationToken cancellationToken) => (await letters.CountAsync(cancellationToken)).Values.Sum();
}
