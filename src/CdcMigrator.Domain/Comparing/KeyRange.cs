namespace CdcMigrator.Domain.Comparing;

/// <summary>
/// Part of a table: the rows whose key lies behind one key and up to another in index order, or those whose key's hash falls into one of some buckets.
/// The first and last ranges of a table are open, so that a row outside everything the source has is met too.
/// </summary>
/// <param name="After">Exclusive lower end; null where open.</param>
/// <param name="UpTo">Inclusive upper end; null where open.</param>
public sealed record KeyRange(RowKey? After, RowKey? UpTo)
{
    /// <summary>All rows.</summary>
    public static KeyRange All { get; } = new(null, null);

    /// <summary>Which of <see cref="BucketCount"/> buckets; null where the range is by key. Read by one scan, however many.</summary>
    public IReadOnlyCollection<int>? Buckets { get; init; }

    /// <summary>How many buckets the table is divided into, a power of two; 0 where the range is by key.</summary>
    public int BucketCount { get; init; }
}
