using CdcMigrator.Cutover.Draining;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Sources;
using CdcMigrator.Service.Watching;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Runtime;

/// <summary>The drain proof's view of the running migration.</summary>
internal sealed class DrainEvidence(
    FenceWatch fence, IMigrationSource source, LogInspector inspector, IReadOnlyCollection<string> topics, ILaneStore store, DeadLetterHandling letters, SourceWatch? watch, Func<CancellationToken, Task<IReadOnlyDictionary<TableName, TableState>>> verified, string? clusterId)
    : IDrainEvidence
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public Task<bool> IsMarkerSeenAsync(string markerId, CancellationToken cancellationToken) => fence.SawAsync(markerId, cancellationToken);

    public Task<bool> IsConfirmedAsync(ulong lsn, CancellationToken cancellationToken) => source.IsConfirmedAsync(lsn, cancellationToken);

    public async Task<IReadOnlyDictionary<LaneId, long>> ReadEndOffsetsAsync(CancellationToken cancellationToken)
    {
        // An end that the broker does not tell would be one that need not be reached.
        var known = (await ReadProgressAsync(cancellationToken)).Keys.Where(lane => topics.Contains(lane.Topic));
        return (await inspector.ReadTopicRangesAsync(topics, known, cancellationToken)).ToDictionary(range => range.Key, range => range.Value.End);
    }

    /// <summary>
    /// Where a direction begins that is turned on behind a marker: the ends of all partitions of its tables, once they hold everything that was committed before the
    /// marker. The embedded log goes by the marker's position alone.
    /// </summary>
    public async Task<DirectionStart> ReadStartAsync(FenceMarker marker, IReadOnlyList<TableMapping> tables, TimeProvider time, CancellationToken cancellationToken)
    {
        if (clusterId is not null)
        {
            // A slot that is still being made, or was lost, never confirms the marker.
            while (!await IsConfirmedAsync(marker.Lsn, cancellationToken))
            {
                await Task.Delay(Pause, time, cancellationToken);
            }

            return new DirectionStart([], marker.Lsn, tables);
        }

        while (!(await IsMarkerSeenAsync(marker.Id, cancellationToken) && await IsConfirmedAsync(marker.Lsn, cancellationToken)))
        {
            await Task.Delay(Pause, time, cancellationToken);
        }

        var rows = topics.Where(topic => !Directions.IsMarkerTopic(topic)).ToList();
        var described = await inspector.DescribeAsync(rows, cancellationToken);

        // A lane that the broker does not tell of would stay frozen for good.
        var known = (await ReadProgressAsync(cancellationToken)).Keys.Where(lane => rows.Contains(lane.Topic));
        var ends = await inspector.ReadTopicRangesAsync(rows, known, cancellationToken);
        return new DirectionStart([.. ends.Select(end =>
        {
            var topic = described.Topic(end.Key.Topic);
            return new AimedLane(end.Key, new LogIdentity(described.ClusterId, topic.TopicId, topic.Partitions), end.Value.End);
        })], marker.Lsn, tables);
    }

    /// <summary>Whether everything that was written could have been published: the watch looks every few seconds, and what was altered since its last look would be in no log.</summary>
    /// <exception cref="FaultException">
    /// NotAllowed <c>source-changed</c>; <c>connector-restarted</c>: the source is read anew since a table was compared, so that what was lost when reading ended would not be known. Unreachable: a side does not answer, or nobody reads the slot.
    /// </exception>
    public async Task RequirePublishedAsync(CancellationToken cancellationToken)
    {
        if (watch is null)
        {
            return;
        }

        await watch.RequireUnchangedAsync(cancellationToken);
        var (reader, open) = await watch.ReadReaderSinceAsync(cancellationToken);
        if (open is not null)
        {
            throw new FaultException(FaultKind.NotAllowed, "connector-restarted",
                $"The connector began to read anew while transactions were open that are not over yet ({open}): what it lost of them would not be known",
                "Have it end: the comparison begins again by itself then ('cdcm cutover check' shows it); try again once the gate is open");
        }

        if (reader is { } since)
        {
            var overtaken = (await verified(cancellationToken)).Where(table => !(table.Value.CoveredAt >= since)).Select(table => table.Key.ToString()).Order(StringComparer.Ordinal).ToList();
            if (overtaken.Count > 0)
            {
                throw new FaultException(FaultKind.NotAllowed, "connector-restarted",
                    $"The connector began to read anew ({since:u}) after {string.Join(", ", overtaken.Take(5))}{(overtaken.Count > 5 ? $" and {overtaken.Count - 5} more" : "")} had been compared: what it lost when it stopped would not be known",
                    "The comparison begins again by itself ('cdcm verify start --wait' waits for it): try again once the gate is open ('cdcm cutover check')");
            }
        }
    }

    /// <summary>What of a drain proof whoever opens the target's side looks at again. Markers are no rows, and their lane goes on behind the opening.</summary>
    /// <param name="drained">The proof.</param>
    /// <param name="marker">Marker on the side that takes over, written behind it; null where there is no way back.</param>
    public OpeningTerms TermsOf(DrainReport drained, string? marker) => new(
        [.. drained.Lanes.Where(lane => lane.EndOffset > 0 && !Directions.IsMarkerTopic(lane.Topic)).Select(lane => new LaneEnd(lane.Topic, lane.Partition, lane.EndOffset))],
        clusterId ?? "", marker ?? "", "");

    public async Task<IReadOnlyDictionary<LaneId, long>> ReadProgressAsync(CancellationToken cancellationToken) =>
        (await store.ReadProgressAsync(cancellationToken))
            .Where(lane => clusterId is null || lane.ClusterId == clusterId)
            .ToDictionary(lane => lane.Lane, lane => lane.NextOffset);

    public async Task<long> CountDeadLettersAsync(CancellationToken cancellationToken) => (await letters.CountAsync(cancellationToken)).Values.Sum();
}
