using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>A batch on its way through a lane, with what stopped decoding behind it, if anything did.</summary>
internal sealed class LaneBatch
{
    public ChangeBatch Changes { get; } = new();

    /// <summary>What the record behind the batch ran into. The batch is applied first, then the lane stops with it.</summary>
    public Fault? Fault { get; set; }

    /// <summary>Holds a fence row that someone waits for: it is not held back though there may be no change.</summary>
    public bool HasMarker { get; set; }

    /// <summary>Source time of the first record, Unix milliseconds; 0 where unknown. The lane's lag counts from it.</summary>
    public long OldestMs { get; set; }

    /// <summary>What its records cost in memory since they were fetched.</summary>
    public long HeldBytes { get; set; }

    /// <summary>Whether it moves progress at all.</summary>
    public bool MovesProgress => Changes.NextOffset > Changes.FromOffset;

    public LaneBatch Reset(Domain.Log.LaneId lane, long fromOffset)
    {
        Changes.Reset(lane, fromOffset);
        Fault = null;
        HasMarker = false;
        OldestMs = HeldBytes = 0;
        return this;
    }
}
