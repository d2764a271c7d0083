namespace CdcMigrator.Cutover.Advising;

/// <summary>Where a migration is between its two sides.</summary>
public enum Standing
{
    /// <summary>A side does not say.</summary>
    Unknown,

    /// <summary>Applications write to the source.</summary>
    Before,

    /// <summary>An attempt has closed a side, or sealed one and not yet opened the other.</summary>
    Switching,

    /// <summary>Applications write to the target; the way back is kept.</summary>
    Window,

    /// <summary>Both sides take writes.</summary>
    Split,

    /// <summary>It was completed.</summary>
    Over,
}
