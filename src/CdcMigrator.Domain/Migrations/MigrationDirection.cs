namespace CdcMigrator.Domain.Migrations;

/// <summary>Which way changes flow.</summary>
public enum MigrationDirection
{
    /// <summary>From the source of the migration file to its target.</summary>
    Forward,

    /// <summary>From the target, which has taken over, back to the source, so that it can be returned to.</summary>
    Back,
}
