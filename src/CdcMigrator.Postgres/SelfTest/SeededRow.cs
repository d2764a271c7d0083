using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.SelfTest;

/// <summary>A row that a seed makes wrong.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Kind">How it then differs.</param>
/// <param name="Columns">The columns that differ, in the table's order; none for a row that is on one side only.</param>
public sealed record SeededRow(long Number, DifferenceKind Kind, params IReadOnlyList<string> Columns);
