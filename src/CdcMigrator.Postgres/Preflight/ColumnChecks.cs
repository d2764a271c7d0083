using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Whether every column's values reach the target as they are. Pure.</summary>
internal static class ColumnChecks
{
    public static IEnumerable<Finding> Check(TableMapping mapping, CatalogTable source, CatalogTable target, Func<ColumnType, Carriage>? carriage, SideWords sides)
    {
        var there = target.Columns.ToDictionary(column => column.Column.Name, StringComparer.Ordinal);
        var fed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var column in source.Columns.Where(column => !mapping.Exclude.Contains(column.Column.Name)))
        {
            var name = mapping.Rename.GetValueOrDefault(column.Column.Name, column.Column.Name);
            fed.Add(name);
            var findings = there.TryGetValue(name, out var into) ? Between(column, into, mapping.Target, sides)
                : column.Column.Generated ? []
                : [new Finding(Severity.Error, "missing-column", $"The {sides.Written}'s {mapping.Target} has no column {name}", $"ALTER TABLE {mapping.Target.Sql} ADD COLUMN {TableName.Quote(name)} {column.Declared}, or use 'exclude:' or 'rename:'")];
            foreach (var finding in findings.Concat(Carried(mapping, column, carriage, sides)))
            {
                yield return finding with { Column = column.Column.Name };
            }
        }

        foreach (var name in mapping.Reselect.Except(source.Columns.Select(column => column.Column.Name)).Order(StringComparer.Ordinal))
        {
            yield return new Finding(Severity.Error, "missing-column", $"The {sides.Read}'s {mapping.Source} has no column {name}, which 'reselect:' names", "Correct 'reselect:' in the migration file") { Column = name };
        }

        foreach (var column in target.Columns.Select(column => column.Column).Where(column => !fed.Contains(column.Name) && column is { NotNull: true, HasDefault: false, Generated: false }))
        {
            var finding = new Finding(Severity.Error, "not-null-without-default",
                $"Column {column.Name} of {mapping.Target} is NOT NULL without a default, and the {sides.Read} does not fill it",
                $"ALTER TABLE {mapping.Target.Sql} ALTER COLUMN {TableName.Quote(column.Name)} SET DEFAULT …");
            yield return finding with { Column = column.Name };
        }
    }

    /// <summary>What events carry of a source's columns, whatever they go to.</summary>
    public static IEnumerable<Finding> Carried(TableMapping mapping, CatalogTable source, Func<ColumnType, Carriage>? carriage, SideWords sides) =>
        source.Columns.Where(column => !mapping.Exclude.Contains(column.Column.Name))
            .SelectMany(column => Carried(mapping, column, carriage, sides).Select(finding => finding with { Column = column.Column.Name }));

    private static IEnumerable<Finding> Carried(TableMapping mapping, CatalogColumn column, Func<ColumnType, Carriage>? carriage, SideWords sides) =>
        carriage is null || column.Column.Generated ? [] : mapping.Keyless ? CarriedWithoutKey(column, carriage(column.Column.Type), sides)
            : mapping.Reselect.Contains(column.Column.Name) ? [] : Carried(column, carriage(column.Column.Type), sides);

    private static IEnumerable<Finding> Between(CatalogColumn source, CatalogColumn target, TableName table, SideWords sides)
    {
        if (source.Column.Generated || target.Column.Generated)
        {
            if (source.Column.Generated != target.Column.Generated)
            {
                yield return new(Severity.Warning, "generated-differs", $"Column {target.Column.Name} is generated in the {(target.Column.Generated ? sides.Written : sides.Read)} only; "
                    + (target.Column.Generated ? $"the {sides.Read}'s value is not written" : "events of updates do not carry it"), "Generate it on both sides or on none, or exclude it: its values are compared");
            }

            yield break;
        }

        if (!CanTake(target.Column.Type.Kind, source.Column.Type.Kind))
        {
            yield return new(Severity.Error, "type-unfit", $"Column {target.Column.Name} is {source.Declared} in the {sides.Read} and {target.Declared} in the {sides.Written}, which takes no value of it",
                $"ALTER TABLE {table.Sql} ALTER COLUMN {TableName.Quote(target.Column.Name)} TYPE {source.Declared}, or 'exclude:' it");
        }
        else if (Unqualified(source.Declared) != Unqualified(target.Declared))
        {
            yield return new(Severity.Warning, "type-differs", $"Column {target.Column.Name} is {source.Declared} in the {sides.Read} and {target.Declared} in the {sides.Written}: a value that does not fit stops its lane",
                $"ALTER TABLE {table.Sql} ALTER COLUMN {TableName.Quote(target.Column.Name)} TYPE {source.Declared}, unless the change is meant");
        }

        if (target.Column.NotNull && !source.Column.NotNull)
        {
            yield return new(Severity.Warning, "null-refused", $"Column {target.Column.Name} may be NULL in the {sides.Read} and not in the {sides.Written}: a NULL stops its lane",
                $"ALTER TABLE {table.Sql} ALTER COLUMN {TableName.Quote(target.Column.Name)} DROP NOT NULL, or make sure there is none");
        }
    }

    private static IEnumerable<Finding> CarriedWithoutKey(CatalogColumn column, Carriage carriage, SideWords sides)
    {
        if (carriage is Carriage.Never or Carriage.Unconvertible)
        {
            yield return new(Severity.Error, "keyless-column", $"Events cannot carry {column.Declared} faithfully, and without a key column {column.Column.Name} cannot be read from the {sides.Read}", "Exclude the column, or give the table a primary key");
        }
    }

    /// <summary>What events do to the value (docs/types.md): never wrong in the target, but not for free.</summary>
    private static IEnumerable<Finding> Carried(CatalogColumn column, Carriage carriage, SideWords sides)
    {
        var name = column.Column.Name;
        if (carriage == Carriage.Unconvertible && column.Column.NotNull)
        {
            yield return new(Severity.Error, "unconvertible", $"The connector cannot convert {column.Declared}: it stops at the first row, because column {name} is NOT NULL",
                $"Add 'reselect: [{name}]' to the table in the migration file before 'cdcm connector register', so that the connector leaves the column out and it is read from the {sides.Read} by key");
        }
        else if (carriage is Carriage.Never or Carriage.Unconvertible)
        {
            yield return new(Severity.Warning, "reselected-type", $"Events cannot carry {column.Declared} faithfully: column {name} is read from the {sides.Read} again for every change of a row", $"Nothing to do where the {sides.Read} can bear a read by key a changed row");
        }
    }

    /// <summary>Whether some text of the one kind is a value of the other; of texts, which are many types, that is not known.</summary>
    private static bool CanTake(ColumnKind into, ColumnKind from) => from == into || from is ColumnKind.Text or ColumnKind.Opaque || into is ColumnKind.Text or ColumnKind.Opaque || (from, into) switch
    {
        (ColumnKind.Integer or ColumnKind.Numeric or ColumnKind.Float or ColumnKind.Money, ColumnKind.Integer or ColumnKind.Numeric or ColumnKind.Float or ColumnKind.Money) => true,
        (ColumnKind.Integer, ColumnKind.Boolean or ColumnKind.Bit or ColumnKind.VarBit) or (ColumnKind.Bit or ColumnKind.VarBit, ColumnKind.Integer or ColumnKind.Numeric or ColumnKind.Boolean) => true,
        (ColumnKind.Bit, ColumnKind.VarBit) or (ColumnKind.VarBit, ColumnKind.Bit) => true,
        (ColumnKind.Date or ColumnKind.Timestamp or ColumnKind.TimestampTz, ColumnKind.Date or ColumnKind.Timestamp or ColumnKind.TimestampTz) => true,
        (ColumnKind.Time or ColumnKind.TimeTz, ColumnKind.Time or ColumnKind.TimeTz or ColumnKind.Interval) or (ColumnKind.Interval, ColumnKind.Time or ColumnKind.TimeTz) => true,
        (ColumnKind.Timestamp or ColumnKind.TimestampTz, ColumnKind.Time or ColumnKind.TimeTz) => true,
        _ => false,
    };

    /// <summary>Types of another schema may have moved: only the name and modifier are compared.</summary>
    private static string Unqualified(string declared) => declared[(declared.LastIndexOf('.') + 1)..];
}
