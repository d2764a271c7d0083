namespace CdcMigrator.Domain.Migrations;

/// <summary>The source database.</summary>
/// <param name="Kind">Which engine.</param>
/// <param name="Connection">Connection string in Npgsql's (PostgreSQL) or MySqlConnector's (MariaDB) form.</param>
public sealed record SourceSection(SourceKind Kind, string Connection);
