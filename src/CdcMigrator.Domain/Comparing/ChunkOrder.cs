namespace CdcMigrator.Domain.Comparing;

/// <summary>How a table is divided.</summary>
public enum ChunkOrder
{
    /// <summary>By ranges of the key: both sides sort it alike.</summary>
    KeyRanges,

    /// <summary>By hash of the key, in one scan: the sides may sort it differently, or the table has no key.</summary>
    Buckets,
}
