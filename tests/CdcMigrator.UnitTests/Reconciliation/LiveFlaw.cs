namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>A rule that is left out, so that the model shows that it is needed.</summary>
public enum LiveFlaw
{
    /// <summary>None.</summary>
    None,

    /// <summary>The source's snapshot is taken first: the target may show what came of changes that it does not see.</summary>
    SourceFirst,

    /// <summary>Differences are decided before the reader is past everything the snapshots can have.</summary>
    NoPass,

    /// <summary>The source's snapshot says what a newer one sees.</summary>
    OldSnapshot,

    /// <summary>The lanes' progress is read before the target's snapshot, not in it.</summary>
    ProgressOutside,

    /// <summary>Changes from before the reader's beginning are taken for seen.</summary>
    BeganForgotten,

    /// <summary>Dead letters are not looked at.</summary>
    ParkedIgnored,

    /// <summary>A row with dead letters that is equal for now counts as compared.</summary>
    ParkedRight,

    /// <summary>Rows that were on their way are not kept.</summary>
    PendingForgotten,

    /// <summary>More wrong rows than are remembered leave the table covered.</summary>
    TruncationForgotten,

    /// <summary>The next process begins to read where this one stood, not where the first change is that was not verified.</summary>
    OffsetsAhead,

    /// <summary>Only keys that changed are compared between passes, not those on their way, nor where all rows changed.</summary>
    ChangedKeysOnly,

    /// <summary>Rows are compared while the initial snapshot has not published all of them.</summary>
    NoHold,

    /// <summary>A truncate is not told.</summary>
    TruncateUntold,

    /// <summary>A change is told under another row's key.</summary>
    KeyMisread,

    /// <summary>Rows alike in a table without a key are counted once.</summary>
    CopiesUncounted,

    /// <summary>Buckets are compared by their counts.</summary>
    SumsIgnored,
}
