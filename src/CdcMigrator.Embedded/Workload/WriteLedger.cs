namespace CdcMigrator.Embedded.Workload;

/// <summary>
/// What the workload's writers were promised: every acknowledged transaction, and for every row they own the state it must have.
/// A writer has one open entry at a time, because what comes next depends on it. Thread-safe.
/// </summary>
public sealed class WriteLedger(TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<int, LedgerEntry> open = [];
    private readonly HashSet<Guid> committed = [];
    private readonly HashSet<Guid> abandoned = [];
    private readonly Dictionary<RowKey, string?> expected = [];
    private readonly Dictionary<(string Side, int Writer), SideTimes> times = [];
    private long acknowledged;
    private long foundCommitted;

    /// <summary>Transactions whose COMMIT returned.</summary>
    public long Acknowledged => Interlocked.Read(ref acknowledged);

    /// <summary>Transactions whose COMMIT lost its answer and whose receipt was found.</summary>
    public long FoundCommitted => Interlocked.Read(ref foundCommitted);

    /// <summary>Transactions whose outcome is not known yet.</summary>
    public int Undecided
    {
        get
        {
            lock (gate)
            {
                return open.Count;
            }
        }
    }

    /// <summary>Notes the state of a row that existed before the workload and is from now on changed by its writer only.</summary>
    public void Adopt(RowState row)
    {
        lock (gate)
        {
            expected[row.Row] = row.Digest;
        }
    }

    /// <summary>Notes what a transaction will have done, before its COMMIT is sent.</summary>
    /// <exception cref="InvalidOperationException">The writer's former transaction is not decided.</exception>
    public void Intend(LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        lock (gate)
        {
            if (!open.TryAdd(entry.Writer, entry))
            {
                throw new InvalidOperationException($"writer {entry.Writer} intends {entry.Sequence} while {open[entry.Writer].Sequence} is undecided");
            }
        }
    }

    /// <summary>COMMIT returned.</summary>
    public void Acknowledge(LedgerEntry entry)
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            Close(entry, WriteOutcome.Acknowledged, WriteOutcome.Intended);
            Take(entry);
            var before = times.GetValueOrDefault((entry.Side, entry.Writer)) ?? new SideTimes(now, now, 0);
            times[(entry.Side, entry.Writer)] = before with { Last = now, Count = before.Count + 1 };
        }

        Interlocked.Increment(ref acknowledged);
    }

    /// <summary>The answer to COMMIT was lost.</summary>
    public void Doubt(LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        lock (gate)
        {
            Require(entry, WriteOutcome.Intended);
            entry.Outcome = WriteOutcome.InDoubt;
        }
    }

    /// <summary>Decides a transaction in doubt by its receipt.</summary>
    /// <param name="entry">The transaction.</param>
    /// <param name="receiptFound">Whether its receipt is on the side it was sent to, read when it could no longer commit.</param>
    public void Resolve(LedgerEntry entry, bool receiptFound)
    {
        lock (gate)
        {
            Close(entry, receiptFound ? WriteOutcome.FoundCommitted : WriteOutcome.Abandoned, WriteOutcome.InDoubt);
            if (receiptFound)
            {
                Take(entry);
                foundCommitted++;
            }
            else
            {
                abandoned.Add(entry.Receipt);
            }
        }
    }

    /// <summary>The server refused the COMMIT: the transaction was rolled back for certain.</summary>
    public void Abandon(LedgerEntry entry)
    {
        lock (gate)
        {
            Close(entry, WriteOutcome.Abandoned, WriteOutcome.Intended);
            abandoned.Add(entry.Receipt);
        }
    }

    /// <summary>What must be true of the side that has all writes. Call it while no writer runs.</summary>
    /// <exception cref="InvalidOperationException">A transaction is undecided: nothing can be said of its rows.</exception>
    public LedgerExpectation Expectation()
    {
        lock (gate)
        {
            return open.Count == 0
                ? new LedgerExpectation(new HashSet<Guid>(committed), new HashSet<Guid>(abandoned), new Dictionary<RowKey, string?>(expected))
                : throw new InvalidOperationException($"{open.Count} transactions are undecided");
        }
    }

    /// <summary>Writes acknowledged by a side.</summary>
    public long AcknowledgedBy(string side)
    {
        lock (gate)
        {
            return times.Where(pair => pair.Key.Side == side).Sum(pair => pair.Value.Count);
        }
    }

    /// <summary>
    /// The write outage of a switch as the writers saw it: from the last write the old side acknowledged, to any of them, to the first
    /// the new side did. Null until both have acknowledged one.
    /// </summary>
    public TimeSpan? Outage(string from, string to)
    {
        lock (gate)
        {
            var old = times.Where(pair => pair.Key.Side == from).Select(pair => pair.Value.Last).DefaultIfEmpty(-1).Max();
            var now = times.Where(pair => pair.Key.Side == to).Select(pair => pair.Value.First).DefaultIfEmpty(-1).Min();
            return old < 0 || now < 0 ? null : time.GetElapsedTime(old, now);
        }
    }

    /// <summary>The same for the writer that waited longest. Null until one has written to both.</summary>
    public TimeSpan? LongestOutage(string from, string to)
    {
        lock (gate)
        {
            var waits = times.Where(pair => pair.Key.Side == from && times.ContainsKey((to, pair.Key.Writer)))
                .Select(pair => time.GetElapsedTime(pair.Value.Last, times[(to, pair.Key.Writer)].First)).ToList();
            return waits.Count == 0 ? null : waits.Max();
        }
    }

    private void Take(LedgerEntry entry)
    {
        committed.Add(entry.Receipt);
        foreach (var row in entry.Rows)
        {
            expected[row.Row] = row.Digest;
        }
    }

    private void Close(LedgerEntry entry, WriteOutcome outcome, WriteOutcome wanted)
    {
        ArgumentNullException.ThrowIfNull(entry);
        Require(entry, wanted);
        open.Remove(entry.Writer);
        entry.Outcome = outcome;
    }

    private void Require(LedgerEntry entry, WriteOutcome wanted)
    {
        if (entry.Outcome != wanted || !ReferenceEquals(open.GetValueOrDefault(entry.Writer), entry))
        {
            throw new InvalidOperationException($"writer {entry.Writer}'s transaction {entry.Sequence} is {entry.Outcome}, not {wanted}");
        }
    }
}
