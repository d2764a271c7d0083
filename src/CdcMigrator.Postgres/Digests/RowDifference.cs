namespace CdcMigrator.Postgres.Digests;

/// <summary>One row that is not the same on both sides.</summary>
/// <param name="Key">Source key columns as text, column to value.</param>
/// <param name="Kind">How it differs.</param>
/// <param name="Columns">Source columns that differ; empty unless <see cref="DifferenceKind.Different"/>.</param>
public sealed record RowDifference(IReadOnlyDictionary<string, string?> Key, DifferenceKind Kind, IReadOnlyList<string> Columns);
