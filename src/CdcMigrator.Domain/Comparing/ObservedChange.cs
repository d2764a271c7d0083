using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Comparing;

/// <summary>A change as the reconciler's own reader met it: which row, and where it stands. Its values are never looked at.</summary>
/// <param name="Table">Source table.</param>
/// <param name="Key">The row; null where the change is of all rows (a truncate), or the table has no key.</param>
/// <param name="Mark">Where it stands.</param>
public readonly record struct ObservedChange(TableName Table, RowKey? Key, ChangeMark Mark);
