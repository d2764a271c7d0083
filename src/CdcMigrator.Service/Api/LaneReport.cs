using CdcMigrator.Domain.Status;

namespace CdcMigrator.Service.Api;

/// <summary>A lane in <see cref="StatusReport"/>.</summary>
/// <param name="Topic">Topic.</param>
/// <param name="Partition">Partition.</param>
/// <param name="NextOffset">Committed next offset; -1 before the claim.</param>
/// <param name="EndOffset">End of the partition; -1 before it is known.</param>
/// <param name="State">What the lane is doing. <see cref="LaneState.Revoked"/>: another process has it.</param>
public sealed record LaneReport(string Topic, int Partition, long NextOffset, long EndOffset, LaneState State);
