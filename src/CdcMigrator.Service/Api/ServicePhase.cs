namespace CdcMigrator.Service.Api;

/// <summary>What the service is doing.</summary>
public enum ServicePhase
{
    /// <summary>Waiting for databases, broker or target tables.</summary>
    Starting,

    /// <summary>Applying changes.</summary>
    Replicating,

    /// <summary>Applying nothing, for applications write to the target; of the way back, that applies to the source meanwhile, <c>/back/api/status</c> tells.</summary>
    TargetOpen,

    /// <summary>Of the way back: applying nothing, for applications write to the source.</summary>
    SourceOpen,

    /// <summary>Applying nothing, for the side it applied to was left without a way back (<c>cdcm rollback --no-return</c>, <c>requireReverse: false</c>).</summary>
    Left,

    /// <summary>Applying nothing, for a person paused it (<c>cdcm pause</c>).</summary>
    Paused,

    /// <summary>Draining batches in flight before it ends.</summary>
    Stopping,

    /// <summary>The migration is over (<c>cdcm cutover complete</c>): nothing is applied any more.</summary>
    Completed,
}
