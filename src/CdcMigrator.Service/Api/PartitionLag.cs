using CdcMigrator.Domain.Status;

namespace CdcMigrator.Service.Api;

/// <summary>Lag of one partition.</summary>
/// <param name="Topic">Topic.</param>
/// <param name="Partition">Partition.</param>
/// <param name="NextOffset">Committed next offset; -1 before the claim.</param>
/// <param name="EndOffset">End of the partition; -1 before it is known.</param>
/// <param name="Records">Records between the two.</param>
/// <param name="Seconds">Age of the oldest change not yet applied.</param>
/// <param name="State">What the lane is doing.</param>
/// <param name="Fault">Why it halted or retries; null while all is well.</param>
public sealed record PartitionLag(
    string Topic, int Partition, long NextOffset, long EndOffset, long Records, double Seconds, LaneState State, FaultReport? Fault);
