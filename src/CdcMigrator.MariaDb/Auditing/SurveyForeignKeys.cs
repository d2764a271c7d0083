using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Connections;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Auditing;

/// <summary>Foreign keys of a MariaDB or MySQL source, and the rows that lack the row they refer to.</summary>
internal static class SurveyForeignKeys
{
    private const string Keys = """
        select k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name, k.referenced_column_name, lower(r.delete_rule)
        from information_schema.key_column_usage k join information_schema.referential_constraints r
            on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name
        where k.table_schema = @schema and k.table_name = @name and k.referenced_table_name is not null order by k.constraint_name, k.ordinal_position
        """;

    public static async Task<(IReadOnlyList<ForeignKeyProfile> Keys, IReadOnlyList<Finding> Findings)> ReadAsync(
        MySqlConnection connection, IReadOnlyDictionary<TableName, double> percentOf, TimeSpan limit, CancellationToken cancellationToken)
    {
        var profiles = new List<ForeignKeyProfile>();
        var findings = new List<Finding>();
        foreach (var (table, percent) in percentOf.OrderBy(pair => pair.Key))
        {
            var parts = await SurveyCatalog.RowsAsync(connection, Keys, table, cancellationToken);
            foreach (var key in parts.GroupBy(part => part[0]!))
            {
                var parent = new TableName(key.First()[2]!, key.First()[3]!);
                var (orphans, trouble) = await CountAsync(connection, table, parent, [.. key.Select(part => (part[1]!, part[4]!))], percent, limit, cancellationToken);
                profiles.Add(new ForeignKeyProfile(key.Key, table.ToString(), parent.ToString()) { Orphans = orphans, OnDelete = key.First()[5]! });
                if (!percentOf.ContainsKey(parent))
                {
                    findings.Add(new Finding(Severity.Warning, "fk-outside", $"Foreign key {key.Key} joins {table} with {parent}, which the migration file does not name", "Move both; or leave the constraint out of the target") { Table = table.ToString() });
                }

                if (trouble is not null)
                {
                    findings.Add(new Finding(Severity.Warning, "not-scanned", $"Orphans of foreign key {key.Key} of {table} were not counted: {trouble}", "Run the audit again with a longer --limit, or at a quieter hour") { Table = table.ToString() });
                }
                else if (orphans > 0)
                {
                    findings.Add(new Finding(Severity.Warning, "orphans", string.Create(CultureInfo.InvariantCulture, $"{orphans:N0} rows of {table} refer by {key.Key} to rows {parent} does not have{(percent < 100 ? " (in a sample)" : "")}"),
                        "Mend them in the source: the target takes them while changes are applied, and ADD CONSTRAINT fails there later")
                    { Table = table.ToString() });
                }
            }
        }

        return (profiles, findings);
    }

    private static async Task<(long? Orphans, string? Trouble)> CountAsync(
        MySqlConnection connection, TableName table, TableName parent, IReadOnlyList<(string Child, string Parent)> columns, double percent, TimeSpan limit, CancellationToken cancellationToken)
    {
        var asked = string.Join(" and ", columns.Select(pair => $"c.{MariaDbConnections.Quote(pair.Child)} is not null"));
        var joined = string.Join(" and ", columns.Select(pair => $"p.{MariaDbConnections.Quote(pair.Parent)} = c.{MariaDbConnections.Quote(pair.Child)}"));
        var sample = percent < 100 ? string.Create(CultureInfo.InvariantCulture, $" and rand(1) < {percent / 100:0.########}") : "";
        try
        {
            await using var command = new MySqlCommand(
                $"select count(*) from {MariaDbConnections.Sql(table)} c where {asked}{sample} and not exists (select 1 from {MariaDbConnections.Sql(parent)} p where {joined})", connection)
            {
                CommandTimeout = Math.Max(1, (int)Math.Ceiling(limit.TotalSeconds)),
            };
            return (Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture), null);
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted or MySqlErrorCode.LockWaitTimeout or MySqlErrorCode.TableAccessDenied)
        {
            return (null, exception.Message);
        }
    }
}
