using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>What is told of a record that cannot be decoded.</summary>
internal static class Undecodable
{
    /// <summary>The fault, without its place in the log.</summary>
    /// <param name="cause">What went wrong.</param>
    /// <param name="table">The record's table, as far as it is known.</param>
    /// <param name="column">The column that was being read.</param>
    /// <param name="settings">What values mean.</param>
    public static Fault Of(Exception cause, TablePlan? table, string? column, DebeziumSettings settings)
    {
        var where = table is null ? "The record" : column is null ? $"The event of {table.Name}" : $"Column {column} of {table.Name}";
        return cause switch
        {
            NulCharacterException => new Fault(FaultKind.Poison, "nul-character", $"{where}: {cause.Message}",
                settings.IsMySqlFamily ? Setting("nulCharacter: strip") : "Remove the character in the source, or exclude the column in the migration file"),
            RefusedValueException refused => new Fault(FaultKind.Poison, refused.Code, $"{where}: {cause.Message}", Setting(refused.Setting)),
            _ => new Fault(
                FaultKind.Poison,
                "undecodable",
                $"{where} cannot be decoded: {cause.Message}",
                "Compare the connector's converters and modes with those the migration assumes: cdcm preflight"),
        };

        string Setting(string setting) => table?.Route is { } route && column is not null
            ? ColumnMapping.Fix(route.Source, column, setting)
            : $"Mend the value in the source, or set '{setting}' for the column in the migration file";
    }
}
