using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Applying;

/// <summary>A lane's row in the target's progress table: committed together with the data it describes.</summary>
/// <param name="Lane">Topic and partition.</param>
/// <param name="NextOffset">Every record below it has been applied, skipped by rule, or held no change.</param>
/// <param name="Position">Highest streamed position applied.</param>
/// <param name="Epoch">Grows whenever the lane changes owner; a write of an older epoch fails.</param>
/// <param name="UpdatedAt">When it moved last, by the target's clock.</param>
/// <param name="Frozen">Whether the lane is closed for good in this direction.</param>
public sealed record LaneProgress(LaneId Lane, long NextOffset, SourcePosition Position, long Epoch, DateTimeOffset UpdatedAt, bool Frozen)
{
    /// <summary><see cref="LogIdentity.ClusterId"/> of the last claim. An offset of another cluster, or of an ended embedded log, says nothing about this one.</summary>
    public string ClusterId { get; init; } = "";
}
