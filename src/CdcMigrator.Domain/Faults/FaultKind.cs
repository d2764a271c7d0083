namespace CdcMigrator.Domain.Faults;

/// <summary>Who can act on a fault, and so whether it is retried, shown or fatal.</summary>
public enum FaultKind
{
    /// <summary>The migration file, an option or a setting is wrong. Not retried.</summary>
    Configuration,

    /// <summary>A dependency (database, broker, registry, Connect) does not answer or refuses. Retried while running, fatal at start of a one-shot verb.</summary>
    Unreachable,

    /// <summary>A record cannot be decoded or applied as it is. Stops its lane by name.</summary>
    Poison,

    /// <summary>The lane belongs to another owner now. Its work is dropped; nothing is wrong.</summary>
    Fenced,

    /// <summary>A passing conflict (deadlock, serialization failure, lost connection). Retried with jitter.</summary>
    Transient,

    /// <summary>The log is not the one that was recorded: offsets missing, another cluster, another lineage. Stops the lanes and makes tables unverified.</summary>
    LogBroken,

    /// <summary>The operation is not allowed in this phase.</summary>
    NotAllowed,

    /// <summary>A deadline passed and what was begun was undone.</summary>
    TimedOut,

    /// <summary>A defect in CdcMigrator.</summary>
    Internal,
}
