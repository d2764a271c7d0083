using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.Repair;

/// <summary>What became of a row that was to be repaired.</summary>
/// <param name="Key">The row.</param>
/// <param name="Action">What was done, or would be in a dry run.</param>
/// <param name="Fault">Why the row stays as it is; null where it is repaired.</param>
public sealed record RepairOutcome(RowKey Key, RepairAction Action, Fault? Fault);
