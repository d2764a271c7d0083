using System.Globalization;
using CdcMigrator.Domain.Changes;
using CdcMigrator.TestKit.Changes;

namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>
/// Makes a table's history and its log: transactions whose rows lie between each other's in the WAL, keys that change, unique values that pass
/// from row to row, unavailable columns, snapshot rows between, and connectors that are killed and repeat what they sent.
/// </summary>
internal sealed class HistoryLog
{
    private const int Keys = 6;
    private readonly Random random;
    private readonly HistoryShape shape;
    private readonly List<ulong> earlier = [];
    private readonly List<ulong> commits = [];
    private Queue<ulong> late = [];
    private readonly List<(int Lane, HistoryRecord Record)> sent = [];
    private ulong lsn = 1000;
    private ulong lastCommit;
    private int transaction;
    private ulong runs = 1;

    private HistoryLog(HistoryShape shape, Random random)
    {
        this.shape = shape;
        this.random = random;
        Lanes = [.. Enumerable.Range(0, shape.Lanes).Select(_ => new List<HistoryRecord>())];
        InitialSnapshot();
        for (var left = random.Next(4, 24); left > 0; left--)
        {
            Transact();
        }

        foreach (var (lane, record) in sent)
        {
            Lanes[lane].Add(record with { Run = runs });
        }

        for (var restart = random.Next(3); restart > 0; restart--)
        {
            Restart();
        }

        for (var restart = random.Next(3); restart > 0; restart--)
        {
            Repeat();
        }
    }

    /// <summary>The records of each lane in offset order.</summary>
    public List<HistoryRecord>[] Lanes { get; }

    /// <summary>The source's rows at the end, by key.</summary>
    public Dictionary<string, string?[]> Rows { get; } = [];

    /// <summary>Makes a history.</summary>
    public static History Make(HistoryShape shape, Random random)
    {
        var log = new HistoryLog(shape, random);
        return new History(log.Lanes, log.Rows, History.Lines(log.Rows.Values));
    }

    private void InitialSnapshot()
    {
        for (var id = 1; id <= Keys; id++)
        {
            if (random.Next(3) == 0)
            {
                var row = Rows[Text(id)] = [Text(id), FreeValue(), Text(random.Next(100)), $"big {id}"];
                Send(ChangeOperation.SnapshotRow, KeyChangeHalf.None, new SourcePosition(0, 900, 0), row);
            }
        }
    }

    private void Transact()
    {
        // Rows written while an earlier transaction was open: lower LSNs, but committed later.
        var first = sent.Count;
        commits.Add(lastCommit);
        late = new Queue<ulong>(random.Next(4) == 0 ? earlier.Order() : []);
        earlier.Clear();
        for (var change = random.Next(1, 5); change > 0; change--)
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
            sent[i] = sent[i] with { Record = sent[i].Record with { Transaction = transaction } };
        }

        transaction++;
        lastCommit = lsn;
        lsn += 10;
        if (random.Next(4) == 0 && Rows.Count > 0)
        {
            // An incremental snapshot's row: as the row is at this place of the log.
            Send(ChangeOperation.SnapshotRow, KeyChangeHalf.None, SourcePosition.None, Rows.Values.ElementAt(random.Next(Rows.Count)));
        }
    }

    private void Change(SourcePosition at)
    {
        var id = Text(random.Next(1, Keys + 1));
        if (shape.Truncates && random.Next(12) == 0)
        {
            // It has the table to itself from before its LSN to its commit: no other transaction's change has a place on the wrong side.
            late.Clear();
            earlier.Clear();
            at = at with { Lsn = lsn };
            Rows.Clear();
            sent.Add((random.Next(shape.Lanes), new HistoryRecord(ChangeOperation.Truncate, KeyChangeHalf.None, at, [])));
            return;
        }

        if (!Rows.TryGetValue(id, out var row))
        {
            Send(ChangeOperation.Insert, KeyChangeHalf.None, at, Rows[id] = [id, FreeValue(), Text(random.Next(100)), $"big {lsn}"]);
            return;
        }

        switch (random.Next(10))
        {
            case 0 or 1:
                Rows.Remove(id);
                Send(ChangeOperation.Delete, KeyChangeHalf.None, at, [id]);
                break;
            case 2 or 3 when Enumerable.Range(1, Keys).Select(Text).Where(other => !Rows.ContainsKey(other)).ToArray() is { Length: > 0 } free:
                var to = free[random.Next(free.Length)];
                Rows.Remove(id);
                Rows[to] = [to, row[1], row[2], row[3]];
                Send(ChangeOperation.Delete, KeyChangeHalf.OldKey, at, [id]);
                Send(ChangeOperation.Insert, KeyChangeHalf.NewKey, at, [to, row[1], row[2], BatchBuilder.Unavailable]);
                break;
            case 4 or 5 or 6:
                Rows[id] = [id, FreeValue(), row[2], row[3]];
                Send(ChangeOperation.Update, KeyChangeHalf.None, at, [id, Rows[id][1], row[2], BatchBuilder.Unavailable]);
                break;
            case 7:
                Rows[id] = [id, row[1], row[2], $"big {lsn}"];
                Send(ChangeOperation.Update, KeyChangeHalf.None, at, Rows[id]);
                break;
            default:
                Rows[id] = [id, row[1], Text(random.Next(100)), row[3]];
                Send(ChangeOperation.Update, KeyChangeHalf.None, at, [id, row[1], Rows[id][2], BatchBuilder.Unavailable]);
                break;
        }
    }

    /// <summary>A value no present row is in the way of, of few, so that values pass from row to row.</summary>
    private string? FreeValue()
    {
        var free = shape.Values.Append(null).Where(value => Rows.Values.All(row => !shape.Collides(row[1], value))).ToArray();
        return free.Length == 0 ? string.Create(CultureInfo.InvariantCulture, $"other {lsn}") : free[random.Next(free.Length)];
    }

    private void Send(ChangeOperation operation, KeyChangeHalf half, SourcePosition position, string?[] values)
    {
        var lane = int.Parse(values[0]!, CultureInfo.InvariantCulture) % shape.Lanes;
        sent.Add((lane, new HistoryRecord(operation, half, position, [.. values])));
        if (operation == ChangeOperation.Delete && random.Next(2) == 0)
        {
            sent.Add((lane, new HistoryRecord(operation, half, position, []) { IsTombstone = true }));
        }
    }

    /// <summary>
    /// What a connector knows of the commit before the first transaction it sends: nothing, or the one it had stored, which may be older than where its slot stands, so that
    /// others lie between.
    /// </summary>
    private ulong Stored(int first) => random.Next(3) == 0 ? 0 : commits[random.Next(first + 1)];

    /// <summary>A connector is killed and goes on behind what it sent, from where its slot stands.</summary>
    private void Restart()
    {
        if (transaction == 0)
        {
            return;
        }

        var first = random.Next(transaction);
        var commit = Stored(first);
        var interrupted = Lanes.SelectMany(lane => lane).FirstOrDefault(record => record.Transaction == first)?.Run ?? 0;
        runs++;
        foreach (var lane in Lanes)
        {
            for (var i = 0; i < lane.Count; i++)
            {
                lane[i] = lane[i].Transaction == first ? lane[i] with { Position = lane[i].Position with { CommitLsn = commit } } : lane[i];
                lane[i] = lane[i].Transaction >= first && lane[i].Run == interrupted ? lane[i] with { Run = runs } : lane[i];
            }
        }
    }

    /// <summary>
    /// A connector that is killed sends everything from one transaction on again; of all but that one it knows the true commit, whatever was said of it by an earlier run of which it was the first. Rows of
    /// an incremental snapshot are not repeated: they are read anew.
    /// </summary>
    private void Repeat()
    {
        if (transaction == 0)
        {
            return;
        }

        var from = random.Next(transaction);
        var killed = random.Next(from, Math.Min(transaction, from + 8));
        var commit = Stored(from);
        runs++;
        foreach (var lane in Lanes)
        {
            var last = lane.FindLastIndex(record => record.Transaction >= 0 && record.Transaction <= killed);
            var again = lane.Take(last + 1).Where(record => record.Transaction >= from && record.Transaction <= killed)
                .GroupBy(record => record.Transaction).OrderBy(records => records.Key)
                .SelectMany(records => records.DistinctBy(record => (record.Position.Lsn, record.Operation, record.IsTombstone, Key: record.Values.FirstOrDefault())))
                .Select(record => record with { Position = record.Position with { CommitLsn = record.Transaction == from ? commit : commits[record.Transaction] } }).ToList();
            var interrupted = last < 0 ? 0 : lane[last].Run;
            for (var i = last + 1; i < lane.Count; i++)
            {
                lane[i] = lane[i].Run == interrupted ? lane[i] with { Run = runs } : lane[i];
            }

            lane.InsertRange(last + 1, again.Select(record => record with { Run = runs }));
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
