using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Whether every column's values reach the target as they are. Pure.</summary>
internal static class ColumnChecks
{
    public static IEnumerable<Finding> Check(TableMapping mapping, CatalogTable source, CatalogTable target, LogKind log)
    {
        var there = target.Columns.ToDictionary(column => column.Column.Name, StringComparer.Ordinal);
        var fed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var column in source.Columns.Where(column => !mapping.Exclude.Contains(column.Column.Name)))
        {
            var name = mapping.Rename.GetValueOrDefault(column.Column.Name, column.Column.Name);
            fed.Add(name);
            var findings = there.TryGetValue(name, out var into) ? Between(column, into, mapping.Target)
                : column.Column.Generated ? []
                : [new Finding(Severity.Error, "missing-column", $"The target's {mapping.Target} has no column {name}", $"ALTER TABLE {mapping.Target.Sql} ADD COLUMN {TableName.Quote(name)} {column.Declared}, or use 'exclude:' or 'rename:'")];
            foreach (var finding in findings.Concat(log == LogKind.Kafka && !column.Column.Generated ? mapping.Keyless ? CarriedWithoutKey(column) : Carried(column, source) : []))
            {
                yield return finding with { Column = column.Column.Name };
            }
        }

        foreach (var column in target.Columns.Select(column => column.Column).Where(column => !fed.Contains(column.Name) && column is { NotNull: true, HasDefault: false, Generated: false }))
        {
            var finding = new Finding(Severity.Error, "not-null-without-default",
                $"Column {column.Name} of {mapping.Target} is NOT NULL without a default, and the source does not fill it",
                $"ALTER TABLE {mapping.Target.Sql} ALTER COLUMN {TableName.Quote(column.Name)} SET DEFAULT …");
            yield return finding with { Column = column.Name };
        }
    }

    private static IEnumerable<Finding> Between(CatalogColumn source, CatalogColumn target, TableName table)
    {
        if (source.Column.Generated || target.Column.Generated)
        {
            if (source.Column.Generated != target.Column.Generated)
            {
                yield return new(Severity.Warning, "generated-differs", $"Column {target.Column.Name} is generated in the {(target.Column.Generated ? "target" : "source")} only; "
                    + (target.Column.Generated ? "the source's value is not written" : "events of updates do not carry it"), "Generate it on both sides, or on none");
            }

            yield break;
        }

        if (Unqualified(source.Declared) != Unqualified(target.Declared))
        {
            yield return new(Severity.Warning, "type-differs", $"Column {target.Column.Name} is {source.Declared} in the source and {target.Declared} in the target: a value that does not fit stops its lane",
                $"ALTER TABLE {table.Sql} ALTER COLUMN {TableName.Quote(target.Column.Name)} TYPE {source.Declared}, unless the change is meant");
        }

        if (target.Column.NotNull && !source.Column.NotNull)
        {
            yield return new(Severity.Warning, "null-refused", $"Column {target.Column.Name} may be NULL in the source and not in the target: a NULL stops its lane",
                $"ALTER TABLE {table.Sql} ALTER COLUMN {TableName.Quote(target.Column.Name)} DROP NOT NULL, or make sure there is none");
        }
    }

    private static IEnumerable<Finding> CarriedWithoutKey(CatalogColumn column)
    {
        if (IsReselected(column.Column.Type))
        {
            yield return new(Severity.Error, "keyless-column", $"Events cannot carry {column.Declared} faithfully, and without a key column {column.Column.Name} cannot be read from the source", "Exclude the column, or give the table a primary key");
        }
    }

    /// <summary>What Debezium's events do to the value (see docs on types): never wrong in the target, but not for free.</summary>
    private static IEnumerable<Finding> Carried(CatalogColumn column, CatalogTable source)
    {
        var type = column.Column.Type;
        if (IsReselected(type))
        {
            yield return new(Severity.Warning, "reselected-type", $"Events cannot carry {column.Declared} faithfully: column {column.Column.Name} is read from the source again for every change of a row", "Nothing to do where the source can bear a read by key a changed row");
        }
        else if (column.Toastable && source.ReplicaIdentity != 'f' && IsNullWhenUnchanged(type))
        {
            yield return new(Severity.Warning, "toast-null", $"An unchanged large value of column {column.Column.Name} ({column.Declared}) arrives as NULL, or stops the connector if its failure mode is 'fail'",
                $"ALTER TABLE {source.Name.Sql} REPLICA IDENTITY FULL");
        }
    }

    private static bool IsReselected(ColumnType type) => type.Kind is ColumnKind.TimeTz or ColumnKind.VarBit || (type.Element is { } element
        && (element.Kind is ColumnKind.Money or ColumnKind.Interval or ColumnKind.VarBit or ColumnKind.Point or ColumnKind.Bit or ColumnKind.Opaque
                or ColumnKind.Time or ColumnKind.TimeTz or ColumnKind.Date or ColumnKind.TimestampTz
            || element.BaseName is "name" or "xml" or "ltree" or "tsvector"));

    private static bool IsNullWhenUnchanged(ColumnType type) => type.Kind == ColumnKind.Bit
        || type.Element is { } element && element.BaseName is not ("text" or "varchar" or "bpchar" or "json" or "jsonb" or "int4" or "int8" or "uuid" or "bytea");

    /// <summary>Types of another schema may have moved: only the name and modifier are compared.</summary>
    private static string Unqualified(string declared) => declared[(declared.LastIndexOf('.') + 1)..];
}
