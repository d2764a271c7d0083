namespace CdcMigrator.Domain.Comparing;

/// <summary>One row that is wrong: it differs between two snapshots and no change explains it.</summary>
/// <param name="Key">The row.</param>
/// <param name="Kind">How it differs.</param>
/// <param name="Columns">Source names of the columns that differ; empty for a row that is on one side only, or that was not looked at closer.</param>
public sealed record RowMismatch(RowKey Key, DifferenceKind Kind, IReadOnlyList<string> Columns);
