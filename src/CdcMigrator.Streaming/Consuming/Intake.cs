using CdcMigrator.Streaming.Lanes;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>
/// Bounds what is held in memory (invariant A12): per lane the undecoded records, over all lanes everything fetched and not applied. Poll
/// thread only; the total is counted anew at every tidying and carried on in between, so that whatever way a lane ends, nothing is counted for ever.
/// </summary>
internal sealed class Intake(StreamingOptions options)
{
    private long total;
    private long part = options.TotalBytes / 2;

    /// <summary>Counts what the lanes hold.</summary>
    public void Count(IReadOnlyCollection<Lane> lanes)
    {
        total = 0;
        foreach (var lane in lanes)
        {
            total += lane.Feeding?.HeldBytes ?? 0;
        }

        part = options.TotalBytes / 2 / Math.Max(1, lanes.Count);
    }

    /// <summary>Gives an entry to its lane. False where the lane then has enough: its queue is full, or all together have and it has more than its part.</summary>
    public bool Take(LaneSession session, LogEntry entry)
    {
        total += RecordQueue.Cost(entry);
        session.Records.Add(entry);
        return session.Records.Bytes <= options.LaneBytes && (total <= options.TotalBytes || session.HeldBytes <= part);
    }

    /// <summary>Whether a paused lane may go on; well below the limits, as resuming costs a new fetch.</summary>
    public bool MayResume(LaneSession session) =>
        session.Records.Bytes < options.LaneBytes / 2 && (total < options.TotalBytes / 4 * 3 || session.HeldBytes <= part / 2);
}
