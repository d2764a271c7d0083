using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>
/// Finds every setting of an actual connector under which a migration would silently go wrong, stall or stop. Pure. An error means: do
/// not start; a warning: right, but slower or with a risk that is named. Codes are <c>connector-</c> and the setting's name with dashes.
/// </summary>
public static class ConnectorChecks
{
    /// <summary>Checks a connector's settings as Connect returns them.</summary>
    /// <param name="settings">The settings in force.</param>
    /// <param name="definition">The migration they must serve.</param>
    /// <param name="version">Debezium's version, from <see cref="ConnectClient.ListPluginsAsync"/>; null where unknown.</param>
    public static IReadOnlyList<Finding> Check(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition, string? version = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(definition);
        var engine = definition.Source.Kind == SourceKind.PostgreSql ? PostgresRules.All : MySqlRules.All;
        return
        [
            .. IdentityChecks.Check(settings, definition, version),
            .. CaptureChecks.Check(settings, definition),
            .. CommonRules.All.Concat(engine).Select(rule => rule.Check(settings)).OfType<Finding>(),
            .. ConverterChecks.Check(settings, definition),
            .. RewriteChecks.Check(settings),
        ];
    }

    /// <summary>Checks that the connector and its task run.</summary>
    public static IReadOnlyList<Finding> Check(ConnectorStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        if (status.IsRunning)
        {
            return [];
        }

        var states = status.Tasks.Count == 0 ? "no task" : string.Join(", ", status.Tasks.Select(task => $"task {task.Id} {task.State}"));
        var why = status.Cause.Length == 0 ? "" : $": {status.Cause}";
        return
        [
            new Finding(
                Severity.Error,
                "connector-not-running",
                $"Connector {status.Name} does not run ({status.State}, {states}){why}",
                status.State is "PAUSED" or "STOPPED" ? "Resume it with 'cdcm connector resume -f FILE'" : "Mend the cause and restart the connector; Connect's log has the whole trace"),
        ];
    }
}
