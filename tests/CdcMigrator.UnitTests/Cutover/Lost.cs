namespace CdcMigrator.UnitTests.Cutover;

/// <summary>What of a call does not arrive.</summary>
public enum Lost
{
    /// <summary>All arrives.</summary>
    Nothing,

    /// <summary>It never reached the database.</summary>
    Request,

    /// <summary>The database did it, and nobody heard.</summary>
    Answer,
}
