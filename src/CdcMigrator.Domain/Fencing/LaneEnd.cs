namespace CdcMigrator.Domain.Fencing;

/// <summary>How far a lane must have come.</summary>
/// <param name="Topic">Topic.</param>
/// <param name="Partition">Partition.</param>
/// <param name="End">Every record below this offset must have been applied.</param>
public sealed record LaneEnd(string Topic, int Partition, long End);
