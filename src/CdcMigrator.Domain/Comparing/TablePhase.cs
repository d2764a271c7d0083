namespace CdcMigrator.Domain.Comparing;

/// <summary>Where the verification of a table stands in a run.</summary>
public enum TablePhase
{
    /// <summary>No run has come to it.</summary>
    Idle,

    /// <summary>Chunk by chunk, all rows are compared.</summary>
    Passing,

    /// <summary>All rows were compared; those that were on their way are compared again.</summary>
    Settling,

    /// <summary>The run is over for it.</summary>
    Done,
}
