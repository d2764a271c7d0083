namespace CdcMigrator.Cutover.Switching;

/// <summary>What the fence left in the log.</summary>
/// <param name="Marker">Id of the row that was written with the fence, in one transaction.</param>
/// <param name="Lsn">Position read behind that commit: everything that was ever committed before the fence lies below it.</param>
public sealed record FencePosition(string Marker, ulong Lsn);
