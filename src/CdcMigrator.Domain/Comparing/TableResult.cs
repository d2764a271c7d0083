using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Comparing;

/// <summary>What one run found of one table.</summary>
/// <param name="Source">Source table.</param>
/// <param name="Target">Target table.</param>
/// <param name="Verdict">What was found; null while the table's pass is under way.</param>
/// <param name="Reason">Why, where that is not plain.</param>
/// <param name="RowsSource">Rows of the source that were compared.</param>
/// <param name="RowsTarget">Rows of the target that were compared.</param>
/// <param name="Wrong">Rows that are wrong.</param>
/// <param name="InFlight">Rows that were on their way each time they were compared.</param>
/// <param name="Evidence">The last snapshots that decided something.</param>
public sealed record TableResult(
    TableName Source, TableName Target, Verdict? Verdict, string? Reason, long RowsSource, long RowsTarget, long Wrong, long InFlight, string? Evidence);
