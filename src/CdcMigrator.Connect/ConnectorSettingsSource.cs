using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Connect;

/// <summary>Where the settings come from that say what records mean: the connector itself, else the migration file.</summary>
public static class ConnectorSettingsSource
{
    /// <summary>
    /// The connector's settings from Connect where the migration names one, else <c>log.settings</c> with prefix and engine filled in.
    /// Holds secrets in the first case: for decoding, not for showing.
    /// </summary>
    /// <param name="definition">The migration.</param>
    /// <param name="client">Connect; may be null where the migration names no connector.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="FaultException">Unreachable: Connect does not answer. Configuration: it has no such connector, or one of another prefix.</exception>
    public static async Task<IReadOnlyDictionary<string, string>> ReadAsync(MigrationDefinition definition, ConnectClient? client, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (definition.Connect is null)
        {
            return FromFile(definition);
        }

        ArgumentNullException.ThrowIfNull(client);
        var settings = await client.GetConfigAsync(definition.Connect.Connector, cancellationToken);
        var prefix = settings.GetValueOrDefault("topic.prefix", "");
        if (prefix != definition.Log.TopicPrefix)
        {
            throw new FaultException(
                FaultKind.Configuration,
                "connector-topic-prefix",
                $"Connector {definition.Connect.Connector} writes topic.prefix '{prefix}', but log.topicPrefix is '{definition.Log.TopicPrefix}'",
                "Name the migration's own connector in connect.connector, or set log.topicPrefix to what it writes");
        }

        return settings;
    }

    /// <summary>Settings the migration file gives in <c>log.settings</c>, for records whose connector cannot be asked.</summary>
    public static IReadOnlyDictionary<string, string> FromFile(MigrationDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var settings = new Dictionary<string, string>(definition.Log.Settings, StringComparer.Ordinal) { ["topic.prefix"] = definition.Log.TopicPrefix };
        settings.TryAdd("connector.class", definition.Source.Kind switch
        {
            SourceKind.PostgreSql => PostgresSettings.ConnectorClass,
            SourceKind.MariaDb => MySqlSettings.MariaDbClass,
            _ => MySqlSettings.MySqlClass,
        });
        return settings;
    }
}
