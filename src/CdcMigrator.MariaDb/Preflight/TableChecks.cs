using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;

namespace CdcMigrator.MariaDb.Preflight;

/// <summary>Whether a table's changes can be captured and written to the table it goes to, by both catalogs. Pure.</summary>
internal static class TableChecks
{
    public static IEnumerable<Finding> Check(SourceTable table, TableRoute route)
    {
        var key = route.Key.Columns.Select(ordinal => route.SourceColumns[ordinal]).ToHashSet(StringComparer.Ordinal);
        if (table.Key.Count == 0)
        {
            yield return new(Severity.Error, "keyless", $"{table.Name} has no key: its rows cannot be told apart", "ALTER TABLE … ADD PRIMARY KEY (…) on both sides");
        }
        else if (!key.SetEquals(table.Key))
        {
            yield return new(Severity.Error, "key-differs", $"{table.Name} is identified by ({string.Join(", ", table.Key)}) in the source, by ({string.Join(", ", key)}) in the target", "Give both the same primary key");
        }

        foreach (var name in route.Mapping.Columns.Keys.Where(name => !table.Columns.Any(column => column.Name == name)))
        {
            yield return new Finding(Severity.Error, "unknown-column", $"'columns:' of {table.Name} names {name}, which the source's table does not have", "Correct the migration file") { Column = name };
        }

        foreach (var column in table.Columns)
        {
            // Debezium reads the whole table's definition, also of a column that is left out.
            if (column.Type is "inet4" or "inet6")
            {
                yield return new Finding(Severity.Error, "inet", $"Debezium cannot read a table with a column of type {column.Type}", "ALTER TABLE … MODIFY it to varchar(39) before the connector starts") { Column = column.Name };
            }
            else if (!route.IsExcluded(column.Name) && OfColumn(column, route, key) is { } finding)
            {
                yield return finding with { Column = column.Name };
            }
        }
    }

    private static Finding? OfColumn(SourceColumn column, TableRoute route, HashSet<string> key)
    {
        var ordinal = route.OrdinalOfSource(column.Name);
        if (ordinal < 0)
        {
            return new(Severity.Error, "missing-column", $"The target's {route.Target.Name} has no column for {column.Name} ({column.Declared})", "Add it, or use 'exclude:' or 'rename:'");
        }

        var target = route.Target.Columns[ordinal];
        if (target.Generated)
        {
            return null;
        }

        var mapping = route.MappingOf(ordinal);
        if (TypeFit.Unfit(column, target.Type, mapping, key.Contains(column.Name)) is { } unfit)
        {
            return new(Severity.Error, "type-unfit", $"Column {column.Name} does not fit: {unfit}", "docs/types-mariadb.md names the types that can take it");
        }

        if (MappingRules.Refuse(column, target.Type, mapping, key.Contains(column.Name)) is { } refused)
        {
            return new(Severity.Error, "mapping-unfit", $"What the migration file says of column {column.Name} cannot be done: {refused}", "Correct 'columns:' of the table; docs/configuration.md says what each setting is for");
        }

        if (key.Contains(column.Name) && column.Type == "enum" && column.Labels.Any(label => label.Contains(',', StringComparison.Ordinal)))
        {
            return new(Severity.Error, "label-comma", $"A label of key column {column.Name} holds a comma, which the connector writes with a backslash in front", "Rename the label in the source");
        }

        if (column.Type == "uuid" && key.Contains(column.Name))
        {
            return new(Severity.Warning, "uuid-key", $"Key column {column.Name} is a uuid: a value that ends or begins with a zero byte stops its lane", "Store it as char(36) or binary(16)");
        }

        if (TypeFit.Of(column, target.Type) == Fit.Source)
        {
            return new(Severity.Info, "read-again", $"Column {column.Name} is {column.Declared} in the source and {target.Type.Sql} in the target: its values are read from the source by key", "docs/types-mariadb.md names the types that are taken from events");
        }

        return target.NotNull && column.Nullable
            ? new(Severity.Warning, "null-refused", $"Column {column.Name} may be NULL in the source and not in the target: a NULL stops its lane", "ALTER TABLE … ALTER COLUMN … DROP NOT NULL in the target, or make sure there is none")
            : null;
    }
}
