namespace CdcMigrator.Embedded.Workload;

/// <summary>What is known of a transaction of the workload.</summary>
public enum WriteOutcome
{
    /// <summary>COMMIT was sent and has not returned.</summary>
    Intended,

    /// <summary>COMMIT returned: the write must never be lost.</summary>
    Acknowledged,

    /// <summary>The answer to COMMIT was lost. It may have happened or not; the receipt tells.</summary>
    InDoubt,

    /// <summary>Was in doubt; its receipt is there: as good as acknowledged.</summary>
    FoundCommitted,

    /// <summary>It did not happen and never will.</summary>
    Abandoned,
}
