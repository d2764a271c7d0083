using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Checks;

/// <summary>What a migration tool noted in a database.</summary>
/// <param name="Tool">Flyway, Liquibase, Prisma or Alembic.</param>
/// <param name="Table">Its table.</param>
/// <param name="Versions">What was applied, each with the tool's checksum; null where it keeps none.</param>
/// <param name="Failed">What was begun and did not end well.</param>
public sealed record HistoryFact(string Tool, TableName Table, IReadOnlyDictionary<string, string?> Versions, IReadOnlyList<string> Failed)
{
    /// <summary>Versions up to this one count as applied, for the schema was taken as it was; null without such a baseline.</summary>
    public string? Baseline { get; init; }
}
