namespace CdcMigrator.Service.Api;

/// <summary>How a waiver stands.</summary>
public enum WaiverState
{
    /// <summary>What was waived is what is found: it does not close the gate.</summary>
    InForce,

    /// <summary>Something else is found now: it counts for nothing.</summary>
    FoundOtherwise,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>The criterion passes, or is not asked any more.</summary>
    NotNeeded,
}
