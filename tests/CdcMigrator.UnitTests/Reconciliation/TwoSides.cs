using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Changes;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>
/// A model of both live sides: transactions that are in the log before, or after, snapshots see them; a connector that copies rows, at first or in between; partitions that are
/// published and applied each at its own pace, with records that are no changes; a target that may be wrong. Everything moves only when told to.
/// </summary>
internal sealed class TwoSides : IComparedSides, IChangeReader
{
    public const string Topic = "shop.public.t";

    public static readonly ComparedTable Table = new()
    {
        Source = new TableName("public", "t"),
        Target = new TableName("public", "t"),
        Columns = [new ComparedColumn("id", "id", CanonicalForm.Text), new ComparedColumn("v", "v", CanonicalForm.Text) { IsFreeText = true }],
        Key = [0],
    };

    private readonly int partitions;
    private readonly bool isUnique;
    private readonly ModelTarget target;
    private readonly List<ModelWrite> written = [];
    private readonly HashSet<uint> visible = [];
    private readonly List<List<ModelWrite?>> log;
    private readonly int[] read;
    private readonly int[] applied;
    private readonly Queue<ModelWrite> copied = new();
    private readonly Dictionary<string, string?> corrupted = [];
    private uint nextTransaction = ModelView.First;
    private int published;
    private bool connected = true;
    private SortedDictionary<string, string>? before;
    private ModelSnapshot? early;
    private ModelView began = new(new HashSet<uint>(), ModelView.First);

    public TwoSides(int partitions, ChangeIndex index, bool isUnique = false)
    {
        this.partitions = partitions;
        this.isUnique = isUnique;
        Index = index;
        log = [.. Enumerable.Range(0, partitions).Select(_ => new List<ModelWrite?>())];
        (read, applied) = (new int[partitions], new int[partitions]);
        target = new ModelTarget(isUnique, partitions, Ask);
    }

    /// <summary>What happens between two calls, so that sides move while they are compared.</summary>
    public Action Between { get; set; } = () => { };

    public LiveFlaw Flaw { get; init; }

    public bool IsKeyless { get; init; }

    public ChangeIndex Index { get; private set; }

    public IReadOnlyDictionary<LaneId, long> Positions => Offsets(read);

    /// <summary>What each partition holds.</summary>
    public IReadOnlyList<long> Ends => [.. log.Select(partition => (long)partition.Count)];

    /// <summary>Where the reader stands in each partition.</summary>
    public IReadOnlyList<int> ReadUpTo => read;

    /// <summary>Next offset the target wants of each partition.</summary>
    public IReadOnlyList<int> Applied => applied;

    public ISourceView Began => Flaw == LiveFlaw.BeganForgotten ? new ModelView(new HashSet<uint>(), ModelView.First) : began;

    /// <summary>Whether rows of the initial snapshot are still to be published.</summary>
    public bool IsCopying => !connected || copied.Count > 0;

    /// <summary>The source's rows with everything that was committed.</summary>
    public SortedDictionary<string, string> Committed { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows with dead letters, in order.</summary>
    public IReadOnlyList<string> Parked => [.. target.Parked.Order(StringComparer.Ordinal)];

    /// <summary>Commits a write; it is in no log and no snapshot yet. A null value deletes, a null key truncates.</summary>
    public void Commit(string? key, string? value, bool isBad = false, bool lacksValue = false)
    {
        var old = key is null ? null : Committed.GetValueOrDefault(key);
        ModelWrite.Replay(Committed, key, value);
        written.Add(new ModelWrite(key, value, nextTransaction++)
        {
            IsBad = isBad,
            LacksValue = lacksValue,
            Touches = isUnique ? new[] { old, value }.OfType<string>().ToHashSet() : [],
        });
    }

    /// <summary>The source has no connector yet: what is committed is in no log.</summary>
    public void Disconnect() => connected = false;

    /// <summary>The connector begins: it will publish the rows there are, then what changes from now on.</summary>
    public void Connect(Random random)
    {
        if (connected)
        {
            return;
        }

        connected = true;
        published = written.Count;
        visible.UnionWith(written.Select(write => write.Transaction));
        var rows = Committed.Select(row => new ModelWrite(row.Key, row.Value, 0) { IsRead = true }).ToArray();
        random.Shuffle(rows);
        Array.ForEach(rows, copied.Enqueue);
    }

    /// <summary>Publishes the next row of the initial snapshot, or the oldest write that is in no log.</summary>
    public bool Publish()
    {
        if (!connected || (copied.Count == 0 && published == written.Count))
        {
            return false;
        }

        var next = copied.Count > 0 ? copied.Dequeue() : written[published++];
        log[Partition(next.Key)].Add(next);
        if ((next.Key is not null && next.Value is null) || next.Transaction % 7 == 6)
        {
            PublishNothing(Partition(next.Key));
        }

        return true;
    }

    /// <summary>Publishes what is no change: a tombstone, the marker of a transaction.</summary>
    public void PublishNothing(int partition) => log[partition].Add(null);

    /// <summary>
    /// The connector copies a row in between, as its incremental snapshot does: as the changes left it that are in the log, and not where one that is not is visible, for that
    /// drops the row from the window.
    /// </summary>
    public void Copy(string key)
    {
        var rows = Ask();
        if (!IsCopying && rows.TryGetValue(key, out var value) && !written.Skip(published).Any(write => (write.Key is null || write.Key == key) && visible.Contains(write.Transaction)))
        {
            log[Partition(key)].Add(new ModelWrite(key, value, 0) { IsRead = true });
        }
    }

    /// <summary>Lets snapshots see a committed write. Writes of a row, or of a unique value, become visible in order: the later one waited for the earlier one's end.</summary>
    public void Show(int choice)
    {
        var hidden = written.Where(write => !visible.Contains(write.Transaction)).ToList();
        hidden = [.. hidden.Where(write => !hidden.Exists(earlier => earlier.Transaction < write.Transaction && write.WaitsFor(earlier)))];
        if (hidden.Count > 0)
        {
            visible.Add(hidden[choice % hidden.Count].Transaction);
        }
    }

    public void Read(int partition)
    {
        if (read[partition] == log[partition].Count)
        {
            return;
        }

        if (log[partition][read[partition]] is { } write && (write.Key is not null || Flaw != LiveFlaw.TruncateUntold))
        {
            var mark = new ChangeMark(partition, read[partition], write.Transaction, write.IsRead);
            Index.Add(write.Key is null || IsKeyless ? null : new RowKey(Flaw == LiveFlaw.KeyMisread ? $"{write.Key} " : write.Key), mark);
        }

        read[partition]++;
    }

    /// <summary>Applies the next record of a partition.</summary>
    /// <returns>False where there is none, or the lane stands.</returns>
    public bool Apply(int partition)
    {
        if (applied[partition] >= log[partition].Count)
        {
            return false;
        }

        var write = log[partition][applied[partition]];
        if (write is not null && !target.Apply(write))
        {
            return false;
        }

        applied[partition]++;
        if (write is { IsRead: true, Key: { } key } && !target.Parked.Contains(key))
        {
            // Whatever the row was, it is written anew.
            corrupted.Remove(key);
        }

        return true;
    }

    /// <summary>Applies what all dead letters of a row come to.</summary>
    public void Retry(string key) => target.Retry(key);

    /// <summary>Gives up one dead letter of a row.</summary>
    public void Discard(string key, int choice) => target.Discard(key, choice);

    /// <summary>Makes the target's row another than its changes made it; null removes it.</summary>
    public void Corrupt(string key, string? value) => corrupted[key] = value;

    /// <summary>Takes what was made wrong back.</summary>
    public void Mend() => corrupted.Clear();

    /// <summary>Makes all rows of the target what the source's are. At rest.</summary>
    public void Repair()
    {
        Mend();
        target.Rows.Clear();
        foreach (var (key, value) in SourceRows())
        {
            target.Rows[key] = value;
        }
    }

    /// <summary>Keys whose rows differ now; of a table without a key, the rows.</summary>
    public IReadOnlyList<string> Differing()
    {
        var (source, there) = (SourceRows(), TargetRows());
        return IsKeyless
            ? [.. source.Values.Union(there.Values).Where(value => source.Values.Count(row => row == value) != there.Values.Count(row => row == value)).Order(StringComparer.Ordinal)]
            : [.. source.Keys.Union(there.Keys).Where(key => source.GetValueOrDefault(key) != there.GetValueOrDefault(key)).Order(StringComparer.Ordinal)];
    }

    public async Task PassAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        Between();
        if (Flaw == LiveFlaw.NoPass)
        {
            return;
        }

        if (connected)
        {
            // The marker is a change: the connector publishes it behind all of its snapshot.
            while (Publish())
            {
            }
        }
        else
        {
            // It is a row of the snapshot that begins now, and that row may be the first.
            Connect(new Random(written.Count));
        }

        ReadAll();
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

    /// <summary>Everything arrives everywhere. Where a truncate is held up by dead letters they are retried.</summary>
    public async Task DrainAsync()
    {
        Connect(new Random(0));
        await PassAsync(default);
        while (Publish())
        {
        }

        ReadAll();
        visible.UnionWith(written.Select(write => write.Transaction));
        while (applied.Zip(log).Any(lane => lane.First < lane.Second.Count))
        {
            if (!Enumerable.Range(0, partitions).Any(Apply))
            {
                Retry(Parked[0]);
            }
        }
    }

    /// <summary>A new reader that begins where the target is, knowing nothing of what came before.</summary>
    public void RestartReader(IReadOnlyDictionary<int, long>? from = null)
    {
        for (var partition = 0; partition < partitions; partition++)
        {
            read[partition] = from is null ? applied[partition] : (int)from.GetValueOrDefault(partition, applied[partition]);
        }

        began = View();
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
        var now = early ?? Source();
        early = null;
        return Task.FromResult<ISourceSnapshot>(now);
    }

    public Task<ITargetSnapshot> OpenTargetAsync(CancellationToken cancellationToken)
    {
        if (Flaw == LiveFlaw.SourceFirst)
        {
            Between();
            early = Source();
        }

        Between();
        var progress = Offsets(applied);
        (Flaw == LiveFlaw.ProgressOutside ? Between : () => { })();
        var parked = Parked.Where(key => Flaw != LiveFlaw.ParkedIgnored && (Flaw != LiveFlaw.ParkedRight || Differing().Contains(key)));
        return Task.FromResult<ITargetSnapshot>(new ModelSnapshot(TargetRows(), began, Between, Flaw) { Progress = progress, Parked = parked.Select(key => new RowKey(key)).ToHashSet() });
    }

    /// <summary>The reader reads all there is.</summary>
    public void ReadAll()
    {
        for (var partition = 0; partition < partitions; partition++)
        {
            while (read[partition] < log[partition].Count)
            {
                Read(partition);
            }
        }
    }

    private ModelSnapshot Source()
    {
        var rows = SourceRows();
        var old = Flaw == LiveFlaw.OldSnapshot ? before ?? rows : rows;
        before = rows;
        return new ModelSnapshot(old, View(), Between, Flaw);
    }

    private ModelView View() => new(visible.ToHashSet(), nextTransaction);

    /// <summary>The source's rows as the applier reads them: it waits until all that is in the log is visible.</summary>
    private SortedDictionary<string, string> Ask()
    {
        visible.UnionWith(written.Take(published).Select(write => write.Transaction));
        return SourceRows();
    }

    private SortedDictionary<string, string> SourceRows()
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var write in written.Where(write => visible.Contains(write.Transaction)))
        {
            ModelWrite.Replay(rows, write.Key, write.Value);
        }

        return rows;
    }

    private SortedDictionary<string, string> TargetRows()
    {
        var rows = new SortedDictionary<string, string>(target.Rows, StringComparer.Ordinal);
        foreach (var (key, value) in corrupted)
        {
            ModelWrite.Replay(rows, key, value);
        }

        return rows;
    }

    private int Partition(string? key) => key is null ? 0 : key[^1] % partitions;

    private Dictionary<LaneId, long> Offsets(int[] offsets) =>
        offsets.Select((offset, partition) => (new LaneId(Topic, partition), (long)offset)).ToDictionary();
}
