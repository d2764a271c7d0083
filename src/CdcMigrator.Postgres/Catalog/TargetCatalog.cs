using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>Joins a migration's table mappings with the target's catalog.</summary>
public static class TargetCatalog
{
    /// <summary>
    /// Loads the routes. Rows are identified by the target's primary key, or without one by the first unique index over NOT NULL columns
    /// that is neither partial nor on expressions nor deferrable. To be called again when the target's schema may have changed.
    /// </summary>
    /// <exception cref="FaultException">
    /// Configuration <c>missing-table</c> (a table, or a column that a rename names, does not exist) or <c>keyless</c>; one fault names all of
    /// them. Unreachable: the target does not answer.
    /// </exception>
    public static async Task<RouteTable> LoadAsync(NpgsqlDataSource target, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(mappings);
        IReadOnlyDictionary<TableName, CatalogTable> tables;
        try
        {
            tables = await CatalogReader.ReadAsync(target, [.. mappings.Select(mapping => mapping.Target).Distinct()], cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }

        var missing = new List<string>();
        var keyless = new List<string>();
        var routes = new List<TableRoute>();
        foreach (var mapping in mappings)
        {
            if (!tables.TryGetValue(mapping.Target, out var table) || table.Kind is not ('r' or 'p'))
            {
                missing.Add(table is null ? $"table {mapping.Target}" : $"table {mapping.Target} (there is something else of that name)");
                continue;
            }

            var described = table.ToTargetTable();
            missing.AddRange(mapping.Rename.Values.Where(column => described.IndexOf(column) < 0).Order(StringComparer.Ordinal).Select(column => $"column {mapping.Target}.{column}"));
            if (mapping.Keyless)
            {
                routes.Add(new TableRoute(mapping, described, UniqueKey.None));
                continue;
            }

            if (table.Keys.Count == 0)
            {
                keyless.Add(table.HasDeferrableKey ? $"{mapping.Target} (its primary key is deferrable)" : mapping.Target.ToString());
                continue;
            }

            routes.Add(new TableRoute(mapping, described, table.Keys[0]));
        }

        if (missing.Count > 0)
        {
            throw new FaultException(FaultKind.Configuration, "missing-table", $"The target lacks {string.Join(", ", missing)}",
                "Create the schema in the target first (your migration tool, or pg_dump --schema-only), or correct 'tables:' in the migration file");
        }

        if (keyless.Count > 0)
        {
            throw new FaultException(FaultKind.Configuration, "keyless", $"No key identifies the rows of {string.Join(", ", keyless)} in the target",
                "Add one on both sides: ALTER TABLE … ADD PRIMARY KEY (…), not deferrable; or say 'keyless: true' for the table in the migration file");
        }

        return new RouteTable(routes);
    }
}
