namespace CdcMigrator.Domain.Comparing;

/// <summary>
/// A consistent view of one side, held by an open read-only transaction. One call at a time. Throws <see cref="Faults.FaultException"/> (Unreachable,
/// Transient, Configuration) where the database does not answer, ends the session, or lacks what is asked for.
/// </summary>
public interface ISideSnapshot : IAsyncDisposable
{
    /// <summary>Count and sum of a range.</summary>
    Task<ChunkDigest> DigestAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken);

    /// <summary>Count and sum of every bucket, by one scan; as many as asked for, by number.</summary>
    Task<IReadOnlyList<ChunkDigest>> DigestBucketsAsync(ComparedTable table, int buckets, CancellationToken cancellationToken);

    /// <summary>Key and hash of each row of a range, in no order. Rows alike in a table without a key are one entry.</summary>
    Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken);

    /// <summary>Key and hash of those rows of a list of keys that are there, in no order.</summary>
    Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken);

    /// <summary>Canonical text of every compared column of those rows of a list that are there.</summary>
    Task<IReadOnlyDictionary<RowKey, string?[]>> RowsAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken);

    /// <summary>Counts rows: all of them, or those of a list that are there. With the sum of their keys' hashes, the same on both sides, where <see cref="ComparedTable.SumsKeys"/> says so, else 0.</summary>
    Task<ChunkDigest> CountAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken);

    /// <summary>
    /// Rows of one query of a person's, each value as text, in the session's own search path. Read only; at most <paramref name="most"/> rows and one more.
    /// </summary>
    /// <exception cref="Faults.FaultException">As above; Configuration <c>rule-refused</c> with the server's words; Transient <c>rule-timeout</c>. The snapshot may be lost then.</exception>
    Task<IReadOnlyList<IReadOnlyList<string?>>> QueryAsync(string sql, int most, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>
    /// Keys of some rows: so many drawn at random, those at both ends of the key, and those with the longest values and with values at the edge of their types among more rows
    /// that are drawn (whole tables are not read for them, but for the least and the greatest value where an index has it). None for a table without a key.
    /// </summary>
    Task<IReadOnlyList<SampledKey>> SampleAsync(ComparedTable table, int rows, CancellationToken cancellationToken);
}
