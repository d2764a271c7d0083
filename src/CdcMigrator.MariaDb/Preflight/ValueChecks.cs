using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Preflight;

/// <summary>Looks for values that cannot be carried, and for changes that are in no binlog.</summary>
internal static class ValueChecks
{
    private const int LongestScanSeconds = 10;

    private const string Cascades = """
        select constraint_name, delete_rule, update_rule from information_schema.referential_constraints
        where constraint_schema = @schema and table_name = @name and (delete_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT') or update_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT'))
        """;

    public static async Task<IReadOnlyList<Finding>> CheckAsync(MySqlConnection connection, SourceTable table, TableMapping mapping, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        await using (var command = new MySqlCommand(Cascades, connection))
        {
            command.Parameters.AddWithValue("@schema", table.Name.Schema);
            command.Parameters.AddWithValue("@name", table.Name.Name);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                findings.Add(new(Severity.Error, "cascade",
                    $"Constraint {reader.GetString(0)} changes rows of {table.Name} with those they refer to (on delete {reader.GetString(1)}, on update {reader.GetString(2)}); such changes are not in the binlog",
                    "Make it RESTRICT until the migration is over, and let the application change both tables"));
            }
        }

        foreach (var column in table.Columns.Where(column => !mapping.Exclude.Contains(column.Name) && (column.HasZeroDates || column.Type == "year")))
        {
            var name = MariaDbConnections.Quote(column.Name);
            var predicate = column.Type == "year" ? $"{name} = 0" : $"month({name}) = 0 or day({name}) = 0";
            var found = await FindAsync(connection, $"select 1 from {MariaDbConnections.Sql(table.Name)} where {predicate} limit 1", cancellationToken);
            if (found == false)
            {
                continue;
            }

            findings.Add((found is null
                ? new Finding(Severity.Info, "not-scanned", $"Column {column.Name} was not looked through within {LongestScanSeconds} s for values that cannot be carried", "Look yourself where it may hold zero dates")
                : Found(column)) with
            { Column = column.Name });
        }

        return findings;
    }

    private static Finding Found(SourceColumn column) => column.Type == "year"
        ? new(Severity.Error, "year-zero", $"Column {column.Name} holds the year 0000, which stops the connector's snapshot", $"UPDATE … SET {column.Name} = NULL WHERE {column.Name} = 0")
        : column.Nullable
            ? new(Severity.Warning, "zero-date", $"Column {column.Name} holds zero dates: they become NULL in the target", "Nothing to do if that is what they mean")
            : new(Severity.Error, "zero-date", $"Column {column.Name} is NOT NULL and holds zero dates, which PostgreSQL does not have", "Make the column nullable on both sides (they become NULL), or give the rows a date");

    /// <summary>Null where the scan took too long.</summary>
    private static async Task<bool?> FindAsync(MySqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new MySqlCommand(sql, connection) { CommandTimeout = LongestScanSeconds };
            return await command.ExecuteScalarAsync(cancellationToken) is not null;
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted)
        {
            return null;
        }
    }
}
