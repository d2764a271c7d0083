namespace CdcMigrator.Domain.Migrations;

/// <summary>Engines a migration can start from.</summary>
public enum SourceKind
{
    /// <summary>PostgreSQL 12 or newer.</summary>
    PostgreSql,

    /// <summary>MariaDB.</summary>
    MariaDb,

    /// <summary>MySQL.</summary>
    MySql,
}
