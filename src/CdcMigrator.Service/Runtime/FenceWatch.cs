using System.Collections.Concurrent;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Runtime;

/// <summary>Remembers the markers that passed through this process's lanes, and holds the heartbeat's lineage against the recorded one. Thread-safe.</summary>
internal sealed class FenceWatch
{
    private const string MarkerPrefix = "marker:";
    private const string Heartbeat = "heartbeat";
    private const int Kept = 1000;
    private readonly ConcurrentDictionary<string, long> seen = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> order = new();

    /// <summary>The lineage this migration began with; null where the source cannot be asked.</summary>
    public SourceIdentity? Lineage { get; set; }

    /// <summary>Told of each fence row by the pipeline before it is applied; the same row may be told again.</summary>
    /// <exception cref="Domain.Faults.FaultException">LogBroken: the heartbeat comes from another lineage; the lane stops in front of it.</exception>
    public void Observe(LaneId lane, long offset, FenceRow row)
    {
        if (row.Id == Heartbeat && Lineage is { } recorded && LineageStore.Parse(row.Value) is { } now)
        {
            LineageStore.Require(recorded, now);
        }

        if (row.Id.StartsWith(MarkerPrefix, StringComparison.Ordinal) && seen.TryAdd(row.Id, offset))
        {
            order.Enqueue(row.Id);
            while (order.Count > Kept && order.TryDequeue(out var oldest))
            {
                seen.TryRemove(oldest, out _);
            }
        }
    }

    /// <summary>Whether the marker passed.</summary>
    public bool Saw(string markerId) => seen.ContainsKey(markerId);
}
