namespace CdcMigrator.Domain.Log;

/// <summary>Outcome of decoding one record.</summary>
/// <param name="Kind">What the record was.</param>
/// <param name="SourceTimestampMs">Commit time at the source, Unix milliseconds; 0 where the record has none.</param>
/// <param name="SchemaId">Schema to load, for <see cref="DecodeKind.NeedsSchema"/>.</param>
/// <param name="Fence">The row, for <see cref="DecodeKind.Fence"/>.</param>
public readonly record struct DecodeResult(DecodeKind Kind, long SourceTimestampMs = 0, int SchemaId = 0, FenceRow? Fence = null);
