using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Deciding;

namespace CdcMigrator.Reconciliation.Passes;

/// <summary>
/// The verification of one table: passes over all rows, and between them the keys that changed. Holds what is known as a <see cref="TableState"/>, which the
/// caller keeps after every step; a step that fails leaves it as it was. One step at a time.
/// </summary>
public sealed class TableVerification
{
    private const string AllChanged = "all rows changed at once meanwhile (a truncate, or more keys than are remembered): the pass begins again";
    private readonly TableComparer comparer;
    private readonly IChangeReader reader;
    private readonly TimeProvider time;
    private readonly VerificationLimits limits;
    private readonly ChunkSizer sizer;
    private long? begun;
    private bool met;
    private bool seesAll;

    /// <summary>Makes the verification of a table from what is known of it.</summary>
    public TableVerification(TableComparer comparer, TableState state, IChangeReader reader, VerificationLimits limits, TimeProvider time)
    {
        this.comparer = comparer;
        this.reader = reader;
        this.limits = limits;
        this.time = time;
        sizer = new ChunkSizer(limits.ChunkTime, limits.LargestChunk);
        state = state with { KeyColumns = [.. comparer.Table.Key.Select(i => comparer.Table.Columns[i].Source)] };
        seesAll = state.Covered || state.Cursor is not null;
        State = comparer.Table.Unverifiable is { } reason ? state with { Verdict = Verdict.Unverifiable, Reason = reason } : state;
    }

    /// <summary>What is known. Immutable; replaced by each step.</summary>
    public TableState State { get; private set; }

    /// <summary>Whether a pass is under way.</summary>
    public bool IsRunning => State.Phase is TablePhase.Passing or TablePhase.Settling;

    /// <summary>Whether the pass under way waits, so that the next step need not follow at once.</summary>
    public bool IsWaiting { get; private set; }

    private ChangeIndex Index => comparer.Index;

    /// <summary>Begins a full pass. What was known stays until it ends.</summary>
    public void Begin(long run)
    {
        begun = null;
        State = State with
        {
            Run = run,
            Phase = comparer.Table.Unverifiable is null ? TablePhase.Passing : TablePhase.Done,
            Cursor = null,
            RowsSource = 0,
            RowsTarget = 0,
            EstimatedRows = comparer.Table.EstimatedRows,
            Reason = comparer.Table.Unverifiable,
        };
    }

    /// <summary>Gives up the pass under way; what it found wrong stays.</summary>
    public void Stop() => State = IsRunning ? Judged(State with { Phase = TablePhase.Done, Reason = "stopped before its end" }) : State;

    /// <summary>Says why the pass under way does not go on for now.</summary>
    public void Wait(string reason) => State = State.Reason == reason ? State : State with { Reason = reason };

    /// <summary>Notes that a step failed: until another succeeds nothing is known of what it would have shown.</summary>
    public void Fail(string reason) => State = State with { Verdict = Verdict.Error, Reason = reason };

    /// <summary>
    /// Notes how far the reader is of a table of which nothing has to be compared: the log goes on behind its last change too, with tombstones and markers of transactions.
    /// </summary>
    /// <param name="read">Where the reader stands, by partition of the table's topic; taken before this call.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    /// <exception cref="Domain.Faults.FaultException">A side or the log cannot be asked.</exception>
    public async Task NoteReadAsync(IReadOnlyDictionary<int, long> read, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(read);
        if (read.Any(partition => State.VerifiedOffsets.GetValueOrDefault(partition.Key, -1) < partition.Value))
        {
            await MeetAsync(cancellationToken).ConfigureAwait(false);
            State = Judged(State);
        }
    }

    /// <summary>Compares some more chunks, or the rows that were on their way. Does nothing where no pass is under way.</summary>
    /// <exception cref="Domain.Faults.FaultException">A side or the log cannot be asked; the step may be repeated.</exception>
    public async Task StepPassAsync(CancellationToken cancellationToken)
    {
        if (!IsRunning)
        {
            return;
        }

        if (State.Phase == TablePhase.Settling)
        {
            await StepPendingAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        await MeetAsync(cancellationToken).ConfigureAwait(false);
        IsWaiting = !await SeesAllAsync(cancellationToken).ConfigureAwait(false)
            || (comparer.Table.Order == ChunkOrder.KeyRanges && !await MayGoOnAsync(cancellationToken).ConfigureAwait(false));
        if (IsWaiting)
        {
            return;
        }

        var passBegan = (State.Cursor is null ? null : State.PassBeganAt) ?? time.GetUtcNow();
        var found = await comparer.CompareChunksAsync(State.Cursor, sizer, limits.SnapshotTime, cancellationToken).ConfigureAwait(false);
        if (found.ParkedUnknown)
        {
            IsWaiting = true;
            Wait("waits for dead letters whose rows cannot be told to be retried or discarded ('cdcm dlq list')");
            return;
        }

        // One scan of a table without a key is all that is known of it: what was wrong before is found again, or is not wrong any more.
        var known = comparer.Table.IsKeyless ? State with { Wrong = new Dictionary<RowKey, RowMismatch>(), Pending = new Dictionary<RowKey, DateTimeOffset>() } : State;
        var next = Note(known, found, State.Wrong) with
        {
            RowsSource = State.RowsSource + found.Rows,
            RowsTarget = State.RowsTarget + found.RowsTarget,
            Cursor = found.Last,
            PassBeganAt = passBegan,
            Reason = State.Reason == AllChanged ? AllChanged : null,
        };
        next = next with { WrongTruncated = (State.Cursor is not null && State.WrongTruncated) || found.Truncated || next.Wrong.Count >= limits.MostWrong };
        if (!found.AtEnd && !next.WrongTruncated)
        {
            State = Judged(next);
            return;
        }

        // Whatever the pass's snapshots can have has been met behind this line.
        await PassAsync(cancellationToken).ConfigureAwait(false);
        var whole = begun is { } number ? Index.EndPass(number) : Index.EndPass(found.Pair);
        var covered = whole && !next.WrongTruncated;
        State = Judged(next with
        {
            Phase = covered || next.WrongTruncated ? TablePhase.Settling : TablePhase.Passing,
            Cursor = null,
            Covered = covered,
            CoveredAt = covered ? passBegan : next.CoveredAt,
            PassBeganAt = null,
            RowsSource = covered || next.WrongTruncated ? next.RowsSource : 0,
            RowsTarget = covered || next.WrongTruncated ? next.RowsTarget : 0,
            Reason = covered ? null
                : next.WrongTruncated ? $"more than {limits.MostWrong} rows differ: the pass ended there"
                : AllChanged,
        });
        begun = null;
        if (State.Phase == TablePhase.Settling && State.Pending.Count == 0)
        {
            State = Judged(State with { Phase = TablePhase.Done });
        }
    }

    /// <summary>Looks how far both sides are, so that changes both have explain nothing any more and take no room.</summary>
    /// <exception cref="Domain.Faults.FaultException">A side cannot be asked.</exception>
    public Task SettleAsync(CancellationToken cancellationToken) => comparer.LookAsync(cancellationToken);

    /// <summary>Compares keys that changed since they were last verified, and those found wrong, so that a repaired row is wrong no longer.</summary>
    /// <param name="most">Most keys of either.</param>
    /// <param name="cancellationToken">Ends the step with an exception; it may be repeated.</param>
    /// <returns>How many keys were compared.</returns>
    /// <exception cref="Domain.Faults.FaultException">A side or the log cannot be asked; the step may be repeated.</exception>
    public async Task<int> StepKeysAsync(int most, CancellationToken cancellationToken)
    {
        await MeetAsync(cancellationToken).ConfigureAwait(false);
        if (comparer.Table.Unverifiable is not null || comparer.Table.IsKeyless)
        {
            State = Judged(State);
            return 0;
        }

        await comparer.LookAsync(cancellationToken).ConfigureAwait(false);
        if (!State.Covered && !IsRunning)
        {
            Index.ForgetSettled();
        }

        // Rows that were still on their way when a pass ended may be of no dirty key: a change from before the reader's beginning, one that was parked.
        var keys = Index.TakeSettled(most).Concat(State.Wrong.Keys.Take(most)).Concat(IsRunning ? [] : State.Pending.Keys.Take(most)).ToHashSet();
        if (keys.Count > 0)
        {
            State = Compared(State, keys, await comparer.CompareKeysAsync(keys, cancellationToken).ConfigureAwait(false));
        }

        State = Judged(State);
        return keys.Count;
    }

    /// <summary>What another process found says nothing of what changed since: that is met first, once.</summary>
    private Task MeetAsync(CancellationToken cancellationToken) => State.Covered && !met ? PassAsync(cancellationToken) : Task.CompletedTask;

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        await reader.PassAsync(cancellationToken).ConfigureAwait(false);
        met = true;
    }

    private async Task StepPendingAsync(CancellationToken cancellationToken)
    {
        if (State.Pending.Count > 0 && !comparer.Table.IsKeyless)
        {
            var keys = State.Pending.Keys.ToHashSet();
            State = Compared(State, keys, await comparer.CompareKeysAsync(keys, cancellationToken).ConfigureAwait(false));
        }

        var since = State.Pending.Count == 0 ? (DateTimeOffset?)null : State.Pending.Values.Min();
        var over = since is null || comparer.Table.IsKeyless || time.GetUtcNow() - since > limits.SettleTime;
        State = Judged(over ? State with { Phase = TablePhase.Done } : State);
    }

    /// <summary>
    /// Whether the source's snapshots see every change from before the reader's beginning, of which it tells nothing: a row that is equal only because its change is in the log
    /// and not visible yet would else never be looked at again. Where rows were compared before, that was so then.
    /// </summary>
    private async Task<bool> SeesAllAsync(CancellationToken cancellationToken)
    {
        if (!seesAll)
        {
            seesAll = (await comparer.LookAsync(cancellationToken).ConfigureAwait(false)).Source.IsPast(reader.Began);
            State = State with { Reason = seesAll ? null : "waits for transactions of the source to end that were open when reading began" };
        }

        return seesAll;
    }

    /// <summary>Whether the pass may begin or go on: what changed all rows is in both sides for good.</summary>
    private async Task<bool> MayGoOnAsync(CancellationToken cancellationToken)
    {
        if (begun is not null)
        {
            return true;
        }

        if (State.Cursor is not null)
        {
            // Another process went this far. What changed all rows since is met again, and then what was compared before counts no more.
            await PassAsync(cancellationToken).ConfigureAwait(false);
            State = Index.AllDirty ? State with { Cursor = null, RowsSource = 0, RowsTarget = 0 } : State;
        }

        await comparer.LookAsync(cancellationToken).ConfigureAwait(false);
        begun = Index.TryBeginPass();
        return begun is not null;
    }

    /// <summary>The state with what a comparison of some keys found: rows that were equal are neither wrong nor pending any more.</summary>
    private TableState Compared(TableState state, HashSet<RowKey> keys, Comparison found)
    {
        var inFlight = found.InFlight.Concat(found.Parked).ToHashSet();
        var waiting = inFlight.Concat(found.ParkedEqual).ToHashSet();
        return Note(
            state with
            {
                // What differs for a reason may still be wrong: only equality takes it off.
                Wrong = state.Wrong.Where(row => !keys.Contains(row.Key) || inFlight.Contains(row.Key)).ToDictionary(),
                Pending = state.Pending.Where(row => !keys.Contains(row.Key) || waiting.Contains(row.Key)).ToDictionary(),
            },
            found,
            state.Wrong,
            addsPending: false);
    }

    /// <param name="state">What is known.</param>
    /// <param name="found">What was found.</param>
    /// <param name="before">Rows found wrong before: what is known of how they became so stays.</param>
    /// <param name="addsPending">Whether rows on their way have to be looked at again.</param>
    private TableState Note(TableState state, Comparison found, IReadOnlyDictionary<RowKey, RowMismatch> before, bool addsPending = true)
    {
        var wrong = state.Wrong;
        var forgotten = false;
        if (found.Wrong.Count > 0)
        {
            var more = new Dictionary<RowKey, RowMismatch>(wrong);
            foreach (var row in found.Wrong)
            {
                if (more.Count >= limits.MostWrong && !more.ContainsKey(row.Key))
                {
                    // Not remembered, and no longer dirty: only another pass finds it again.
                    forgotten = true;
                    continue;
                }

                more[row.Key] = row with { Unlogged = before.TryGetValue(row.Key, out var earlier) ? earlier.Unlogged : row.Unlogged && state.Covered && !State.Pending.ContainsKey(row.Key) };
            }

            wrong = more;
        }

        var pending = state.Pending;
        List<RowKey> again = [.. found.ParkedEqual, .. addsPending ? found.InFlight.Concat(found.Parked) : []];
        if (again.Count > 0)
        {
            var more = new Dictionary<RowKey, DateTimeOffset>(pending);
            foreach (var key in again)
            {
                more.TryAdd(key, time.GetUtcNow());
            }

            pending = more;
        }

        return state with
        {
            Wrong = wrong,
            WrongTruncated = state.WrongTruncated || forgotten,
            Covered = state.Covered && !forgotten,
            Pending = pending,
            Evidence = $"source snapshot {found.Pair.Source}; target progress {string.Join(", ", found.Pair.Applied.OrderBy(p => p.Key).Select(p => $"{p.Key}:{p.Value}"))}",
        };
    }

    /// <summary>The state with the verdict that its own facts allow, and no stronger one.</summary>
    private TableState Judged(TableState state)
    {
        var now = time.GetUtcNow();
        var offsets = Index.VerifiedOffsets(comparer.Read);
        var dirty = Index.DirtyKeys;

        // What is kept must not say more than what is met again from those offsets on allows.
        state = state with { Covered = state.Covered && !Index.AllDirty };
        if (state.Cursor is not null && Index.HasBroken(begun))
        {
            begun = null;
            state = state with { Cursor = null, RowsSource = 0, RowsTarget = 0, Reason = AllChanged };
        }

        var verdict = comparer.Table.Unverifiable is not null ? Verdict.Unverifiable
            : state.Wrong.Count > 0 || state.WrongTruncated ? Verdict.Mismatch
            : state.Pending.Values.Any(since => now - since > limits.SuspendAfter) ? Verdict.Suspended
            : state.Pending.Count > 0 || (state.Covered && (dirty > 0 || !met)) ? Verdict.InFlight
            : state.Covered ? Verdict.Equal
            : Verdict.Unverified;
        return state with
        {
            Verdict = verdict,
            EqualAt = verdict == Verdict.Equal ? now : state.EqualAt,
            DirtyKeys = dirty,
            VerifiedOffsets = offsets,
            Reason = verdict == Verdict.Unverifiable ? comparer.Table.Unverifiable : state.Reason,
        };
    }
}
