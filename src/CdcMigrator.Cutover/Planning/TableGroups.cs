using CdcMigrator.Domain.Auditing;

namespace CdcMigrator.Cutover.Planning;

/// <summary>Finds the groups of tables that foreign keys hold together. Pure.</summary>
public static class TableGroups
{
    /// <summary>The groups, smallest first: the order in which to move them, for the first ones are the rehearsal of the last.</summary>
    public static IReadOnlyList<TableGroup> Of(AuditReport audit)
    {
        ArgumentNullException.ThrowIfNull(audit);
        var root = audit.Tables.ToDictionary(table => table.Table, table => table.Table, StringComparer.Ordinal);
        foreach (var key in audit.ForeignKeys.Where(key => root.ContainsKey(key.Table) && root.ContainsKey(key.References)))
        {
            root[Find(key.Table)] = Find(key.References);
        }

        var total = Math.Max(1, audit.Tables.Sum(table => table.Bytes));
        return
        [
            .. audit.Tables.GroupBy(table => Find(table.Table), StringComparer.Ordinal)
                .Select(group => new TableGroup(
                    [.. group.Select(table => table.Table).Order(StringComparer.Ordinal)], group.Sum(table => table.Rows), group.Sum(table => table.Bytes),
                    Math.Round(group.Sum(table => table.Bytes) / (double)total, 4)))
                .OrderBy(group => group.Bytes).ThenBy(group => group.Tables[0], StringComparer.Ordinal),
        ];

        string Find(string table)
        {
            while (root[table] != table)
            {
                table = root[table];
            }

            return table;
        }
    }
}
