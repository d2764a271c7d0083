using System.Globalization;
using CdcMigrator.Domain.Preflight;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Preflight;

/// <summary>Whether the server writes the binlog Debezium needs, keeps it, and lets the role read it.</summary>
internal static class SourceServerChecks
{
    private const double LeastRetainedSeconds = 24 * 3600;

    public static async Task<IReadOnlyList<Finding>> CheckAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        var variables = await VariablesAsync(connection, cancellationToken);
        var findings = new List<Finding> { new(Severity.Info, "source-version", $"The source is {variables.GetValueOrDefault("version")}") };
        Want("log_bin", "ON", "binlog", "The source writes no binlog", "Set log_bin and restart the server");
        Want("binlog_format", "ROW", "binlog-format", "The binlog holds statements, not rows", "SET GLOBAL binlog_format = 'ROW', and in the server's configuration; sessions that are open keep theirs");
        Want("binlog_row_image", "FULL", "binlog-row-image", "The binlog holds parts of rows only", "SET GLOBAL binlog_row_image = 'FULL', and in the server's configuration");
        if (variables.GetValueOrDefault("server_id") is "0")
        {
            findings.Add(new(Severity.Error, "server-id", "The source's server_id is 0, under which nobody can read its binlog", "SET GLOBAL server_id = 1, and in the server's configuration"));
        }

        if (Retained(variables) is > 0 and < LeastRetainedSeconds and var seconds)
        {
            findings.Add(new(Severity.Warning, "binlog-retention", string.Create(CultureInfo.InvariantCulture, $"The source keeps its binlog for {seconds / 3600:0.#} hours: a connector that stands longer loses changes"),
                "SET GLOBAL binlog_expire_logs_seconds = 604800 for the time of the migration"));
        }

        findings.AddRange(await RightsAsync(connection, cancellationToken));
        return findings;

        void Want(string variable, string value, string code, string message, string fix)
        {
            if (variables.TryGetValue(variable, out var now) && !now.Equals(value, StringComparison.OrdinalIgnoreCase))
            {
                findings.Add(new(Severity.Error, code, $"{message} ({variable} is {now})", fix));
            }
        }
    }

    /// <summary>0 where it is kept for ever.</summary>
    private static double Retained(Dictionary<string, string> variables)
    {
        var seconds = Number(variables.GetValueOrDefault("binlog_expire_logs_seconds"));
        return seconds > 0 ? seconds : Number(variables.GetValueOrDefault("expire_logs_days")) * 24 * 3600;
    }

    private static double Number(string? text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static async Task<Dictionary<string, string>> VariablesAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            "show global variables where variable_name in ('version', 'log_bin', 'binlog_format', 'binlog_row_image', 'server_id', 'expire_logs_days', 'binlog_expire_logs_seconds')", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var variables = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadAsync(cancellationToken))
        {
            variables[reader.GetString(0)] = reader.GetString(1);
        }

        return variables;
    }

    private static async Task<IReadOnlyList<Finding>> RightsAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand("show grants", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var grants = "";
        while (await reader.ReadAsync(cancellationToken))
        {
            grants += reader.GetString(0) + "\n";
        }

        // Roles may hold what is not listed here, so this is no error.
        string[][] wanted = [["REPLICATION SLAVE", "REPLICATION REPLICA"], ["BINLOG MONITOR", "REPLICATION CLIENT"], ["RELOAD"]];
        var missing = grants.Contains("ALL PRIVILEGES ON *.*", StringComparison.Ordinal)
            ? []
            : wanted.Where(names => !names.Any(name => grants.Contains(name, StringComparison.Ordinal))).Select(names => names[0]).ToList();
        return missing.Count == 0
            ? []
            : [new(Severity.Warning, "permission", $"The role's grants do not list {string.Join(", ", missing)}, which connector or service need", $"GRANT {string.Join(", ", missing)} ON *.* TO the role")];
    }
}
