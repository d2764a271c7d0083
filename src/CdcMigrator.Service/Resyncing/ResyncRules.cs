using CdcMigrator.Connect;
using CdcMigrator.Connect.Checks;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Service.Resyncing;

/// <summary>What must hold before a table is copied again: otherwise its copy would never begin, or leave rows out. Pure.</summary>
internal static class ResyncRules
{
    /// <summary>Refuses what cannot be copied.</summary>
    /// <param name="definition">The migration.</param>
    /// <param name="tables">Its tables that are asked for.</param>
    /// <param name="settings">The connector's settings in force.</param>
    /// <param name="deadLetters">Dead letters by source table.</param>
    /// <exception cref="FaultException">NotAllowed: a table without a key, or with dead letters. Configuration: the connector must be registered anew.</exception>
    public static void Require(
        MigrationDefinition definition, IReadOnlyCollection<TableName> tables, IReadOnlyDictionary<string, string> settings, IReadOnlyDictionary<string, long> deadLetters)
    {
        if (definition.Tables.Where(mapping => mapping.Keyless && tables.Contains(mapping.Source)).Select(mapping => mapping.Source).ToList() is { Count: > 0 } keyless)
        {
            throw new FaultException(FaultKind.NotAllowed, "resync-keyless", $"{string.Join(", ", keyless)} cannot be copied again: rows without a key cannot be told from those that are there",
                "'Starting over' in docs/cli.md");
        }

        if (settings.GetValueOrDefault("signal.data.collection", "") != ConnectorNames.SignalTable.ToString())
        {
            throw new FaultException(FaultKind.Configuration, "no-signal-table", $"The connector does not listen to {ConnectorNames.SignalTable} (signal.data.collection)",
                "Run 'cdcm connector register -f FILE' once, then ask again");
        }

        var names = tables.Select(table => table.ToString()).ToHashSet(StringComparer.Ordinal);
        if (ConnectorChecks.Check(settings, definition).Where(finding => finding.Code == "connector-table-not-captured" && names.Contains(finding.Table ?? ""))
            .Select(finding => finding.Table).ToList() is { Count: > 0 } missing)
        {
            throw new FaultException(FaultKind.Configuration, "not-captured", $"The connector does not capture {string.Join(", ", missing)}", "Run 'cdcm connector register -f FILE' once, then ask again");
        }

        // A row with dead letters would park what is copied of it.
        if (names.Where(name => deadLetters.GetValueOrDefault(name) > 0).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } parked)
        {
            throw new FaultException(
                FaultKind.NotAllowed, "resync-behind-parked", $"Rows with dead letters would not be copied: {string.Join(", ", parked.Select(name => $"{name} has {deadLetters[name]}"))}",
                $"'cdcm dlq retry --table {parked[0]}', or 'cdcm dlq discard --table {parked[0]}', whose rows are then copied; then ask again");
        }
    }
}
