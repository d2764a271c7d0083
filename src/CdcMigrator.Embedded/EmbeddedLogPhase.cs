namespace CdcMigrator.Embedded;

/// <summary>Durable phase of an embedded log.</summary>
public enum EmbeddedLogPhase
{
    /// <summary>Not started.</summary>
    None,

    /// <summary>Publishing the rows; an interruption starts it over with cleared target tables.</summary>
    Snapshot,

    /// <summary>Publishing changes. The target's tables are never cleared again.</summary>
    Streaming,

    /// <summary>Reading and dropping changes.</summary>
    Passive,
}
