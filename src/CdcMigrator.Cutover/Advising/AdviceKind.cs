namespace CdcMigrator.Cutover.Advising;

/// <summary>What is to be done with a migration.</summary>
public enum AdviceKind
{
    /// <summary>The migration is over.</summary>
    Nothing,

    /// <summary>Go on waiting: what is missing comes by itself.</summary>
    Wait,

    /// <summary>Stay where applications write now, and mend what is named.</summary>
    Mend,

    /// <summary>The target may take over now.</summary>
    CutOver,

    /// <summary>Call the attempt off.</summary>
    Abort,

    /// <summary>Go back to the source now.</summary>
    RollBack,

    /// <summary>End the migration: nothing is left to wait for.</summary>
    Complete,
}
