using System.Globalization;
using CdcMigrator.Domain.Changes;

namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>
/// Makes the history of a table without a key: equal rows, rows of one COPY that share a position, transactions that lie between each other's,
/// truncates, and runs of the connector that go on or repeat from an LSN on, not knowing the commit before their first transaction, or knowing an older one. Some connectors begin in between changes of an LSN
/// too: where the lane cannot tell what of them it has, it must halt.
/// </summary>
internal sealed class KeylessLog
{
    private readonly Random random;
    private readonly List<HistoryRecord> sent = [];
    private readonly List<string?[]> rows = [];
    private readonly List<ulong> earlier = [];
    private ulong lsn = 1000;
    private ulong lastCommit;
    private int transaction;

    private KeylessLog(Random random) => this.random = random;

    /// <summary>Makes a history.</summary>
    public static History Make(Random random)
    {
        var log = new KeylessLog(random);
        log.Write();
        var (lane, haltsAt, sent) = log.Sent(random);
        return new History([lane], [], History.Lines(log.After(sent))) { HaltsAt = haltsAt };
    }

    private void Write()
    {
        for (var left = random.Next(6); left > 0; left--)
        {
            rows.Add(Row());
            sent.Add(new HistoryRecord(ChangeOperation.SnapshotRow, KeyChangeHalf.None, new SourcePosition(0, 900, 7), rows[^1]));
        }

        for (var left = random.Next(2, 16); left > 0; left--)
        {
            var first = sent.Count;
            var late = new Queue<ulong>(random.Next(4) == 0 ? earlier.Order() : []);
            earlier.Clear();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                if (random.Next(5) == 0)
                {
                    earlier.Add(lsn);
                    lsn += 10;
                }

                Change(new SourcePosition(lastCommit, late.TryDequeue(out var place) ? place : lsn, (uint)transaction + 1));
                lsn += 10;
            }

            for (var i = first; i < sent.Count; i++)
            {
                sent[i] = sent[i] with { Transaction = transaction };
            }

            transaction++;
            lastCommit = lsn;
            lsn += 10;
        }
    }

    /// <summary>The rows behind the snapshot and so many changes.</summary>
    private List<string?[]> After(int changes)
    {
        var present = new List<string?[]>();
        foreach (var record in sent.Take(sent.FindIndex(record => record.Transaction >= 0) + changes))
        {
            var gone = record.Operation == ChangeOperation.Delete ? record.Values : record.Before;
            if (record.Operation == ChangeOperation.Truncate)
            {
                present.Clear();
            }
            else if (gone is not null)
            {
                present.RemoveAt(present.FindIndex(row => row.SequenceEqual(gone)));
            }

            if (record.Operation is not (ChangeOperation.Truncate or ChangeOperation.Delete))
            {
                present.Add(record.Values);
            }
        }

        return present;
    }

    /// <summary>What the lane holds: each run goes on where the one before was killed, or some way before. With it where it must halt, and how many changes it has then.</summary>
    private (List<HistoryRecord> Lane, long? HaltsAt, int Changes) Sent(Random random)
    {
        var lane = new List<HistoryRecord>();
        var within = random.Next(3) == 0;
        var snapshot = sent.TakeWhile(record => record.Transaction < 0).ToList();
        var streamed = sent.Skip(snapshot.Count).ToList();
        lane.AddRange(snapshot.Select(record => record with { Run = 1 }));
        var (from, run, most) = (0, 1UL, 0);
        while (true)
        {
            // The first that the lane meets of this run may be any of those that share the place at which the run before was killed.
            var cannotTell = within && most > 0 && from < streamed.Count && streamed[from] is { Operation: ChangeOperation.Insert } first
                && first.Transaction == streamed[most - 1].Transaction && first.Position.Lsn == streamed[most - 1].Position.Lsn;
            var commit = from == streamed.Count || random.Next(3) == 0 ? 0 : streamed[random.Next(from + 1)].Position.CommitLsn;
            var killed = random.Next(3) == 0 && run < 5 ? random.Next(from, streamed.Count + 1) : streamed.Count;
            if (cannotTell && killed > from)
            {
                lane.Add(streamed[from] with { Run = run, MayBeginWithinLsn = true });
                return (lane, lane.Count - 1, most);
            }

            most = Math.Max(most, killed);
            foreach (var record in streamed.GetRange(from, killed - from))
            {
                lane.Add(record with { Run = run, MayBeginWithinLsn = within, Position = record.Transaction == streamed[from].Transaction ? record.Position with { CommitLsn = commit } : record.Position });
                if (record.Operation == ChangeOperation.Delete && random.Next(2) == 0)
                {
                    lane.Add(record with { IsTombstone = true });
                }
            }

            if (killed == streamed.Count)
            {
                return (lane, null, streamed.Count);
            }

            run++;
            from = killed == 0 ? 0 : random.Next(Math.Max(0, killed - 8), killed + 1);

            // Repeats of others begin at an LSN: with all rows of a COPY, or none.
            while (!within && from > 0 && from < streamed.Count && streamed[from].Transaction == streamed[from - 1].Transaction && streamed[from].Position.Lsn == streamed[from - 1].Position.Lsn)
            {
                from--;
            }
        }
    }

    private void Change(SourcePosition at)
    {
        switch (random.Next(10))
        {
            case 0 when random.Next(2) == 0:
                rows.Clear();
                sent.Add(new HistoryRecord(ChangeOperation.Truncate, KeyChangeHalf.None, at, []));
                break;
            case 1 or 2 when rows.Count > 0:
                var gone = rows[random.Next(rows.Count)];
                rows.Remove(gone);
                sent.Add(new HistoryRecord(ChangeOperation.Delete, KeyChangeHalf.None, at, gone));
                break;
            case 3 or 4 or 5 when rows.Count > 0:
                var place = random.Next(rows.Count);
                var before = rows[place];
                rows[place] = Row();
                sent.Add(new HistoryRecord(ChangeOperation.Update, KeyChangeHalf.None, at, rows[place]) { Before = before });
                break;
            case 6 or 7:
                for (var copied = random.Next(2, 6); copied > 0; copied--)
                {
                    rows.Add(Row());
                    sent.Add(new HistoryRecord(ChangeOperation.Insert, KeyChangeHalf.None, at, rows[^1]));
                }

                break;
            default:
                rows.Add(Row());
                sent.Add(new HistoryRecord(ChangeOperation.Insert, KeyChangeHalf.None, at, rows[^1]));
                break;
        }
    }

    /// <summary>Of few, so that many are equal; some only nearly.</summary>
    private string?[] Row() =>
    [
        random.Next(2).ToString(CultureInfo.InvariantCulture),
        random.Next(3) switch { 0 => null, 1 => "1.0", _ => "1.00" },
        random.Next(3) == 0 ? null : "{\"a\": 1}",
        random.Next(3) == 0 ? null : "(1,2)",
    ];
}
