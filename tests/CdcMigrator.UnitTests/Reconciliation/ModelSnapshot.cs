using System.IO.Hashing;
using System.Text;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>A snapshot of either side of the model. Sides move between two questions to it.</summary>
internal sealed class ModelSnapshot(IReadOnlyDictionary<string, string> rows, ISourceView view, Action between, LiveFlaw flaw) : ISourceSnapshot, ITargetSnapshot
{
    public ISourceView View => view;

    public IReadOnlyDictionary<LaneId, long> Progress { get; init; } = new Dictionary<LaneId, long>();

    public IReadOnlySet<RowKey> Parked { get; init; } = new HashSet<RowKey>();

    public Task<IReadOnlySet<RowKey>?> ParkedAsync(ComparedTable table, CancellationToken cancellationToken) => Task.FromResult<IReadOnlySet<RowKey>?>(Parked);

    public Task<ChunkDigest> DigestAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken)
    {
        between();
        return Task.FromResult(Sum(Within(table, range)));
    }

    public Task<IReadOnlyList<ChunkDigest>> DigestBucketsAsync(ComparedTable table, int buckets, CancellationToken cancellationToken)
    {
        between();
        var byBucket = Entries(table).ToLookup(row => Bucket(row.Key, buckets));
        return Task.FromResult<IReadOnlyList<ChunkDigest>>([.. Enumerable.Range(0, buckets).Select(bucket => Sum(byBucket[bucket]))]);
    }

    public Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<RowHash>>([.. Within(table, range)]);

    public Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        between();
        return Task.FromResult<IReadOnlyList<RowHash>>([.. Entries(table).Where(row => keys.Contains(row.Key))]);
    }

    public Task<IReadOnlyDictionary<RowKey, string?[]>> RowsAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<RowKey, string?[]>>(keys.Where(key => rows.ContainsKey(key.Values[0]))
            .ToDictionary(key => key, key => new string?[] { key.Values[0], rows[key.Values[0]] }));

    public Task<RowKey?> BoundaryAsync(ComparedTable table, RowKey? after, long count, CancellationToken cancellationToken) =>
        Task.FromResult(Within(table, new KeyRange(after, null)).Skip((int)Math.Min(count, 3) - 1).Select(row => row.Key).FirstOrDefault());

    public Task<ChunkDigest> CountAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken)
    {
        between();
        var some = rows.Keys.Where(key => keys is null || keys.Contains(new RowKey(key))).ToList();
        return Task.FromResult(new ChunkDigest(some.Count, some.Aggregate(Int128.Zero, (sum, key) => sum + Hash(key))));
    }

    /// <summary>Any query counts the rows.</summary>
    public Task<IReadOnlyList<IReadOnlyList<string?>>> QueryAsync(string sql, int most, TimeSpan timeout, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<IReadOnlyList<string?>>>([[rows.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)]]);

    public Task<IReadOnlyList<SampledKey>> SampleAsync(ComparedTable table, int count, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<SampledKey>>([.. rows.Keys.Select(key => new SampledKey(SampleStratum.Random, new RowKey(key)))]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The same in every process, so that a history is. Not linear: sums of it must not hide what differs.</summary>
    private static long Hash(string text) => (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(text));

    private static int Bucket(RowKey key, int buckets) => (int)((ulong)Hash(key.Values[0]) % (uint)buckets);

    private ChunkDigest Sum(IEnumerable<RowHash> some)
    {
        var digest = some.Aggregate(default(ChunkDigest), (sum, row) => new ChunkDigest(sum.Rows + row.Copies, sum.Sum + ((Int128)row.Hash * row.Copies)));
        return flaw == LiveFlaw.SumsIgnored ? digest with { Sum = 0 } : digest;
    }

    /// <summary>The key is part of the row: values exchanged between rows change the sum.</summary>
    private IEnumerable<RowHash> Entries(ComparedTable table) => !table.IsKeyless
        ? rows.Select(row => new RowHash(new RowKey(row.Key), Hash($"{row.Key}={row.Value}")))
        : rows.Values.GroupBy(value => value).Select(same => new RowHash(new RowKey(same.Key), Hash(same.Key), flaw == LiveFlaw.CopiesUncounted ? 1 : same.Count()));

    private IEnumerable<RowHash> Within(ComparedTable table, KeyRange range) => Entries(table).Where(row => range.Buckets is { } buckets
        ? buckets.Contains(Bucket(row.Key, range.BucketCount))
        : (range.After is null || string.CompareOrdinal(row.Key.Values[0], range.After.Values[0]) > 0) && (range.UpTo is null || string.CompareOrdinal(row.Key.Values[0], range.UpTo.Values[0]) <= 0));
}
