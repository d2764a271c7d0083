using CdcMigrator.Connect.Checks;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Service.Watching;

/// <summary>
/// Reads the connector's settings again and again. A change that gives values another meaning halts the lanes: which records were written
/// under which settings cannot be told from a record. Other changes are checked like in preflight.
/// </summary>
internal sealed class SettingsWatch(MigrationDefinition definition, ConnectClient connect, DebeziumSettings inForce)
{
    private IReadOnlyDictionary<string, string>? last;

    /// <summary>The fault of a change of meaning; null where there is none.</summary>
    public Fault? Changed { get; private set; }

    /// <summary>What is wrong with the settings as they are.</summary>
    public IReadOnlyList<Finding> Findings { get; private set; } = [];

    /// <summary>Reads them once.</summary>
    /// <exception cref="FaultException">Connect does not answer, or has no such connector; what was known before stays.</exception>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var settings = await connect.FindConfigAsync(definition.Connect!.Connector, cancellationToken);
        if (settings is null || (last is not null && Same(last, settings)))
        {
            return;
        }

        last = settings;
        Findings = [.. ConnectorChecks.Check(settings, definition).Where(finding => finding.Severity == Severity.Error)];
        Changed = Compare(settings);
    }

    private Fault? Compare(IReadOnlyDictionary<string, string> settings)
    {
        DebeziumSettings now;
        try
        {
            now = DebeziumSettings.FromConnector(settings);
        }
        catch (FaultException fault)
        {
            return fault.Fault;
        }

        // Where signals are read from gives no value another meaning.
        return now with { SignalTable = null } == inForce with { SignalTable = null } ? null : new Fault(
            FaultKind.Configuration, "connector-settings-changed", $"Connector {definition.Connect!.Connector} was given settings under which its values mean something else than those the lanes decode with",
            "Put the settings back ('cdcm connector register -f FILE' writes the faithful ones). To go on with new ones, pause the connector, let the lag reach 0 and restart the service");
    }

    private static bool Same(IReadOnlyDictionary<string, string> left, IReadOnlyDictionary<string, string> right) =>
        left.Count == right.Count && left.All(setting => right.TryGetValue(setting.Key, out var value) && value == setting.Value);
}
