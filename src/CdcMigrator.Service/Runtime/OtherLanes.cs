using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Runtime;

/// <summary>Lanes of a migration that one process does not have: other processes have them, or none.</summary>
/// <param name="Lanes">How many.</param>
/// <param name="Behind">Records between their progress in the target and the ends of their partitions; never fewer than there are.</param>
public sealed record OtherLanes(int Lanes, long Behind)
{
    /// <summary>Looks; null where log or target do not say. The progress is read before the ends.</summary>
    internal static async Task<OtherLanes?> TryReadAsync(
        PipelineStatus? here, LogInspector? log, IReadOnlyCollection<string> topics, ILaneStore store, string? incarnation, CancellationToken cancellationToken)
    {
        if (here is null || log is null)
        {
            return null;
        }

        try
        {
            var own = here.Lanes.Select(lane => lane.Lane).ToHashSet();
            var progress = (await store.ReadProgressAsync(cancellationToken)).Where(lane => incarnation is null || lane.ClusterId == incarnation).ToDictionary(lane => lane.Lane, lane => lane.NextOffset);
            var others = (await log.ReadTopicRangesAsync(topics, progress.Keys.Where(lane => topics.Contains(lane.Topic)), cancellationToken)).Where(range => !own.Contains(range.Key)).ToList();
            return new OtherLanes(others.Count, others.Sum(range => Math.Max(0, range.Value.End - progress.GetValueOrDefault(range.Key, range.Value.Start))));
        }
        catch (FaultException)
        {
            return null;
        }
    }
}
