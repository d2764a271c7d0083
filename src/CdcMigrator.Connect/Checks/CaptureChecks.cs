using System.Text.RegularExpressions;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Connect.Checks;

/// <summary>Whether the connector captures what the migration moves: tables, columns, rows.</summary>
internal static class CaptureChecks
{
    private static readonly string[] ListNames =
        ["table.include.list", "table.exclude.list", "schema.include.list", "schema.exclude.list", "database.include.list", "database.exclude.list"];

    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(1);

    public static IEnumerable<Finding> Check(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition)
    {
        // A pattern .NET cannot read leaves the question open: say so once, and do not call tables uncaptured.
        if (UnreadablePattern(settings) is { } unreadable)
        {
            return [unreadable, .. Rows(settings), .. Columns(settings, definition)];
        }

        return [.. Tables(settings, definition), .. Rows(settings), .. Columns(settings, definition)];
    }

    private static Finding? UnreadablePattern(IReadOnlyDictionary<string, string> settings)
    {
        foreach (var name in ListNames)
        {
            foreach (var pattern in ListOf(settings, name) ?? [])
            {
                try
                {
                    Matches([pattern], "");
                }
                catch (ArgumentException)
                {
                    return new Finding(
                        Severity.Warning, SettingRule.CodeOf(name), $"Connector setting {name} holds '{pattern}', which cannot be checked here", "List the tables by their plain names");
                }
            }
        }

        return null;
    }

    private static IEnumerable<Finding> Tables(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition)
    {
        foreach (var table in definition.Tables.Select(table => table.Source).Where(table => !IsCaptured(settings, definition, table)))
        {
            yield return new Finding(
                Severity.Error,
                "connector-table-not-captured",
                $"The connector does not capture table {table}: {Lists(settings)}",
                $"Add {Templates.ConnectorTemplate.Pattern(table)} to table.include.list; 'cdcm connector register -f FILE' writes the whole list")
            {
                Table = table.ToString(),
            };
        }

        if (!IsCaptured(settings, definition, ConnectorNames.FenceTable))
        {
            yield return new Finding(
                Severity.Error,
                "connector-fence-not-captured",
                $"The connector does not capture {ConnectorNames.FenceTable}, so no marker reaches the log and no drain can be proven: {Lists(settings)}",
                $"Add {ConnectorNames.FenceTable} to table.include.list")
            {
                Table = ConnectorNames.FenceTable.ToString(),
            };
        }
    }

    private static IEnumerable<Finding> Rows(IReadOnlyDictionary<string, string> settings)
    {
        foreach (var name in new[] { "snapshot.select.statement.overrides", "snapshot.include.collection.list" })
        {
            if (Value(settings, name) is { } value)
            {
                yield return new Finding(
                    Severity.Error, SettingRule.CodeOf(name), $"Connector setting {name} is '{value}': rows that exist before the connector starts are left out", $"Remove {name}");
            }
        }
    }

    /// <summary>
    /// A column the connector hides should be one the migration file leaves out too. A PostgreSQL source is read for it again; of another the
    /// target would keep its default.
    /// </summary>
    private static IEnumerable<Finding> Columns(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition)
    {
        var excluded = definition.Tables
            .SelectMany(table => table.Exclude.Concat(table.Reselect).Select(column => $"{table.Source}.{column}"))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var (severity, effect) = definition.Source.Kind == SourceKind.PostgreSql
            ? (Severity.Warning, "is read from the source again for every change of a row")
            : (Severity.Error, "never reaches the target, which keeps its default there");
        if (ListOf(settings, "column.exclude.list") is { } hidden
            && hidden.Where(pattern => !excluded.Contains(pattern.Replace("\\", "", StringComparison.Ordinal))).ToList() is { Count: > 0 } surplus)
        {
            yield return new Finding(
                severity,
                SettingRule.CodeOf("column.exclude.list"),
                $"Connector setting column.exclude.list hides {string.Join(", ", surplus)}, which the migration file neither excludes nor reselects: such a column {effect}",
                "Remove them from column.exclude.list, or list the columns under exclude or reselect of their table");
        }

        if (Value(settings, "column.include.list") is { } shown)
        {
            yield return new Finding(
                severity,
                SettingRule.CodeOf("column.include.list"),
                $"Connector setting column.include.list is '{shown}': a column that it does not name {effect}",
                "Remove column.include.list and list unwanted columns under exclude of their table");
        }
    }

    private static bool IsCaptured(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition, TableName table)
    {
        var schemaLists = definition.Source.Kind == SourceKind.PostgreSql ? "schema" : "database";
        return Allows(settings, schemaLists, table.Schema) && Allows(settings, "table", table.ToString());
    }

    private static bool Allows(IReadOnlyDictionary<string, string> settings, string kind, string name) =>
        (ListOf(settings, $"{kind}.include.list") is not { } included || Matches(included, name))
        && (ListOf(settings, $"{kind}.exclude.list") is not { } excluded || !Matches(excluded, name));

    /// <summary>As Debezium matches: anchored, ignoring case.</summary>
    private static bool Matches(IEnumerable<string> patterns, string name) =>
        patterns.Any(pattern => Regex.IsMatch(name, $"^(?:{pattern})$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, MatchLimit));

    /// <summary>The list's patterns, separated by commas that are not escaped; null where the setting is absent or empty.</summary>
    private static List<string>? ListOf(IReadOnlyDictionary<string, string> settings, string name) => Value(settings, name) is { } list
        ? [.. Regex.Split(list, @"(?<!\\),", RegexOptions.None, MatchLimit).Select(pattern => pattern.Trim()).Where(pattern => pattern.Length > 0)]
        : null;

    private static string? Value(IReadOnlyDictionary<string, string> settings, string name) =>
        settings.TryGetValue(name, out var value) && value.Trim().Length > 0 ? value.Trim() : null;

    private static string Lists(IReadOnlyDictionary<string, string> settings) => string.Join(", ", settings
        .Where(setting => ListNames.Contains(setting.Key))
        .Select(setting => $"{setting.Key} is '{setting.Value}'"));
}
