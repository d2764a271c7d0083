using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Preflight;

/// <summary>Looks for values that cannot be carried, and for changes that are in no binlog.</summary>
internal static class ValueChecks
{
    /// <summary>For all columns of a table together.</summary>
    private static readonly TimeSpan LongestScan = TimeSpan.FromSeconds(10);

    private const string Cascades = """
        select constraint_name, delete_rule, update_rule from information_schema.referential_constraints
        where constraint_schema = @schema and table_name = @name and (delete_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT') or update_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT'))
        """;

    public static async Task<IReadOnlyList<Finding>> CheckAsync(MySqlConnection connection, SourceTable table, TableRoute route, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>(await CascadesAsync(connection, table.Name, cancellationToken));
        var left = LongestScan;
        var unseen = new List<string>();
        foreach (var column in table.Columns)
        {
            var ordinal = route.OrdinalOfSource(column.Name);
            if (ordinal < 0 || route.IsExcluded(column.Name) || route.Target.Columns[ordinal].Generated)
            {
                continue;
            }

            foreach (var probe in ValueProbe.Of(column, route.Target.Columns[ordinal], route.MappingOf(ordinal), table.Name))
            {
                var began = TimeProvider.System.GetTimestamp();
                var found = left > TimeSpan.Zero ? await FindAsync(connection, $"select 1 from {MariaDbConnections.Sql(table.Name)} where {probe.Predicate} limit 1", left, cancellationToken) : null;
                left -= TimeProvider.System.GetElapsedTime(began);
                if (found == true)
                {
                    findings.Add(probe.Found with { Column = column.Name });
                    break;
                }

                if (found is null && !unseen.Contains(column.Name))
                {
                    unseen.Add(column.Name);
                }
            }
        }

        if (unseen.Count > 0)
        {
            findings.Add(new(Severity.Info, "not-scanned", $"Columns {string.Join(", ", unseen)} were not looked through within {LongestScan.TotalSeconds:0} s for values that cannot be carried",
                "Look yourself where they may hold zero dates, U+0000 or numbers that do not fit; a row with one stops its lane"));
        }

        return findings;
    }

    /// <summary>Foreign keys that change rows of a table without the binlog saying so.</summary>
    public static async Task<IReadOnlyList<Finding>> CascadesAsync(MySqlConnection connection, TableName table, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        await using var command = new MySqlCommand(Cascades, connection);
        command.Parameters.AddWithValue("@schema", table.Schema);
        command.Parameters.AddWithValue("@name", table.Name);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            findings.Add(new(Severity.Error, "cascade",
                $"Constraint {reader.GetString(0)} changes rows of {table} with those they refer to (on delete {reader.GetString(1)}, on update {reader.GetString(2)}); such changes are not in the binlog",
                "Make it RESTRICT until the migration is over, and let the application change both tables"));
        }

        return findings;
    }

    /// <summary>Null where the scan took too long.</summary>
    private static async Task<bool?> FindAsync(MySqlConnection connection, string sql, TimeSpan longest, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new MySqlCommand(sql, connection) { CommandTimeout = Math.Max(1, (int)Math.Ceiling(longest.TotalSeconds)) };
            return await command.ExecuteScalarAsync(cancellationToken) is not null;
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted)
        {
            return null;
        }
    }
}
