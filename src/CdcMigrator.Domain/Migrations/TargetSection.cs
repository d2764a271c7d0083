namespace CdcMigrator.Domain.Migrations;

/// <summary>The target PostgreSQL.</summary>
/// <param name="Connection">Npgsql connection string.</param>
public sealed record TargetSection(string Connection);
