using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Tells repeats from new changes of a keyless table, exactly (invariant A4 re-applies what it cannot place, which would double rows here). A
/// connector repeats a lane's changes in their order and from an LSN on, so what one transaction did is known by its last LSN and by how many
/// changes at that LSN were applied; a new run of the connector counts from the first again. One that may begin in between changes of an LSN (rows of one COPY) cannot be counted there, if it is the first
/// that the lane sees of the run and the lane's last transaction may have ended in their midst. Pure.
/// </summary>
/// <param name="guard">Where the lane stands.</param>
/// <param name="snapshotsReplace">Whoever sends another snapshot has emptied the table before (the embedded log).</param>
internal sealed class KeylessMemory(RepeatGuard guard, bool snapshotsReplace)
{
    private RepeatGuard guard = guard;

    /// <summary>The snapshot that fills the table.</summary>
    public (ulong Lsn, ulong Run)? Snapshot { get; set; }

    /// <summary>Transactions met, by id.</summary>
    public Dictionary<uint, KeylessTransaction> Transactions { get; } = [];

    /// <summary>Highest position once the changes asked about are applied.</summary>
    public SourcePosition Highest => guard.Highest;

    /// <summary>The transaction that was met last of all: every other one was sent to its end. To be set where a run may begin within an LSN.</summary>
    public uint? Newest { get; set; }

    /// <summary>Runs of the connector whose changes the lane has met before.</summary>
    public HashSet<ulong> Runs { get; } = [];

    /// <summary>Older transactions were forgotten: one that is not known may be one of them.</summary>
    public bool Forgets { get; set; }

    /// <summary>Whether a change was applied before; if not it is noted as applied.</summary>
    /// <exception cref="FaultException">Poison: it cannot be told.</exception>
    public bool IsReplay(in Change change, ulong run)
    {
        if (change.Operation == ChangeOperation.SnapshotRow)
        {
            Take((change.Position.Lsn, run));
            return false;
        }

        if (guard.IsExact && guard.IsRepeat(change.Position, change.Run))
        {
            return true;
        }

        var id = change.Position.TransactionId;
        var known = Transactions.TryGetValue(id, out var transaction);
        if (known && change.Position.Lsn == transaction.Lsn && MayBeginAmongEquals(change, run, transaction))
        {
            throw new FaultException(FaultKind.Poison, "keyless-repeat", "The connector began again where rows of a table without a key share a place in the log, as those of one COPY do: which of them are in the target cannot be told",
                "Copy the tables again with a new slot ('Starting over' in docs/cli.md), or give the table a primary key");
        }

        Runs.Add(run);
        if (known && change.Position.Lsn < transaction.Lsn)
        {
            // From here on the run's changes are counted from the first.
            Transactions[id] = transaction.Run == run ? transaction : transaction with { Run = run, Seen = 0 };
            return true;
        }

        // What was forgotten had committed by then, and each of its changes lies before its commit.
        if (!known && Forgets && change.Position.IsReplayOf(Highest) && change.Position.Lsn <= Highest.CommitLsn)
        {
            throw new FaultException(FaultKind.Poison, "keyless-repeat", "The connector repeats changes of a table without a key from so far back that it cannot be told which of them are in the target",
                "Copy the tables again with a new slot ('Starting over' in docs/cli.md), or give the table a primary key");
        }

        guard = guard with { Highest = SourcePosition.Max(Highest, change.Position) };
        if (!known || change.Position.Lsn > transaction.Lsn)
        {
            Newest = known ? Newest : id;
            Transactions[id] = new KeylessTransaction(change.Position.Lsn, run, 1, 1);
            return false;
        }

        var seen = transaction.Run == run ? transaction.Seen + 1 : 1;
        var isReplay = seen <= transaction.Applied;
        Transactions[id] = transaction with { Run = run, Seen = seen, Applied = Math.Max(seen, transaction.Applied) };
        return isReplay;
    }

    /// <summary>Only a COPY's rows share an LSN. An update or a delete has one of its own, and is a repeat there.</summary>
    private bool MayBeginAmongEquals(in Change change, ulong run, KeylessTransaction transaction) =>
        change.RunMayBeginWithinLsn && change.Operation == ChangeOperation.Insert && !guard.IsExact && transaction.Run != run && Newest == change.Position.TransactionId && !Runs.Contains(run);

    private void Take((ulong Lsn, ulong Run) snapshot)
    {
        if (Snapshot is { } known && known != snapshot && !snapshotsReplace)
        {
            throw new FaultException(FaultKind.Poison, "keyless-snapshot", "The connector began another snapshot of a table without a key: which of its rows are in the target already cannot be told",
                "Copy the tables again with a new slot ('Starting over' in docs/cli.md), or give the table a primary key");
        }

        Snapshot = snapshot;
    }
}
