namespace CdcMigrator.Postgres.Apply;

/// <summary>Net effect of a batch on one key.</summary>
internal struct NetRow
{
    /// <summary>Index of the last change of the key: it names the row in faults and gives its place in the order.</summary>
    public int LastChange;

    /// <summary>First slot of the merged image; -1 where the last change's own slots are the image.</summary>
    public int Merged;

    /// <summary>The row is deleted before anything is written: what it held is gone.</summary>
    public bool DeleteFirst;

    /// <summary>What is written then.</summary>
    public WriteKind Kind;

    /// <summary>A change of the key may be a repeat or new: the source is asked for the row.</summary>
    public bool Doubtful;

    /// <summary>The key was inserted, and not deleted before that: unless something is repeated, the target has no such row.</summary>
    public bool Fresh;
}
