using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Passes;

namespace CdcMigrator.Reconciliation.Deciding;

/// <summary>
/// Compares rows of one table exactly while both sides are written (rule R2): both sides in a snapshot each; what differs is decided once the reader has passed
/// everything the snapshots can have. A row is wrong exactly if no change of it is in one snapshot only. Nothing is decided by trying again. One
/// comparison of a table at a time.
/// </summary>
public sealed class TableComparer
{
    /// <summary>Most differing rows that are looked at closer in one comparison.</summary>
    public const int MostDiffering = 10_000;
    private const long MostRowsRead = 1_000_000;
    private readonly IComparedSides sides;
    private readonly IChangeReader reader;
    private readonly TimeProvider time;
    private readonly string topic;

    /// <summary>Makes the comparer of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="topic">Topic that has its changes.</param>
    /// <param name="index">What the reader met of its changes.</param>
    /// <param name="sides">Both databases.</param>
    /// <param name="reader">The reader that feeds the index.</param>
    /// <param name="time">Clock.</param>
    public TableComparer(ComparedTable table, string topic, ChangeIndex index, IComparedSides sides, IChangeReader reader, TimeProvider time)
    {
        Table = table;
        this.topic = topic;
        Index = index;
        this.sides = sides;
        this.reader = reader;
        this.time = time;
    }

    /// <summary>The table.</summary>
    public ComparedTable Table { get; }

    /// <summary>Its changes.</summary>
    public ChangeIndex Index { get; }

    /// <summary>Where the reader stands, by partition of the table's topic: every change below was told to the index before this call.</summary>
    public IReadOnlyDictionary<int, long> Read => ByPartition(reader.Positions);

    /// <summary>Compares the next chunks behind a key, as many as fit into a while, or the whole table where it is not ordered alike on both sides.</summary>
    /// <param name="after">Where the chunks begin; null at the table's start.</param>
    /// <param name="sizer">Chooses how large they are.</param>
    /// <param name="budget">How long snapshots are held.</param>
    /// <param name="cancellationToken">Ends the comparison with an exception; nothing was decided.</param>
    /// <exception cref="Domain.Faults.FaultException">A side or the log cannot be asked: nothing was decided.</exception>
    public Task<Comparison> CompareChunksAsync(RowKey? after, ChunkSizer sizer, TimeSpan budget, CancellationToken cancellationToken) =>
        CompareAsync(
            view => Table.Order == ChunkOrder.KeyRanges ? ChunksAsync(view, after, sizer, budget, cancellationToken) : BucketsAsync(view, cancellationToken), cancellationToken);

    /// <summary>Compares rows by key and takes those that are decided, equal or wrong, off the list of dirty keys (rule R3).</summary>
    /// <param name="keys">Which rows; those that are on neither side are equal.</param>
    /// <param name="cancellationToken">Ends the comparison with an exception; nothing was decided.</param>
    /// <exception cref="Domain.Faults.FaultException">A side or the log cannot be asked: nothing was decided.</exception>
    public async Task<Comparison> CompareKeysAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var result = await CompareAsync(view => KeysAsync(view, keys, cancellationToken), cancellationToken).ConfigureAwait(false);
        var undecided = result.InFlight.Concat(result.Parked).Concat(result.ParkedEqual).ToHashSet();
        Index.Clear(keys.Where(key => !undecided.Contains(key)), result.Pair);
        return result;
    }

    /// <summary>Looks how far both sides are, without comparing.</summary>
    public async Task<SnapshotPair> LookAsync(CancellationToken cancellationToken)
    {
        await using var views = await OpenAsync(cancellationToken).ConfigureAwait(false);
        Index.Settle(views.Pair);
        return views.Pair;
    }

    private async Task<Comparison> CompareAsync(Func<Views, Task<Found>> compare, CancellationToken cancellationToken)
    {
        Found found;
        SnapshotPair pair;
        IReadOnlySet<RowKey>? parked;
        await using (var views = await OpenAsync(cancellationToken).ConfigureAwait(false))
        {
            pair = views.Pair;
            found = await compare(views).ConfigureAwait(false);
            parked = await views.Target.ParkedAsync(Table, cancellationToken).ConfigureAwait(false);
            if (found.Differing.Count > 0)
            {
                found = found with { Differing = await NameColumnsAsync(views, found.Differing, cancellationToken).ConfigureAwait(false) };
            }
        }

        var result = new Comparison { Pair = pair, Rows = found.Rows, RowsTarget = found.RowsTarget, AtEnd = found.Last is null, Last = found.Last, Truncated = found.Truncated, ParkedUnknown = parked is null };
        if (found.Differing.Count > 0)
        {
            // Behind both snapshots: the marker follows everything they have.
            await reader.PassAsync(cancellationToken).ConfigureAwait(false);
            result = Decide(result, found.Differing, parked);
        }

        // Equal for now: giving up one of a row's dead letters and applying the others makes it another one, and no log has that.
        var differing = found.Differing.Select(row => row.Key).ToHashSet();
        result = result with { ParkedEqual = [.. (found.Asked ?? parked ?? Enumerable.Empty<RowKey>()).Where(key => parked?.Contains(key) != false && !differing.Contains(key))] };

        Index.Settle(pair);
        return result;
    }

    private Comparison Decide(Comparison result, IReadOnlyList<RowMismatch> differing, IReadOnlySet<RowKey>? parked)
    {
        var wrong = new List<RowMismatch>();
        var inFlight = new List<RowKey>();
        var aside = new List<RowKey>();
        var any = !result.Pair.Source.IsPast(reader.Began) || (Table.IsKeyless && Index.ExplainsAny(result.Pair));
        foreach (var row in differing)
        {
            if (parked is null || parked.Contains(row.Key))
            {
                aside.Add(row.Key);
            }
            else if (any || (!Table.IsKeyless && Index.Explains(row.Key, result.Pair)))
            {
                inFlight.Add(row.Key);
            }
            else
            {
                wrong.Add(row with { Unlogged = !Table.IsKeyless && !Index.IsDirty(row.Key) });
            }
        }

        return result with { Wrong = wrong, InFlight = inFlight, Parked = aside };
    }

    private async Task<IReadOnlyList<RowMismatch>> NameColumnsAsync(Views views, IReadOnlyList<RowMismatch> differing, CancellationToken cancellationToken)
    {
        var keys = differing.Where(row => row.Kind == DifferenceKind.Different).Select(row => row.Key).Take(MostDiffering).ToList();
        if (keys.Count == 0 || Table.IsKeyless)
        {
            return differing;
        }

        var source = views.Source.RowsAsync(Table, keys, cancellationToken);
        var target = views.Target.RowsAsync(Table, keys, cancellationToken);
        await Task.WhenAll(source, target).ConfigureAwait(false);
        return RowDiff.WithColumns(Table, differing, await source.ConfigureAwait(false), await target.ConfigureAwait(false));
    }

    private async Task<Found> ChunksAsync(Views views, RowKey? after, ChunkSizer sizer, TimeSpan budget, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        long rows = 0;
        long rowsTarget = 0;
        var differing = new List<RowMismatch>();
        do
        {
            var chunkBegan = time.GetTimestamp();
            var upTo = await views.Source.BoundaryAsync(Table, after, sizer.Next, cancellationToken).ConfigureAwait(false);
            var range = new KeyRange(after, upTo);
            var source = views.Source.DigestAsync(Table, range, cancellationToken);
            var target = views.Target.DigestAsync(Table, range, cancellationToken);
            await Task.WhenAll(source, target).ConfigureAwait(false);
            var (here, there) = (await source.ConfigureAwait(false), await target.ConfigureAwait(false));
            rows += here.Rows;
            rowsTarget += there.Rows;
            sizer.Note(here.Rows, time.GetElapsedTime(chunkBegan));
            if (here != there)
            {
                differing.AddRange(await NarrowAsync(views, range, cancellationToken).ConfigureAwait(false));
            }

            after = upTo;
        }
        while (after is not null && differing.Count < MostDiffering && time.GetElapsedTime(began) < budget);
        return new Found(rows, rowsTarget, differing, after);
    }

    private async Task<Found> BucketsAsync(Views views, CancellationToken cancellationToken)
    {
        var buckets = BucketCount(Table.EstimatedRows);
        var source = views.Source.DigestBucketsAsync(Table, buckets, cancellationToken);
        var target = views.Target.DigestBucketsAsync(Table, buckets, cancellationToken);
        await Task.WhenAll(source, target).ConfigureAwait(false);
        var (here, there) = (await source.ConfigureAwait(false), await target.ConfigureAwait(false));
        var suspect = Enumerable.Range(0, buckets).Where(bucket => here[bucket] != there[bucket]).ToList();
        var closer = Closer(suspect, here, there);
        var differing = closer.Count == 0 ? []
            : await NarrowAsync(views, KeyRange.All with { Buckets = closer, BucketCount = buckets }, cancellationToken).ConfigureAwait(false);
        return new Found(here.Sum(digest => digest.Rows), there.Sum(digest => digest.Rows), differing, null) { Truncated = closer.Count < suspect.Count };
    }

    private async Task<Found> KeysAsync(Views views, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        var source = views.Source.HashesAsync(Table, keys, cancellationToken);
        var target = views.Target.HashesAsync(Table, keys, cancellationToken);
        await Task.WhenAll(source, target).ConfigureAwait(false);
        var (here, there) = (await source.ConfigureAwait(false), await target.ConfigureAwait(false));
        return new Found(here.Count, there.Count, RowDiff.Of(here, there), null) { Asked = keys };
    }

    private async Task<IReadOnlyList<RowMismatch>> NarrowAsync(Views views, KeyRange range, CancellationToken cancellationToken)
    {
        var source = views.Source.HashesAsync(Table, range, cancellationToken);
        var target = views.Target.HashesAsync(Table, range, cancellationToken);
        await Task.WhenAll(source, target).ConfigureAwait(false);
        return RowDiff.Of(await source.ConfigureAwait(false), await target.ConfigureAwait(false));
    }

    private async Task<Views> OpenAsync(CancellationToken cancellationToken)
    {
        // The target first: what it shows beyond its own progress (a value read again, a row that made way for another one's unique value) it had from the source before, so that a
        // snapshot of the source that is taken behind it sees the change that did it.
        var target = await sides.OpenTargetAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Before the source's snapshot: a row that a connector's snapshot published by now is in it.
            var readBefore = Read;
            var source = await sides.OpenSourceAsync(cancellationToken).ConfigureAwait(false);
            return new Views(source, target, new SnapshotPair(source.View, ByPartition(target.Progress), readBefore));
        }
        catch
        {
            await target.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private Dictionary<int, long> ByPartition(IReadOnlyDictionary<LaneId, long> offsets) =>
        offsets.Where(offset => offset.Key.Topic == topic).ToDictionary(offset => offset.Key.Partition, offset => offset.Value);

    /// <summary>Those buckets whose rows are read: all, unless that were too many rows to hold.</summary>
    private static List<int> Closer(IReadOnlyList<int> suspect, IReadOnlyList<ChunkDigest> here, IReadOnlyList<ChunkDigest> there)
    {
        long rows = 0;
        return [.. suspect.TakeWhile((bucket, i) => i == 0 || (rows += here[bucket].Rows + there[bucket].Rows) < MostRowsRead)];
    }

    /// <summary>About a thousand rows a bucket, so that those that differ are few to read.</summary>
    private static int BucketCount(long rows) => (int)Math.Clamp(System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(rows, 1) / 1000 + 1), 1024, 1 << 20);

    private sealed record Views(ISourceSnapshot Source, ITargetSnapshot Target, SnapshotPair Pair) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Target.DisposeAsync().ConfigureAwait(false);
            await Source.DisposeAsync().ConfigureAwait(false);
        }
    }

    private sealed record Found(long Rows, long RowsTarget, IReadOnlyList<RowMismatch> Differing, RowKey? Last)
    {
        public bool Truncated { get; init; }

        /// <summary>The keys that were compared; null where all were, from one key on.</summary>
        public IReadOnlyCollection<RowKey>? Asked { get; init; }
    }
}
