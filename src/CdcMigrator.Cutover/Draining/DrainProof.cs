using CdcMigrator.Domain.Log;

namespace CdcMigrator.Cutover.Draining;

/// <summary>
/// Proves that everything committed in the source before a marker is in the target; never "lag is zero". In this order: the
/// marker is met in the log; the slot and Connect's stored offset have confirmed it, so that Kafka holds every record before it, in all partitions; only then
/// the end offsets are taken (taken earlier they can miss records, for partitions are not written in source order); then the
/// target's own progress passes them, with no dead letter left behind. Changes nothing; may be repeated.
/// </summary>
public sealed class DrainProof(IDrainEvidence evidence, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits for the proof until the timeout and says how far it came.</summary>
    /// <param name="markerId">The marker row's id.</param>
    /// <param name="lsn">Position after the marker's commit.</param>
    /// <param name="timeout">How long to wait; the report then says what was missing.</param>
    /// <param name="cancellationToken">Ends the wait with an exception.</param>
    public async Task<DrainReport> RunAsync(string markerId, ulong lsn, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var seen = false;
        var confirmed = false;
        IReadOnlyDictionary<LaneId, long>? ends = null;
        while (true)
        {
            seen = seen || await evidence.IsMarkerSeenAsync(markerId, cancellationToken);
            confirmed = confirmed || (seen && await evidence.IsConfirmedAsync(lsn, cancellationToken));
            if (confirmed)
            {
                ends ??= await evidence.ReadEndOffsetsAsync(cancellationToken);
            }

            var lanes = ends is null ? [] : Compare(ends, await evidence.ReadProgressAsync(cancellationToken));
            var reached = ends is not null && lanes.All(lane => lane.Reached);

            // After progress: what it has passed by then was parked in the same transaction.
            long? deadLetters = reached ? await evidence.CountDeadLettersAsync(cancellationToken) : null;
            var drained = deadLetters == 0;
            if (drained || time.GetElapsedTime(started) >= timeout)
            {
                return new DrainReport(drained, seen, confirmed, lanes, deadLetters, (long)time.GetElapsedTime(started).TotalMilliseconds);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private static IReadOnlyList<DrainLane> Compare(IReadOnlyDictionary<LaneId, long> ends, IReadOnlyDictionary<LaneId, long> progress) =>
    [
        .. ends.Select(end => new DrainLane(end.Key.Topic, end.Key.Partition, end.Value, progress.GetValueOrDefault(end.Key)))
            .OrderBy(lane => lane.Topic, StringComparer.Ordinal).ThenBy(lane => lane.Partition),
    ];
}
