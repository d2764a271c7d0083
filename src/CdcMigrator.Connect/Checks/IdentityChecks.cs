using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>Whether this is the migration's connector at all: engine, database, prefix, slot, lineage, version.</summary>
internal static class IdentityChecks
{
    public static IEnumerable<Finding> Check(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition, string? version)
    {
        if (Wrong("connector.class", ClassOf(definition.Source.Kind)) is { } otherEngine)
        {
            yield return otherEngine;
        }

        if (Wrong("topic.prefix", definition.Log.TopicPrefix) is { } otherPrefix)
        {
            yield return otherPrefix with { Fix = $"Set log.topicPrefix to what the connector writes, or topic.prefix to '{definition.Log.TopicPrefix}'" };
        }

        foreach (var finding in definition.Source.Kind == SourceKind.PostgreSql ? Postgres(settings, definition) : [])
        {
            yield return finding;
        }

        if (version is not null && (version.StartsWith("3.6.0", StringComparison.Ordinal) || version.StartsWith("3.6.1", StringComparison.Ordinal))
            && int.TryParse(settings.GetValueOrDefault("snapshot.max.threads", "1"), out var threads) && threads > 1)
        {
            yield return new Finding(
                Severity.Error,
                SettingRule.CodeOf("snapshot.max.threads"),
                $"Connector setting snapshot.max.threads is '{threads}' on Debezium {version}: its threads do not read the same snapshot (dbz#2330), so rows can be missing",
                "Set snapshot.max.threads to '1', or use a later Debezium");
        }

        Finding? Wrong(string name, string wanted) => settings.GetValueOrDefault(name, "") is var value && value == wanted
            ? null
            : new Finding(Severity.Error, SettingRule.CodeOf(name), $"Connector setting {name} is '{value}', but the migration expects '{wanted}'", $"Set {name} to '{wanted}'");
    }

    private static IEnumerable<Finding> Postgres(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition)
    {
        if (DatabaseOf(definition.Source) is { } database && settings.GetValueOrDefault("database.dbname", "") is var actual && actual != database)
        {
            yield return new Finding(
                Severity.Error,
                SettingRule.CodeOf("database.dbname"),
                $"Connector setting database.dbname is '{actual}', but the migration's source is '{database}'",
                $"Set database.dbname to '{database}', or mend source.connection");
        }

        var slot = settings.GetValueOrDefault("slot.name", "debezium");
        if (slot != ConnectorNames.Slot(definition.LogName))
        {
            yield return new Finding(
                Severity.Warning,
                SettingRule.CodeOf("slot.name"),
                $"Connector setting slot.name is '{slot}', not this migration's '{ConnectorNames.Slot(definition.LogName)}': make sure that no other connector uses it",
                $"Set slot.name to '{ConnectorNames.Slot(definition.LogName)}' before the first start; a slot cannot be renamed");
        }

        var query = settings.GetValueOrDefault("heartbeat.action.query", "");
        if (!query.Contains($"'{ConnectorNames.HeartbeatRow}'", StringComparison.Ordinal) || !query.Contains(ConnectorNames.FenceTable.ToString(), StringComparison.OrdinalIgnoreCase))
        {
            yield return new Finding(
                Severity.Warning,
                SettingRule.CodeOf("heartbeat.action.query"),
                $"Connector setting heartbeat.action.query does not write row '{ConnectorNames.HeartbeatRow}' of {ConnectorNames.FenceTable}: a source that was restored or promoted is then not noticed in the log",
                $"Set heartbeat.action.query to \"{PostgresSettings.HeartbeatQuery}\"");
        }
    }

    private static string ClassOf(SourceKind kind) => kind switch
    {
        SourceKind.PostgreSql => PostgresSettings.ConnectorClass,
        SourceKind.MariaDb => MySqlSettings.MariaDbClass,
        _ => MySqlSettings.MySqlClass,
    };

    /// <summary>Null where the connection string is not usable from Connect: a connector registered by hand may still be right.</summary>
    private static string? DatabaseOf(SourceSection source)
    {
        try
        {
            return SourceAddress.Of(source).Database;
        }
        catch (FaultException)
        {
            return null;
        }
    }
}
