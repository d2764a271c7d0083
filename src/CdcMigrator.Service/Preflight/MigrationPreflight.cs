using CdcMigrator.Connect;
using CdcMigrator.Connect.Checks;
using CdcMigrator.Connect.Registry;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.MariaDb.Preflight;
using CdcMigrator.Postgres.Preflight;

namespace CdcMigrator.Service.Preflight;

/// <summary>
/// Everything that can be known before a migration starts: both databases, the connector's actual settings, the topics, the registry. Reads
/// only. What cannot be reached is a finding like any other, so that one run names all that is wrong.
/// </summary>
public static class MigrationPreflight
{
    /// <summary>Runs all checks and returns what they found, errors first.</summary>
    public static async Task<IReadOnlyList<Finding>> RunAsync(MigrationDefinition definition, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var findings = await Task.WhenAll(
            TryAsync("databases", () => CheckDatabasesAsync(definition, looksAtValues: true, cancellationToken)),
            TryAsync("source", () => CheckMariaDbAsync(definition, cancellationToken)),
            TryAsync("connector", () => CheckConnectorAsync(definition, cancellationToken)),
            TryAsync("log", () => TopicChecks.RunAsync(definition, cancellationToken)),
            TryAsync("registry", () => CheckRegistryAsync(definition, cancellationToken)),
            TryAsync("route", () => RouteChecks.RunAsync(definition, cancellationToken)));
        return [.. findings.SelectMany(found => found).OrderByDescending(finding => finding.Severity).ThenBy(finding => finding.Table, StringComparer.Ordinal)];
    }

    /// <summary>
    /// What would keep the way back from working, with the databases as they are: the checks of a migration of the target into the source. Reads only, and may be asked any time. Empty where there is no way back.
    /// </summary>
    /// <param name="definition">The migration, as the file reads.</param>
    /// <param name="looksAtValues">Whether values are looked at where types do not tell: up to a minute.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<IReadOnlyList<Finding>> CheckWayBackAsync(MigrationDefinition definition, bool looksAtValues, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return definition.Source.Kind != SourceKind.PostgreSql
            ? Task.FromResult<IReadOnlyList<Finding>>([])
            : TryAsync("way back", () => CheckDatabasesAsync(definition.TurnedRound(), looksAtValues, cancellationToken));
    }

    private static async Task<IReadOnlyList<Finding>> CheckMariaDbAsync(MigrationDefinition definition, CancellationToken cancellationToken) =>
        definition.Source.Kind == SourceKind.PostgreSql ? [] : await MariaDbPreflight.CheckAsync(definition, cancellationToken);

    private static async Task<IReadOnlyList<Finding>> CheckDatabasesAsync(MigrationDefinition definition, bool looksAtValues, CancellationToken cancellationToken)
    {
        if (definition.Log.Kind == LogKind.Embedded)
        {
            return await PostgresPreflight.CheckAsync(definition, null, looksAtValues, cancellationToken);
        }

        var connector = await SettingsAsync(definition, cancellationToken);
        var settings = DebeziumSettings.FromConnector(connector);
        var reader = definition.Source.Kind != SourceKind.PostgreSql ? Task.FromResult<IReadOnlyList<Finding>>([])
            : PostgresPreflight.CheckSlotReaderAsync(definition, connector.GetValueOrDefault("database.user"), connector.GetValueOrDefault("slot.name", ConnectorNames.Slot(definition.LogName)), cancellationToken);
        return [.. await PostgresPreflight.CheckAsync(definition, type => EventFidelity.Of(type, settings), looksAtValues, cancellationToken), .. await reader];
    }

    /// <summary>What records mean: by the connector as it is, or where that cannot be asked as it would be registered.</summary>
    private static async Task<IReadOnlyDictionary<string, string>> SettingsAsync(MigrationDefinition definition, CancellationToken cancellationToken)
    {
        try
        {
            using var client = definition.Connect is { } section ? new ConnectClient(section.Url) : null;
            return await ConnectorSettingsSource.ReadAsync(definition, client, cancellationToken);
        }
        catch (FaultException)
        {
            // What is wrong with the connector is a finding of its own.
            return ConnectorTemplate.Render(definition);
        }
    }

    private static async Task<IReadOnlyList<Finding>> CheckConnectorAsync(MigrationDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.Log.Kind == LogKind.Embedded)
        {
            return [];
        }

        if (definition.Connect is not { } section)
        {
            return
            [
                new Finding(Severity.Warning, "connector-not-checked", "The migration file names no Kafka Connect: the connector's settings are taken from log.settings and cannot be checked",
                    "Add connect.url and connect.connector"),
                .. ConnectorChecks.Check(ConnectorSettingsSource.FromFile(definition), definition),
            ];
        }

        using var client = new ConnectClient(section.Url);
        var settings = await client.FindConfigAsync(section.Connector, cancellationToken);
        if (settings is null)
        {
            return [new Finding(Severity.Warning, "connector-missing", $"Kafka Connect at {section.Url} has no connector {section.Connector} yet", "Run 'cdcm connector register -f FILE'")];
        }

        var plugins = await client.ListPluginsAsync(cancellationToken);
        var version = plugins.FirstOrDefault(plugin => plugin.Class == settings.GetValueOrDefault("connector.class"))?.Version;
        var status = await client.FindStatusAsync(section.Connector, cancellationToken);
        return [.. ConnectorChecks.Check(settings, definition, version), .. status is null ? [] : ConnectorChecks.Check(status)];
    }

    private static async Task<IReadOnlyList<Finding>> CheckRegistryAsync(MigrationDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.Log.SchemaRegistry is not { } url)
        {
            return [];
        }

        using var registry = new SchemaRegistryClient(url, (_, _) => { });
        try
        {
            // Ids are positive: a registry that answers does not know this one.
            await registry.LoadAsync(0, cancellationToken);
        }
        catch (FaultException fault) when (fault.Fault.Kind == FaultKind.Poison)
        {
            // It answers.
        }

        return [];
    }

    private static async Task<IReadOnlyList<Finding>> TryAsync(string what, Func<Task<IReadOnlyList<Finding>>> check)
    {
        try
        {
            return await check();
        }
        catch (FaultException fault)
        {
            return [new Finding(Severity.Error, fault.Fault.Code, $"The {what} cannot be checked: {fault.Fault.Message}", fault.Fault.Fix)
            {
                Table = fault.Fault.Table,
                Unreachable = fault.Fault.Kind is FaultKind.Unreachable or FaultKind.Transient,
            }];
        }
    }
}
