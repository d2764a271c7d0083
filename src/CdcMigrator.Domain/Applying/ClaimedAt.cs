using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Applying;

/// <summary>A claim of a lane: a start, a crash, a rebalance, a lost connection.</summary>
/// <param name="Lane">The lane.</param>
/// <param name="NextOffset">Where it went on.</param>
/// <param name="At">When, by the target's clock.</param>
public sealed record ClaimedAt(LaneId Lane, long NextOffset, DateTimeOffset At);
