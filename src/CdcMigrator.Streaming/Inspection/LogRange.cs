namespace CdcMigrator.Streaming.Inspection;

/// <summary>Offsets a partition holds: [<paramref name="Start"/>, <paramref name="End"/>).</summary>
/// <param name="Start">First offset not yet deleted.</param>
/// <param name="End">Offset the next record will get.</param>
public readonly record struct LogRange(long Start, long End);
