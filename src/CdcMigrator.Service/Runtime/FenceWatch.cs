using System.Collections.Concurrent;
using System.Globalization;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Runtime;

/// <summary>
/// Notes the markers that pass through this process's lanes, for every process of the migration, and holds the heartbeat's lineage against
/// the recorded one. Thread-safe.
/// </summary>
internal sealed class FenceWatch(MarkerStore markers, PulseStore pulses)
{
    private const string MarkerPrefix = "marker:";
    private const string Heartbeat = "heartbeat";
    private const int Kept = 1000;
    private readonly ConcurrentDictionary<string, long> seen = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> order = new();

    private long rows;
    private long lastPulse;

    /// <summary>Fence rows met, repeated ones included.</summary>
    public long Rows => Interlocked.Read(ref rows);

    /// <summary>The lineage this migration began with; null where the source cannot be asked.</summary>
    public SourceIdentity? Lineage { get; set; }

    /// <summary>Told of each fence row by the pipeline before it is applied; the same row may be told again.</summary>
    /// <exception cref="Domain.Faults.FaultException">
    /// LogBroken: the heartbeat comes from another lineage. Unreachable: a marker could not be noted in the target. The lane stops in front of the row.
    /// </exception>
    public void Observe(LaneId lane, long offset, FenceRow row)
    {
        Interlocked.Increment(ref rows);
        if (row.Id == pulses.RowId && long.TryParse(row.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var pulse) && pulse > Interlocked.Read(ref lastPulse))
        {
            pulses.See(pulse);
            Interlocked.Exchange(ref lastPulse, pulse);
        }

        if (row.Id == Heartbeat && Lineage is { } recorded && LineageStore.Parse(row.Value) is { } now)
        {
            LineageStore.Require(recorded, now);
        }

        if (row.Id.StartsWith(MarkerPrefix, StringComparison.Ordinal) && !seen.ContainsKey(row.Id))
        {
            // Before this process says so itself, and before progress moves past the row.
            markers.Record(row.Id);
            Remember(row.Id, offset);
        }
    }

    /// <summary>Whether the marker passed, in this process or another.</summary>
    /// <exception cref="Domain.Faults.FaultException">The target cannot be asked.</exception>
    public async Task<bool> SawAsync(string markerId, CancellationToken cancellationToken) =>
        seen.ContainsKey(markerId) || await markers.IsSeenAsync(markerId, cancellationToken);

    private void Remember(string marker, long offset)
    {
        if (seen.TryAdd(marker, offset))
        {
            order.Enqueue(marker);
            while (order.Count > Kept && order.TryDequeue(out var oldest))
            {
                seen.TryRemove(oldest, out _);
            }
        }
    }
}
