namespace CdcMigrator.Cutover.Draining;

/// <summary>One partition in a drain proof.</summary>
/// <param name="Topic">Topic.</param>
/// <param name="Partition">Partition.</param>
/// <param name="EndOffset">End taken after the slot had confirmed the marker.</param>
/// <param name="NextOffset">Progress committed in the target; 0 where the lane has none.</param>
public sealed record DrainLane(string Topic, int Partition, long EndOffset, long NextOffset)
{
    /// <summary>Whether the target has everything up to the end.</summary>
    public bool Reached => NextOffset >= EndOffset;
}
