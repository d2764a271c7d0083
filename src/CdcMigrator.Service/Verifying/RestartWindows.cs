using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Checks;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Verifying;

/// <summary>
/// Tells which rows changed about when their lane was taken over: records on both sides of the offsets at which lanes were claimed, read from the log again. A sample
/// looks at them, for what a start, a crash or a lost connection does wrong it does there.
/// </summary>
internal sealed class RestartWindows(ReconcilerParts parts)
{
    private const int RecordsAround = 200;
    private const int MostKeys = 5_000;
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Rows of each table, those of the last restarts first; records that the log has no more are left out.</summary>
    /// <exception cref="FaultException">Target, broker or registry do not answer.</exception>
    public async Task<IReadOnlyDictionary<TableName, IReadOnlyCollection<RowKey>>> ReadAsync(IReadOnlyList<CheckedTable> tables, CancellationToken cancellationToken)
    {
        var found = tables.ToDictionary(table => table.Table.Source, _ => new HashSet<RowKey>());
        if (tables.Count > 0)
        {
            var ranges = await parts.Inspector.ReadTopicRangesAsync([.. tables.Select(table => table.Topic).Distinct(StringComparer.Ordinal)], cancellationToken);
            var windows = Of(await parts.Claims(cancellationToken), ranges, RecordsAround);
            for (var turn = 0; windows.Values.Any(ofLane => ofLane.Count > turn); turn++)
            {
                await ReadAsync(tables, windows.Where(lane => lane.Value.Count > turn).ToDictionary(lane => lane.Key, lane => lane.Value[turn]), found, cancellationToken);
            }
        }

        return found.ToDictionary(table => table.Key, table => (IReadOnlyCollection<RowKey>)table.Value);
    }

    /// <summary>Offsets about the claims of each lane, as far as the log has them; those that touch are one.</summary>
    /// <param name="claims">Claims, the newest first.</param>
    /// <param name="ranges">What the log has.</param>
    /// <param name="around">Records on either side of a claim.</param>
    internal static IReadOnlyDictionary<LaneId, IReadOnlyList<LogRange>> Of(IReadOnlyList<ClaimedAt> claims, IReadOnlyDictionary<LaneId, LogRange> ranges, int around)
    {
        var windows = new Dictionary<LaneId, IReadOnlyList<LogRange>>();
        foreach (var lane in claims.GroupBy(claim => claim.Lane).Where(lane => ranges.ContainsKey(lane.Key)))
        {
            var range = ranges[lane.Key];
            var merged = new List<LogRange>();
            foreach (var window in lane.Select(claim => new LogRange(Math.Max(range.Start, claim.NextOffset - around), Math.Min(range.End, claim.NextOffset + around)))
                .Where(window => window.Start < window.End).OrderBy(window => window.Start))
            {
                if (merged.Count > 0 && window.Start <= merged[^1].End)
                {
                    merged[^1] = new LogRange(merged[^1].Start, Math.Max(merged[^1].End, window.End));
                }
                else
                {
                    merged.Add(window);
                }
            }

            merged.Reverse();
            windows[lane.Key] = merged;
        }

        return windows;
    }

    private async Task ReadAsync(
        IReadOnlyList<CheckedTable> tables, Dictionary<LaneId, LogRange> windows, Dictionary<TableName, HashSet<RowKey>> found, CancellationToken cancellationToken)
    {
        var (schemas, loader) = parts.Schemas();
        var reading = new LogReading(new RecordReader(parts.Reading, tables.Select(table => table.Table), schemas), loader);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReadTimeout);
        try
        {
            // Ended before what it found is looked at.
            await using var follower = parts.Follow((record, token) =>
            {
                if (windows.TryGetValue(record.Lane, out var window) && record.Offset < window.End && reading.Read(record, token) is { Kind: RecordKind.Change } told
                    && told.Change.Key is { } key && found.TryGetValue(told.Change.Table, out var keys) && keys.Count < MostKeys)
                {
                    keys.Add(key);
                }
            });
            follower.Follow(windows.ToDictionary(window => window.Key, window => window.Value.Start));
            await follower.ReachAsync(windows.ToDictionary(window => window.Key, window => window.Value.End), limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.TimedOut, "restart-windows", $"The records around the last restarts could not be read within {ReadTimeout.TotalSeconds:0} s", "See 'cdcm status': the broker may stand still. The sample is taken again");
        }
    }
}
