namespace CdcMigrator.Domain.Comparing;

/// <summary>A row of a sample. The same row may be there for several reasons, once each.</summary>
/// <param name="Stratum">Why it is there.</param>
/// <param name="Key">The row.</param>
public readonly record struct SampledKey(SampleStratum Stratum, RowKey Key);
