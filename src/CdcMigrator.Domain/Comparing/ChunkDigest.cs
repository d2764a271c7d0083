namespace CdcMigrator.Domain.Comparing;

/// <summary>Rows of a range and the exact sum of their 64-bit hashes. Equal digests mean equal rows but for a chance of about 2^-60.</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="Sum">Sum of the rows' hashes, without overflow.</param>
public readonly record struct ChunkDigest(long Rows, Int128 Sum);
