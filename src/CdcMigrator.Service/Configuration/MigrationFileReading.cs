using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Configuration;

/// <summary>What reading a migration file gave.</summary>
/// <param name="Definition">The migration; null where there are errors.</param>
/// <param name="Errors">All mistakes, in the file's order; empty where there are none.</param>
public sealed record MigrationFileReading(MigrationDefinition? Definition, IReadOnlyList<MigrationFileError> Errors);
