namespace CdcMigrator.Cutover.Switching;

/// <summary>How an attempt stands.</summary>
public enum CutoverPhase
{
    /// <summary>Under way.</summary>
    Running,

    /// <summary>The other side has taken over.</summary>
    Done,

    /// <summary>Nothing was changed: it was refused before the fence.</summary>
    Refused,

    /// <summary>The fence was lifted again; applications write where they wrote before.</summary>
    Undone,

    /// <summary>Everything up to the seal was done, and undone on purpose.</summary>
    Rehearsed,

    /// <summary>
    /// A database did not say how its last transaction ended. Whichever process reaches both sides first ends the attempt, one way or the other, by what the databases say.
    /// </summary>
    Unknown,

    /// <summary>Only in evidence: the side was left for good, and its process has not reported since. What was proven was written with the seal; the other side's journal says who opened it.</summary>
    Sealed,
}
