using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Changes;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>
/// A model of both live sides: transactions that are in the log before, or after, snapshots see them; partitions that are published and applied each at its own pace;
/// a target that may be wrong; records that are no changes, behind deletes and some transactions. Everything moves only when told to.
/// </summary>
internal sealed class TwoSides(int partitions, ChangeIndex index) : IComparedSides, IChangeReader
{
    public const string Topic = "shop.public.t";

    public static readonly ComparedTable Table = new()
    {
        Source = new TableName("public", "t"),
        Target = new TableName("public", "t"),
        Columns = [new ComparedColumn("id", "id", CanonicalForm.Text), new ComparedColumn("v", "v", CanonicalForm.Text) { IsFreeText = true }],
        Key = [0],
    };

    private readonly List<Write> written = [];
    private readonly HashSet<uint> visible = [];
    private readonly List<List<Write?>> log = [.. Enumerable.Range(0, partitions).Select(_ => new List<Write?>())];
    private readonly int[] read = new int[partitions];
    private readonly int[] applied = new int[partitions];
    private readonly Dictionary<string, string?> corrupted = [];
    private uint nextTransaction = 100;
    private View began = new(new HashSet<uint>(), 100);

    /// <summary>What happens between two calls, so that sides move while they are compared.</summary>
    public Action Between { get; set; } = () => { };

    public ChangeIndex Index { get; private set; } = index;

    public IReadOnlyDictionary<LaneId, long> Positions => Offsets(read);

    /// <summary>What each partition holds.</summary>
    public IReadOnlyList<long> Ends => [.. log.Select(partition => (long)partition.Count)];

    /// <summary>Next offset the target wants of each partition.</summary>
    public IReadOnlyList<int> Applied => applied;

    public ISourceView Began => began;

    /// <summary>Commits a write; it is in no log and no snapshot yet. Null deletes, a null key truncates.</summary>
    public void Commit(string? key, string? value) =>
        written.Add(new Write(key, value, nextTransaction++));

    /// <summary>Publishes the oldest write that is in no log.</summary>
    public bool Publish()
    {
        var next = log.Sum(partition => partition.Count(record => record is not null));
        if (next == written.Count)
        {
            return false;
        }

        var write = written[next];
        log[Partition(write.Key)].Add(write);
        if ((write.Key is not null && write.Value is null) || write.Transaction % 7 == 6)
        {
            PublishNothing(Partition(write.Key));
        }

        return true;
    }

    /// <summary>Publishes what is no change: a tombstone, the marker of a transaction.</summary>
    public void PublishNothing(int partition) => log[partition].Add(null);

    /// <summary>Lets snapshots see a committed write. Writes of a row become visible in order: the later one waited for the earlier one's end.</summary>
    public void Show(int choice)
    {
        var hidden = written.Where(write => !visible.Contains(write.Transaction))
            .Where(write => !written.Any(earlier => earlier.Transaction < write.Transaction && !visible.Contains(earlier.Transaction)
                && (earlier.Key == write.Key || earlier.Key is null || write.Key is null))).ToList();
        if (hidden.Count > 0)
        {
            visible.Add(hidden[choice % hidden.Count].Transaction);
        }
    }

    public void Read(int partition)
    {
        if (read[partition] < log[partition].Count)
        {
            if (log[partition][read[partition]] is { } write)
            {
                Index.Add(write.Key is null ? null : new RowKey(write.Key), new ChangeMark(partition, read[partition], write.Transaction, false));
            }

            read[partition]++;
        }
    }

    public void Apply(int partition)
    {
        if (applied[partition] < log[partition].Count)
        {
            applied[partition]++;
        }
    }

    /// <summary>Makes the target's row another than its changes made it; null removes it.</summary>
    public void Corrupt(string key, string? value) => corrupted[key] = value;

    public void Mend() => corrupted.Clear();

    /// <summary>Keys whose rows differ now.</summary>
    public IReadOnlyList<string> Differing()
    {
        var (source, target) = (SourceRows(), TargetRows());
        return [.. source.Keys.Union(target.Keys).Where(key => source.GetValueOrDefault(key) != target.GetValueOrDefault(key)).Order(StringComparer.Ordinal)];
    }

    public async Task PassAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        Between();
        while (Publish())
        {
        }

        for (var partition = 0; partition < partitions; partition++)
        {
            while (read[partition] < log[partition].Count)
            {
                Read(partition);
            }
        }
    }

    /// <summary>One move of either side, or of what is between them.</summary>
    /// <param name="random">Chooses.</param>
    /// <param name="commit">How the source moves.</param>
    public void Step(Random random, Action commit)
    {
        switch (random.Next(6))
        {
            case 0:
                commit();
                break;
            case 1:
                Publish();
                break;
            case 2:
                Show(random.Next(100));
                break;
            case 3:
                Read(random.Next(partitions));
                break;
            default:
                Apply(random.Next(partitions));
                break;
        }
    }

    /// <summary>Everything arrives everywhere.</summary>
    public async Task DrainAsync()
    {
        await PassAsync(default);
        visible.UnionWith(written.Select(write => write.Transaction));
        for (var partition = 0; partition < partitions; partition++)
        {
            applied[partition] = log[partition].Count;
        }
    }

    /// <summary>A new reader that begins where the target is, knowing nothing of what came before.</summary>
    public void RestartReader(IReadOnlyDictionary<int, long>? from = null)
    {
        for (var partition = 0; partition < partitions; partition++)
        {
            read[partition] = from is null ? applied[partition] : (int)from.GetValueOrDefault(partition, applied[partition]);
        }

        began = new View(visible.ToHashSet(), nextTransaction);
    }

    /// <summary>The reader of another process: it begins at offsets of its own and tells another index.</summary>
    public void RestartReader(IReadOnlyDictionary<int, long> from, ChangeIndex index)
    {
        Index = index;
        RestartReader(from);
    }

    public Task<ISourceSnapshot> OpenSourceAsync(CancellationToken cancellationToken)
    {
        Between();
        return Task.FromResult<ISourceSnapshot>(new Snapshot(SourceRows(), new View(visible.ToHashSet(), nextTransaction), Between));
    }

    public Task<ITargetSnapshot> OpenTargetAsync(CancellationToken cancellationToken)
    {
        Between();
        return Task.FromResult<ITargetSnapshot>(new Snapshot(TargetRows(), began, Between) { Progress = Offsets(applied) });
    }

    private SortedDictionary<string, string> SourceRows() => Rows(written.Where(write => visible.Contains(write.Transaction)));

    /// <summary>Each row as its own lane left it. A truncate takes what precedes it in source order, in whatever lane.</summary>
    private SortedDictionary<string, string> TargetRows()
    {
        var rows = Rows(log.SelectMany((partition, i) => partition.Take(applied[i])).OfType<Write>().OrderBy(write => write.Transaction));
        foreach (var (key, value) in corrupted)
        {
            rows.Remove(key);
            if (value is not null)
            {
                rows[key] = value;
            }
        }

        return rows;
    }

    private static SortedDictionary<string, string> Rows(IEnumerable<Write> writes)
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var write in writes)
        {
            if (write.Key is null)
            {
                rows.Clear();
            }
            else if (write.Value is null)
            {
                rows.Remove(write.Key);
            }
            else
            {
                rows[write.Key] = write.Value;
            }
        }

        return rows;
    }

    private int Partition(string? key) => key is null ? 0 : key[^1] % partitions;

    private Dictionary<LaneId, long> Offsets(int[] offsets) =>
        offsets.Select((offset, partition) => (new LaneId(Topic, partition), (long)offset)).ToDictionary();

    private sealed record Write(string? Key, string? Value, uint Transaction);

    private sealed record View(IReadOnlySet<uint> Visible, uint Next) : ISourceView
    {
        public bool Sees(ulong transaction) => Visible.Contains((uint)transaction);

        public bool IsPast(ISourceView earlier) => Oldest >= ((View)earlier).Next;

        /// <summary>As a server tells it: the oldest transaction that still runs.</summary>
        private uint Oldest => Enumerable.Range(100, (int)(Next - 100)).Select(id => (uint)id).FirstOrDefault(id => !Visible.Contains(id), Next);
    }

    private sealed class Snapshot(SortedDictionary<string, string> rows, ISourceView view, Action between) : ISourceSnapshot, ITargetSnapshot
    {
        public ISourceView View => view;

        public IReadOnlyDictionary<LaneId, long> Progress { get; init; } = new Dictionary<LaneId, long>();

        public Task<IReadOnlySet<RowKey>?> ParkedAsync(ComparedTable table, CancellationToken cancellationToken) => Task.FromResult<IReadOnlySet<RowKey>?>(new HashSet<RowKey>());

        public Task<ChunkDigest> DigestAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken)
        {
            between();
            var sum = Int128.Zero;
            var some = Within(range).ToList();
            some.ForEach(row => sum += Hash(row.Key, row.Value));
            return Task.FromResult(new ChunkDigest(some.Count, sum));
        }

        public Task<IReadOnlyList<ChunkDigest>> DigestBucketsAsync(ComparedTable table, int buckets, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<RowHash>>([.. Within(range).Select(row => new RowHash(new RowKey(row.Key), Hash(row.Key, row.Value)))]);

        public Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<RowHash>>([.. keys.Where(key => rows.ContainsKey(key.Values[0])).Select(key => new RowHash(key, Hash(key.Values[0], rows[key.Values[0]])))]);

        public Task<IReadOnlyDictionary<RowKey, string?[]>> RowsAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<RowKey, string?[]>>(keys.Where(key => rows.ContainsKey(key.Values[0]))
                .ToDictionary(key => key, key => new string?[] { key.Values[0], rows[key.Values[0]] }));

        public Task<RowKey?> BoundaryAsync(ComparedTable table, RowKey? after, long count, CancellationToken cancellationToken) =>
            Task.FromResult(Within(new KeyRange(after, null)).Skip((int)Math.Min(count, 3) - 1).Select(row => new RowKey(row.Key)).FirstOrDefault());

        public Task<ChunkDigest> CountAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken)
        {
            between();
            var some = rows.Keys.Where(key => keys is null || keys.Contains(new RowKey(key))).ToList();
            return Task.FromResult(new ChunkDigest(some.Count, some.Aggregate(Int128.Zero, (sum, key) => sum + Hash(key, ""))));
        }

        /// <summary>Any query counts the rows.</summary>
        public Task<IReadOnlyList<IReadOnlyList<string?>>> QueryAsync(string sql, int most, TimeSpan timeout, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<IReadOnlyList<string?>>>([[rows.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)]]);

        public Task<IReadOnlyList<SampledKey>> SampleAsync(ComparedTable table, int count, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<SampledKey>>([.. rows.Keys.Select(key => new SampledKey(SampleStratum.Random, new RowKey(key)))]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        /// <summary>The key is part of the row: values exchanged between rows change the sum.</summary>
        private static long Hash(string key, string value) => $"{key}={value}".GetHashCode(StringComparison.Ordinal) * 0x9E3779B97F4A7C1L;

        private IEnumerable<KeyValuePair<string, string>> Within(KeyRange range) => rows.Where(row =>
            (range.After is null || string.CompareOrdinal(row.Key, range.After.Values[0]) > 0)
            && (range.UpTo is null || string.CompareOrdinal(row.Key, range.UpTo.Values[0]) <= 0));
    }
}
