using CdcMigrator.Domain.Comparing;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Verifying;

/// <summary>Where in a partition a reader begins so that it meets every change again that is not verified. Pure.</summary>
internal static class ReadingStart
{
    /// <summary>The offset to begin at; null where a change that was not verified may no longer be in the log, so that what is kept counts no more.</summary>
    /// <param name="kept">What is known of the table.</param>
    /// <param name="partition">A partition of the table's topic.</param>
    /// <param name="range">Offsets it holds.</param>
    /// <param name="applied">Next offset the target wants of it.</param>
    public static long? Of(TableState kept, int partition, LogRange range, long applied)
    {
        var from = Math.Clamp(applied, range.Start, range.End);
        if (kept.VerifiedOffsets.TryGetValue(partition, out var verified))
        {
            // Beyond the end: the topic was made again.
            return verified >= range.Start && verified <= range.End ? Math.Min(verified, from) : null;
        }

        // Where rows were compared, a partition that is not named came up since: all that ever was in it is unverified.
        return !kept.Covered && kept.Cursor is null ? from : range.Start == 0 ? 0 : null;
    }
}
