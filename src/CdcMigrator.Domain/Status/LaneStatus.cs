using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Status;

/// <summary>A lane of this process as status, metrics and health see it.</summary>
public sealed record LaneStatus
{
    /// <summary>Topic and partition.</summary>
    public required LaneId Lane { get; init; }

    /// <summary>What it is doing.</summary>
    public required LaneState State { get; init; }

    /// <summary>Committed next offset; -1 before the claim.</summary>
    public long NextOffset { get; init; } = -1;

    /// <summary>End of the partition as last heard from the broker; -1 before.</summary>
    public long EndOffset { get; init; } = -1;

    /// <summary>Records between the two; 0 where unknown.</summary>
    public long LagRecords => NextOffset >= 0 && EndOffset > NextOffset ? EndOffset - NextOffset : 0;

    /// <summary>Age of the oldest record not yet applied, by this machine's clock against the source's; 0 when caught up.</summary>
    public TimeSpan LagTime { get; init; }

    /// <summary>Why it halted or retries; null while all is well.</summary>
    public Fault? Fault { get; init; }
}
