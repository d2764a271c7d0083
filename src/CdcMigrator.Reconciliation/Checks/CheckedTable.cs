using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Changes;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>A table, and what the reader met of its changes.</summary>
/// <param name="Table">The table.</param>
/// <param name="Topic">Topic that has its changes.</param>
/// <param name="Index">Its changes.</param>
public sealed record CheckedTable(ComparedTable Table, string Topic, ChangeIndex Index);
