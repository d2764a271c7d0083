using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Drift;

/// <summary>
/// Compares a source table with what it was and with the target's (invariant A11). Attribute numbers tell a rename from a drop and an
/// addition, and a column that was dropped and added again from one that stayed. Pure.
/// </summary>
internal static class DriftRules
{
    /// <summary>Compares one table.</summary>
    /// <param name="mapping">How it maps.</param>
    /// <param name="recorded">The source table as last seen; null the first time.</param>
    /// <param name="now">The source table of that name now; null where there is none.</param>
    /// <param name="movedTo">What the recorded table is called now, if something else.</param>
    /// <param name="target">The target table.</param>
    public static TableDrift Compare(TableMapping mapping, TableShape? recorded, TableShape? now, TableName? movedTo, TableShape target)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        ArgumentNullException.ThrowIfNull(target);
        if (now is null || (recorded is not null && recorded.Oid != now.Oid))
        {
            var (finding, reason) = Replaced(mapping.Source, now, movedTo);
            return new TableDrift([finding with { Table = mapping.Source.ToString() }], reason, Halts: reason is not null);
        }

        var comparison = new Comparison(mapping, recorded ?? now, now, target);
        return new TableDrift(
            [.. comparison.Columns().Concat(comparison.Key()).Select(finding => finding with { Table = mapping.Source.ToString() })],
            comparison.ResyncReason, comparison.Halts);
    }

    private static (Finding Finding, string? ResyncReason) Replaced(TableName source, TableShape? now, TableName? movedTo)
    {
        if (now is not null)
        {
            var what = movedTo is { } moved ? $"was renamed to {moved}, and another table has its name now" : "was dropped and created again";
            return (new Finding(Severity.Error, "table-replaced", $"Source table {source} {what}: the connector does not read the new one",
                $"Run 'cdcm connector register -f FILE', then 'cdcm tables resync {source}'"), $"the source table {what}");
        }

        return (movedTo is { } name
            ? new Finding(Severity.Error, "table-renamed", $"Source table {source} was renamed to {name}: its changes go on arriving under the old name, until the connector restarts; then they are lost",
                $"In the source: ALTER TABLE {name.Sql} RENAME TO {TableName.Quote(source.Name)}{(name.Schema == source.Schema ? "" : $", SET SCHEMA {TableName.Quote(source.Schema)}")}; "
                + "or put the new name into 'tables:' with the old target, run 'cdcm connector register -f FILE', restart the service and resync the table")
            : new Finding(Severity.Error, "table-dropped", $"Source table {source} is gone", "Remove it from 'tables:' and run 'cdcm connector register -f FILE', or restore it"), null);
    }

    private sealed class Comparison(TableMapping mapping, TableShape recorded, TableShape now, TableShape target)
    {
        private readonly HashSet<string> renamed = [];

        public string? ResyncReason { get; private set; }

        public bool Halts { get; private set; }

        public IEnumerable<Finding> Columns()
        {
            foreach (var old in recorded.Columns.Where(column => !column.Generated && !mapping.Exclude.Contains(column.Name)))
            {
                if ((now.Find(old.Number) is { } same ? Kept(old, same) : Gone(old)) is { } finding)
                {
                    yield return finding;
                }
            }

            foreach (var column in now.Columns.Where(column => !mapping.Exclude.Contains(column.Name) && !renamed.Contains(column.Name)))
            {
                if (target.Find(InTarget(column.Name)) is null)
                {
                    yield return Added(column);
                }

                NoteFilled(column);
            }
        }

        public IEnumerable<Finding> Key()
        {
            var here = now.Key.Select(InTarget).ToHashSet(StringComparer.Ordinal);
            var there = target.Key.ToHashSet(StringComparer.Ordinal);
            if (!recorded.Key.SequenceEqual(now.Key) && here.Count > 0 && there.Count > 0 && !here.SetEquals(there))
            {
                yield return new Finding(Severity.Error, "key-changed",
                    $"The primary key of source table {mapping.Source} is ({string.Join(", ", now.Key)}) now, it was ({string.Join(", ", recorded.Key)})",
                    $"Give the target the same: drop the primary key of {mapping.Target.Sql}, then ALTER TABLE {mapping.Target.Sql} ADD PRIMARY KEY ({string.Join(", ", now.Key.Select(column => TableName.Quote(InTarget(column))))})");
            }
        }

        private Finding? Kept(ShapeColumn old, ShapeColumn column)
        {
            var (before, after) = (InTarget(old.Name), InTarget(column.Name));
            if (before != after && target.Find(after) is null && target.Find(before) is not null)
            {
                renamed.Add(column.Name);
                return new Finding(Severity.Error, "column-renamed", $"Column {old.Name} of source table {mapping.Source} is called {column.Name} now; the target has {before} still",
                    $"ALTER TABLE {mapping.Target.Sql} RENAME COLUMN {TableName.Quote(before)} TO {TableName.Quote(after)}")
                { Column = column.Name };
            }

            if (old.Declared == column.Declared)
            {
                return null;
            }

            var rewritten = !KeepsValues(old.Declared, column.Declared);
            if (rewritten)
            {
                ResyncReason = $"column {column.Name} became {column.Declared}, it was {old.Declared}: the source rewrote its rows without events";
            }

            if (target.Find(after) is not { } there || Unqualified(there.Declared) == Unqualified(column.Declared))
            {
                return null;
            }

            Halts |= rewritten;
            return new Finding(rewritten ? Severity.Error : Severity.Warning, "column-retyped",
                $"Column {column.Name} of source table {mapping.Source} is {column.Declared} now, it was {old.Declared}; the target has {there.Declared}",
                $"ALTER TABLE {mapping.Target.Sql} ALTER COLUMN {TableName.Quote(after)} TYPE {column.Declared} USING {TableName.Quote(after)}::{column.Declared}, or with the USING the source had")
            { Column = column.Name };
        }

        private Finding? Gone(ShapeColumn old)
        {
            var name = InTarget(old.Name);
            if (now.Find(old.Name) is not null)
            {
                ResyncReason = $"column {old.Name} was dropped in the source and added again: rows that were not changed since keep its old value here";
                return null;
            }

            if (target.Find(name) is not { Generated: false } there)
            {
                return null;
            }

            var needed = there is { NotNull: true, Default: null, Identity: false };
            return new Finding(needed ? Severity.Error : Severity.Warning, "column-dropped",
                $"Column {old.Name} of source table {mapping.Source} was dropped; the target's {name} stays as it is"
                + (needed ? ", and refuses new rows without it" : ", and new rows get its default"),
                $"ALTER TABLE {mapping.Target.Sql} DROP COLUMN {TableName.Quote(name)}{(needed ? $", or ALTER COLUMN {TableName.Quote(name)} DROP NOT NULL" : "")}; or list it under 'exclude:' to keep it")
            { Column = old.Name };
        }

        private Finding Added(ShapeColumn column)
        {
            var kind = column.Generated ? $" GENERATED ALWAYS AS ({column.Default}) STORED"
                : column.Identity ? " GENERATED BY DEFAULT AS IDENTITY"
                : column.Default is { } value ? $" DEFAULT {value}{(column.NotNull ? " NOT NULL" : "")}" : "";
            return new Finding(Severity.Error, "column-added", $"Source table {mapping.Source} has column {column.Name}, which the target lacks",
                $"ALTER TABLE {mapping.Target.Sql} ADD COLUMN {TableName.Quote(InTarget(column.Name))} {column.Declared}{kind}")
            { Column = column.Name };
        }

        /// <summary>A default that is not kept in the catalog was written into each row that was there: no event tells its value.</summary>
        private void NoteFilled(ShapeColumn column)
        {
            if (recorded.Find(column.Number) is null && recorded.Find(column.Name) is null && !column.Generated && (column.Identity || column.Default is not null) && !column.FilledByCatalog)
            {
                ResyncReason = $"column {column.Name} was added with a default that the source wrote into existing rows without events";
            }
        }

        private string InTarget(string column) => mapping.Rename.GetValueOrDefault(column, column);

        /// <summary>Changes of type after which every value has the text it had.</summary>
        private static bool KeepsValues(string before, string after) => (Family(before), Family(after)) is var (one, other) && one == other && one.Length > 0;

        private static string Family(string declared) => declared switch
        {
            "smallint" or "integer" or "bigint" => "integer",
            "text" => "text",
            _ when declared.StartsWith("character varying", StringComparison.Ordinal) => "text",
            _ when declared == "numeric" => "numeric",
            _ => "",
        };

        private static string Unqualified(string declared) => declared[(declared.LastIndexOf('.') + 1)..];
    }
}
