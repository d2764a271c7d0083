namespace CdcMigrator.Service.Api;

/// <summary>What the service is doing.</summary>
public enum ServicePhase
{
    /// <summary>Waiting for databases, broker or target tables.</summary>
    Starting,

    /// <summary>Applying changes.</summary>
    Replicating,

    /// <summary>Draining batches in flight before it ends.</summary>
    Stopping,

    /// <summary>The migration is over (<c>cdcm cutover complete</c>): nothing is applied any more.</summary>
    Completed,
}
