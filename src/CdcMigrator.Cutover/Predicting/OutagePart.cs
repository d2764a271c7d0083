namespace CdcMigrator.Cutover.Predicting;

/// <summary>Parts of a write outage, in their order.</summary>
public enum OutagePart
{
    /// <summary>Poolers hold back new transactions and wait for those in progress.</summary>
    Pause,

    /// <summary>Locks of all tables, and writes denied.</summary>
    Fence,

    /// <summary>From the marker's commit until the connector has confirmed it.</summary>
    Confirm,

    /// <summary>Applying what is behind.</summary>
    Drain,

    /// <summary>Comparing the keys that changed since they were last compared.</summary>
    Verify,

    /// <summary>Advancing sequences.</summary>
    Sequences,

    /// <summary>The point of no return.</summary>
    Seal,

    /// <summary>Writes allowed on the side that takes over.</summary>
    Open,

    /// <summary>Applications sent there.</summary>
    Route,
}
