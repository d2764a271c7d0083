using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>Where an event's columns are not the target's any more (invariant A11). The lane halts in front of it and tries again by itself.</summary>
internal static class SchemaDrift
{
    /// <summary>Code of an event with columns the target lacks.</summary>
    public const string UnknownColumn = "unknown-column";

    /// <summary>Code of an event without a column the target cannot do without.</summary>
    public const string MissingValue = "column-not-in-event";

    /// <summary>Columns of the event that the target lacks, with the target's columns that the event has no value for: together they may be a rename.</summary>
    public static FaultException UnknownColumns(TablePlan table, IReadOnlyList<string> unknown, IReadOnlyList<string> unfed)
    {
        var target = table.Route!.Target.Name;
        var columns = unknown.Count == 1 ? $"column {unknown[0]}" : $"columns {string.Join(", ", unknown)}";
        var message = $"Source {columns} of {table.Name} {(unknown.Count == 1 ? "does" : "do")} not exist in target table {target}";
        var fix = "Add the column to the target or exclude it in the migration file; the lane resumes by itself";
        if (unfed.Count > 0)
        {
            message += $", and the event has no value for {string.Join(", ", unfed)} of the target";
            fix = unknown.Count == 1 && unfed.Count == 1
                ? $"If it was renamed in the source: ALTER TABLE {target.Sql} RENAME COLUMN {TableName.Quote(unfed[0])} TO {TableName.Quote(unknown[0])}. Else add the column to the target or exclude it in the migration file; the lane resumes by itself"
                : "Rename in the target what was renamed in the source, add what was added, or exclude it in the migration file; the lane resumes by itself";
        }

        return new FaultException(new Fault(FaultKind.Poison, UnknownColumn, message, fix));
    }

    /// <summary>A new row needs every column that is NOT NULL without a default; one that the event lacks was most likely dropped in the source.</summary>
    /// <exception cref="FaultException">Poison: a required column has no field in the event.</exception>
    public static void CheckRequired(TablePlan table, ChangeBatch batch)
    {
        foreach (var ordinal in table.Required)
        {
            if (batch.OpenSlot(ordinal).State == ColumnState.Absent)
            {
                var target = table.Route!.Target;
                var column = target.Columns[ordinal].Name;
                throw new FaultException(new Fault(
                    FaultKind.Poison,
                    MissingValue,
                    $"The event of {table.Name} has no value for column {column} of {target.Name}, which is NOT NULL without a default",
                    $"If the source dropped the column: ALTER TABLE {target.Name.Sql} ALTER COLUMN {TableName.Quote(column)} DROP NOT NULL, or DROP COLUMN {TableName.Quote(column)}; the lane resumes by itself"));
            }
        }
    }
}
