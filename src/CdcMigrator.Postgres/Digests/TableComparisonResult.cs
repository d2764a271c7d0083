using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Digests;

/// <summary>Result of comparing one table.</summary>
/// <param name="Route">The table.</param>
/// <param name="RowsSource">Rows in the source.</param>
/// <param name="RowsTarget">Rows in the target.</param>
/// <param name="Differences">Differing rows, at most as many as asked for.</param>
/// <param name="Columns">Source columns compared.</param>
public sealed record TableComparisonResult(
    TableRoute Route, long RowsSource, long RowsTarget, IReadOnlyList<RowDifference> Differences, IReadOnlyList<string> Columns)
{
    /// <summary>No row differs.</summary>
    public bool Equal => Differences.Count == 0 && RowsSource == RowsTarget;
}
