using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Whether one table's changes can be captured, and written to the table it maps to. Pure.</summary>
internal static class TableChecks
{
    public static IReadOnlyList<Finding> Check(TableMapping mapping, CatalogTable? source, CatalogTable? target, Func<ColumnType, Carriage>? carriage, SideWords sides)
    {
        var findings = new List<Finding>();
        if (source is null || source.Kind is not ('r' or 'p'))
        {
            findings.Add(new(Severity.Error, "missing-table", $"The {sides.Read} has no table {mapping.Source}", "Correct 'tables:' in the migration file"));
        }

        if (target is null || target.Kind is not ('r' or 'p'))
        {
            findings.Add(new(Severity.Error, "missing-table", $"The {sides.Written} has no table {mapping.Target}", $"Create the schema in the {sides.Written} first, for instance with pg_dump --schema-only"));
        }

        if (findings.Count == 0)
        {
            findings.AddRange(Capturing(mapping, source!, sides));
            findings.AddRange(Writing(target!, sides));
            findings.AddRange(mapping.Keyless ? [] : [.. TargetKey(target!, sides), .. Keys(mapping, source!, target!, carriage, sides)]);
            findings.AddRange(ColumnChecks.Check(mapping, source!, target!, carriage, sides));
        }

        return [.. findings.Select(finding => finding with { Table = mapping.Source.ToString() })];
    }

    /// <summary>The source's side alone: whether its changes can be captured, and what events carry of its columns.</summary>
    public static IEnumerable<Finding> Source(TableMapping mapping, CatalogTable source, Func<ColumnType, Carriage>? carriage) =>
        [.. Capturing(mapping, source, SideWords.Forward), .. ColumnChecks.Carried(mapping, source, carriage, SideWords.Forward)];

    private static IEnumerable<Finding> Capturing(TableMapping mapping, CatalogTable source, SideWords sides) =>
        Capture(source, sides).Concat(mapping.Keyless ? KeylessCapture(source, sides) : KeyCapture(source));

    private static IEnumerable<Finding> Capture(CatalogTable source, SideWords sides)
    {
        if (source.Unlogged)
        {
            yield return new(Severity.Error, "unlogged", $"{source.Name} is UNLOGGED: its changes are not in the log", $"ALTER TABLE {source.Name.Sql} SET LOGGED");
        }

        if (source.Kind == 'p')
        {
            yield return new(Severity.Warning, "partitioned", $"{source.Name} is partitioned: a TRUNCATE of one of its partitions is not published, and its rows only under its own name if publish_via_partition_root is on",
                "Delete the rows instead of truncating a partition; let the connector create its publication, with publish.via.partition.root=true");
        }

        if (source.LacksRights.Contains("SELECT"))
        {
            yield return new(Severity.Error, "permission", $"The role may not read {source.Name} in the {sides.Read}", $"GRANT SELECT ON {source.Name.Sql} to it");
        }

        if (source.RowSecurityApplies)
        {
            yield return new(Severity.Error, "row-security", $"Row level security of {source.Name} hides rows from the {sides.Read}'s role", "Use a role with BYPASSRLS");
        }

    }

    /// <summary>Without a key a row is found by all of its columns, exactly once as long as the log tells repeats.</summary>
    private static IEnumerable<Finding> KeylessCapture(CatalogTable source, SideWords sides)
    {
        if (source.ReplicaIdentity != 'f')
        {
            yield return new(Severity.Error, "replica-identity", $"{source.Name} is moved without a key, so its old rows must be in the log", $"ALTER TABLE {source.Name.Sql} REPLICA IDENTITY FULL");
        }

        yield return source.Keys.Count > 0
            ? new(Severity.Warning, "keyless-with-key", $"{source.Name} has a key ({source.Keys[0].Name}) and is moved as if it had none, one row at a time", "Remove 'keyless' from the table in the migration file")
            : new(Severity.Warning, "keyless", $"{source.Name} has no key: each change reads the {sides.Written}'s table for an equal row, and a snapshot that is interrupted has to be started over", $"ALTER TABLE {source.Name.Sql} ADD PRIMARY KEY (…) on both sides, where that is possible");
    }

    private static IEnumerable<Finding> KeyCapture(CatalogTable source)
    {
        var primary = source.Keys.FirstOrDefault(key => key.IsPrimary);
        if (primary is null && source.Keys.Count == 0 && !source.HasDeferrableKey)
        {
            yield return new(Severity.Error, "keyless", $"{source.Name} has no key: its rows cannot be told apart",
                $"ALTER TABLE {source.Name.Sql} ADD PRIMARY KEY (…) on both sides; or 'keyless: true' for it in the migration file, with REPLICA IDENTITY FULL");
        }
        else if (source.ReplicaIdentity == 'n')
        {
            yield return new(Severity.Error, "replica-identity", $"{source.Name} has REPLICA IDENTITY NOTHING: updates and deletes do not say which row", $"ALTER TABLE {source.Name.Sql} REPLICA IDENTITY DEFAULT");
        }
        else if (source.ReplicaIdentity == 'i' && primary is not null && source.IdentityIndex != primary.Name)
        {
            yield return new(Severity.Error, "replica-identity",
                $"{source.Name} has a primary key and REPLICA IDENTITY USING INDEX {source.IdentityIndex}: deletes arrive with a wrong key", $"ALTER TABLE {source.Name.Sql} REPLICA IDENTITY DEFAULT");
        }
        else if (source.ReplicaIdentity == 'd' && primary is null && !source.HasDeferrableKey)
        {
            yield return new(Severity.Error, "replica-identity", $"{source.Name} has a unique key but no primary key, so updates and deletes are not captured",
                $"ALTER TABLE {source.Name.Sql} REPLICA IDENTITY USING INDEX {TableName.Quote(source.Keys[0].Name)}");
        }
    }

    private static IEnumerable<Finding> Writing(CatalogTable target, SideWords sides)
    {
        if (target.LacksRights.Count > 0)
        {
            yield return new(Severity.Error, "permission", $"The {sides.Written}'s role lacks {string.Join(", ", target.LacksRights)} on {target.Name}", $"GRANT {string.Join(", ", target.LacksRights)} ON {target.Name.Sql} to it");
        }

        if (target.RowSecurityApplies)
        {
            yield return new(Severity.Error, "row-security", $"Row level security of {target.Name} applies to the {sides.Written}'s role", "Use a role with BYPASSRLS");
        }

        if (target.FiringTriggers.Count > 0)
        {
            yield return new(Severity.Warning, "trigger-fires", $"Triggers of {target.Name} fire for applied changes too: {string.Join(", ", target.FiringTriggers)}",
                $"ALTER TABLE {target.Name.Sql} DISABLE TRIGGER … until the cutover, unless that is meant");
        }
    }

    private static IEnumerable<Finding> TargetKey(CatalogTable target, SideWords sides)
    {
        if (target.Keys.Count == 0)
        {
            yield return new(Severity.Error, "keyless",
                target.HasDeferrableKey ? $"The primary key of {target.Name} in the {sides.Written} is deferrable: rows cannot be upserted by it" : $"{target.Name} has no key in the {sides.Written}",
                $"ALTER TABLE {target.Name.Sql} ADD PRIMARY KEY (…), not deferrable");
        }
    }

    private static IEnumerable<Finding> Keys(TableMapping mapping, CatalogTable source, CatalogTable target, Func<ColumnType, Carriage>? carriage, SideWords sides)
    {
        if (target.Keys.Count == 0 || source.Keys.Count == 0)
        {
            yield break;
        }

        var identity = source.Keys[0].IsPrimary ? source.Keys[0] : source.Keys.FirstOrDefault(key => key.Name == source.IdentityIndex) ?? source.Keys[0];
        var here = identity.Columns.Select(column => source.Columns[column].Column.Name).ToList();
        var there = target.Keys[0].Columns.Select(column => target.Columns[column].Column.Name).ToList();
        if (!here.Select(column => mapping.Rename.GetValueOrDefault(column, column)).ToHashSet().SetEquals(there))
        {
            yield return new(Severity.Error, "key-differs", $"{source.Name} is identified by ({string.Join(", ", here)}) in the {sides.Read}, {target.Name} by ({string.Join(", ", there)}) in the {sides.Written}", "Give both the same primary key");
        }

        foreach (var column in identity.Columns.Select(column => source.Columns[column]))
        {
            var name = mapping.Rename.GetValueOrDefault(column.Column.Name, column.Column.Name);
            if (target.Columns.FirstOrDefault(other => other.Column.Name == name) is { } into && IsAnotherKey(column, into))
            {
                yield return new Finding(Severity.Error, "key-type-differs", $"Key column {name} is {column.Declared} in the {sides.Read} and {into.Declared} in the {sides.Written}: keys may be rounded or spelled otherwise there, and rows not found by them",
                    $"ALTER TABLE {target.Name.Sql} ALTER COLUMN {TableName.Quote(name)} TYPE {column.Declared}")
                { Column = column.Column.Name };
            }
        }

        foreach (var column in here.Where(mapping.Exclude.Contains))
        {
            yield return new Finding(Severity.Error, "key-excluded", $"Column {column} is part of the key and cannot be excluded", "Remove it from 'exclude:'") { Column = column };
        }

        foreach (var column in here.Where(mapping.Reselect.Contains))
        {
            yield return new Finding(Severity.Error, "key-reselected", $"Column {column} is part of the key, by which rows are read from the {sides.Read}, and cannot be reselected", "Remove it from 'reselect:'") { Column = column };
        }

        foreach (var column in identity.Columns.Select(column => source.Columns[column]).Where(column => carriage?.Invoke(column.Column.Type) is Carriage.Never or Carriage.Unconvertible))
        {
            yield return new Finding(Severity.Error, "key-type", $"Column {column.Column.Name} ({column.Declared}) is part of the key, but events do not carry it faithfully: rows cannot be told apart by it",
                "Give the table a key of other types on both sides")
            { Column = column.Column.Name };
        }
    }

    /// <summary>Integers and texts of other lengths keep their spelling: a value that does not fit stops its lane. A scale or a precision rounds.</summary>
    private static bool IsAnotherKey(CatalogColumn source, CatalogColumn target)
    {
        var (from, to) = (source.Column.Type, target.Column.Type);
        return from.Kind != to.Kind || (from.Kind is not (ColumnKind.Integer or ColumnKind.Text) && source.Declared != target.Declared);
    }
}
