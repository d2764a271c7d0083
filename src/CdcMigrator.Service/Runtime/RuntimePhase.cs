namespace CdcMigrator.Service.Runtime;

/// <summary>Where a service process is in its life.</summary>
public enum RuntimePhase
{
    /// <summary>Waiting for databases, broker or target tables; nothing is applied yet.</summary>
    Starting,

    /// <summary>The pipeline runs; single lanes may be halted.</summary>
    Running,

    /// <summary>Finishing batches in flight.</summary>
    Stopping,

    /// <summary>Ended.</summary>
    Stopped,

    /// <summary>The migration is over: nothing is applied any more, in any process.</summary>
    Completed,
}
