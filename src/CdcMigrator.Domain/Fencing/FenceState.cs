namespace CdcMigrator.Domain.Fencing;

/// <summary>Whether a side takes writes of applications. One row on each side says so, and changes only by compare-and-set in the transaction that makes it true.</summary>
public enum FenceState
{
    /// <summary>Applications write here.</summary>
    Open,

    /// <summary>An attempt has denied writes and may still be undone, by anyone once its lease is over.</summary>
    Closed,

    /// <summary>Left for good: only a later attempt that leaves the other side opens this one again.</summary>
    Sealed,
}
