using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Changes;

/// <summary>
/// What one table's changes left to verify: dirty keys, and those changes that two snapshots may disagree about. The reader adds, comparisons ask and clear.
/// Thread-safe; comparisons of one table come one after the other. Rules R2 and R3.
/// </summary>
public sealed class ChangeIndex
{
    private readonly Lock gate = new();
    private readonly int limit;
    private readonly Dictionary<RowKey, DirtyKey> keys = [];
    private readonly List<ChangeMark> ofAllRows = [];
    private long changesOfAllRows;
    private bool allDirty;
    private int pins;

    /// <summary>Makes an empty index.</summary>
    /// <param name="limit">Most dirty keys to remember. A change of a key beyond it counts as one of all rows.</param>
    public ChangeIndex(int limit = 1_000_000) => this.limit = limit;

    /// <summary>Most dirty keys that are remembered.</summary>
    public int Limit => limit;

    /// <summary>Keys that changed since they were last verified.</summary>
    public int DirtyKeys
    {
        get
        {
            lock (gate)
            {
                return keys.Count;
            }
        }
    }

    /// <summary>Rows that are not known changed (a truncate, a key that could not be read, more keys than are remembered): only a full pass verifies the table.</summary>
    public bool AllDirty
    {
        get
        {
            lock (gate)
            {
                return allDirty;
            }
        }
    }

    /// <summary>Changes that are not known to be in both sides yet.</summary>
    public int OpenChanges
    {
        get
        {
            lock (gate)
            {
                return ofAllRows.Count + keys.Values.Sum(dirty => dirty.Open.Count);
            }
        }
    }

    /// <summary>Notes a change. Those of a partition come in order; a repeated one is harmless.</summary>
    /// <param name="key">The row; null for all rows.</param>
    /// <param name="mark">Where it stands.</param>
    public void Add(RowKey? key, ChangeMark mark)
    {
        lock (gate)
        {
            if (key is not null && keys.TryGetValue(key, out var dirty))
            {
                dirty.Add(mark);
            }
            else if (key is not null && keys.Count < limit)
            {
                keys[key] = dirty = new DirtyKey();
                dirty.Add(mark);
            }
            else
            {
                ofAllRows.Add(mark);
                changesOfAllRows++;
                allDirty = true;
            }
        }
    }

    /// <summary>Whether some change explains that a row differs between two snapshots. Ask only when the reader is past everything either can have.</summary>
    public bool Explains(RowKey key, SnapshotPair pair)
    {
        lock (gate)
        {
            return ofAllRows.Exists(mark => pair.Explains(mark))
                || (keys.TryGetValue(key, out var dirty) && dirty.Open.Any(mark => pair.Explains(mark)));
        }
    }

    /// <summary>Whether a row changed, or may have, since it was last verified. Ask only when the reader is past everything that was compared.</summary>
    public bool IsDirty(RowKey key)
    {
        lock (gate)
        {
            return allDirty || ofAllRows.Count > 0 || keys.ContainsKey(key);
        }
    }

    /// <summary>Whether any change at all lies in one snapshot only: what explains differences between rows that have no key.</summary>
    public bool ExplainsAny(SnapshotPair pair)
    {
        lock (gate)
        {
            return ofAllRows.Exists(mark => pair.Explains(mark)) || keys.Values.Any(dirty => dirty.Open.Any(mark => pair.Explains(mark)));
        }
    }

    /// <summary>
    /// Takes keys that two snapshots decided off the list, but for those with a change that is not in both: only a later comparison can tell whether it arrived.
    /// </summary>
    /// <returns>How many stay dirty.</returns>
    public int Clear(IEnumerable<RowKey> decided, SnapshotPair pair)
    {
        ArgumentNullException.ThrowIfNull(decided);
        ArgumentNullException.ThrowIfNull(pair);
        var kept = 0;
        lock (gate)
        {
            foreach (var key in decided)
            {
                if (!keys.TryGetValue(key, out var dirty))
                {
                    continue;
                }

                if (pins == 0 ? pair.Covers(dirty.Last) && dirty.Open.All(pair.Covers) : dirty.Open.Count == 0)
                {
                    keys.Remove(key);
                }
                else
                {
                    kept++;
                }
            }
        }

        return kept;
    }

    /// <summary>Some of the dirty keys, of those only that can be verified now: all their changes are in every pair of snapshots from now on.</summary>
    public IReadOnlyList<RowKey> TakeSettled(int most)
    {
        lock (gate)
        {
            return [.. keys.Where(pair => pair.Value.Open.Count == 0).Take(most).Select(pair => pair.Key)];
        }
    }

    /// <summary>Forgets keys of which both sides have all changes: for a table that only a full pass can verify, so that they need not be verified one by one.</summary>
    public void ForgetSettled()
    {
        lock (gate)
        {
            foreach (var (key, dirty) in keys)
            {
                if (dirty.Open.Count == 0)
                {
                    keys.Remove(key);
                }
            }
        }
    }

    /// <summary>
    /// Whether a full pass over several pairs of snapshots may begin that verifies what changes of all rows left behind: every snapshot from now on has them.
    /// The number is to be given to <see cref="EndPass(long)"/>; null where it may not begin yet.
    /// </summary>
    public long? TryBeginPass()
    {
        lock (gate)
        {
            return ofAllRows.Count == 0 ? changesOfAllRows : null;
        }
    }

    /// <summary>Whether all rows changed since a pass began that is still under way: what it compared until then counts no more.</summary>
    /// <param name="begun">What <see cref="TryBeginPass"/> gave; null where another process began it, and this one has gone on since its own beginning.</param>
    public bool HasBroken(long? begun)
    {
        lock (gate)
        {
            return begun is { } number ? changesOfAllRows != number : allDirty;
        }
    }

    /// <summary>Ends a full pass over several pairs of snapshots, the reader being past everything they can have.</summary>
    /// <param name="begun">What <see cref="TryBeginPass"/> gave.</param>
    /// <returns>Whether it verified the whole table but for the dirty keys: no change of all rows came in between.</returns>
    public bool EndPass(long begun)
    {
        lock (gate)
        {
            allDirty = changesOfAllRows != begun;
            return !allDirty;
        }
    }

    /// <summary>Ends a full pass over one pair of snapshots, the reader being past everything they can have.</summary>
    /// <returns>Whether it verified the whole table but for the dirty keys: the pair has all changes of all rows.</returns>
    public bool EndPass(SnapshotPair only)
    {
        lock (gate)
        {
            allDirty = !ofAllRows.TrueForAll(only.Covers);
            return !allDirty;
        }
    }

    /// <summary>
    /// Forgets which changes explain differences once no later pair of snapshots can disagree about them: what both of a pair have, both of each later one
    /// have. Keys stay dirty. To be called between two comparisons.
    /// </summary>
    /// <param name="pair">Snapshots of a comparison that was decided.</param>
    public void Settle(SnapshotPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        lock (gate)
        {
            if (pins > 0)
            {
                return;
            }

            ofAllRows.RemoveAll(pair.Covers);
            foreach (var dirty in keys.Values)
            {
                dirty.Settle(pair.Covers);
            }
        }
    }

    /// <summary>
    /// Keeps every change that is told from now on, and every one that is not forgotten yet, until what is returned is disposed: for a pair of snapshots that is taken behind
    /// this call and looked at while comparisons with later ones go on. Meanwhile keys that change stay dirty.
    /// </summary>
    public IDisposable Pin()
    {
        lock (gate)
        {
            pins++;
        }

        return new IndexPin(() =>
        {
            lock (gate)
            {
                pins--;
            }
        });
    }

    /// <summary>Keys with a change that lies in one snapshot only. Ask only when the reader is past everything either can have.</summary>
    /// <returns>Null where a change of all rows does, or the keys are more than <paramref name="most"/>.</returns>
    public IReadOnlyList<RowKey>? Explained(SnapshotPair pair, int most)
    {
        lock (gate)
        {
            if (ofAllRows.Exists(mark => pair.Explains(mark)))
            {
                return null;
            }

            var explained = keys.Where(key => key.Value.Open.Any(mark => pair.Explains(mark))).Select(key => key.Key).Take(most + 1).ToList();
            return explained.Count > most ? null : explained;
        }
    }

    /// <summary>
    /// Where a reader must begin to meet every change again that is not verified: by partition, the first newest change of a dirty key, or where the reader stands, for
    /// what it has passed is either told or no change (a tombstone, a transaction's marker). With nothing dirty these are the log's ends once it is there.
    /// </summary>
    /// <param name="read">Where the reader stands, by partition of the table's topic; taken before this call, so that every change below it was told.</param>
    public IReadOnlyDictionary<int, long> VerifiedOffsets(IReadOnlyDictionary<int, long> read)
    {
        lock (gate)
        {
            var offsets = new Dictionary<int, long>(read);
            foreach (var mark in keys.Values.SelectMany(dirty => dirty.Open.Append(dirty.Last)).Concat(ofAllRows))
            {
                offsets[mark.Partition] = Math.Min(offsets.GetValueOrDefault(mark.Partition, mark.Offset), mark.Offset);
            }

            return offsets;
        }
    }
}
