using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Where a batch must be cut, and what goes with a part of it. Pure.</summary>
internal static class BatchParts
{
    /// <summary>Index of the first truncate in [start, end); the end where there is none.</summary>
    public static int NextTruncate(ChangeBatch batch, int start, int end)
    {
        while (start < end && batch.Changes[start].Operation != ChangeOperation.Truncate)
        {
            start++;
        }

        return start;
    }

    /// <summary>
    /// Where a table's changes begin to be written by another route, because the target's catalog was read anew while they were decoded. Changes of
    /// one row under two routes are not reduced to one effect, so they are applied in two transactions.
    /// </summary>
    public static int EndOfRoutes(ChangeBatch batch, int start, int end)
    {
        var routes = new Dictionary<TableName, TableRoute>();
        TableRoute? last = null;
        for (var i = start; i < end; i++)
        {
            var route = batch.Changes[i].Route;
            if (route == last)
            {
                continue;
            }

            last = route;
            if (!routes.TryAdd(route.Source, route) && routes[route.Source] != route)
            {
                return i;
            }
        }

        return end;
    }

    /// <summary>Where changes begin to be doubted, or end to be: of a row of which both kinds come they are not reduced to one effect.</summary>
    public static int EndOfDoubt(ChangeBatch batch, int start, int end, RepeatGuard guard)
    {
        bool? first = null;
        for (var i = start; i < end; i++)
        {
            var change = batch.Changes[i];
            var streamed = change.Operation != ChangeOperation.SnapshotRow;
            var doubtful = streamed && guard.IsDoubtful(change.Position, change.Run);
            if (first is { } before && before != doubtful)
            {
                return i;
            }

            first = doubtful;
            guard = streamed ? guard.Behind(change.Position, change.Run) : guard;
        }

        return end;
    }

    /// <summary>What is put aside when progress moves from one offset to another, but for repeats. A record of which it is not known whether it is one may be put aside once more.</summary>
    public static List<ParkedRecord> Parked(ChangeBatch batch, long from, long to, RepeatGuard guard)
    {
        var parked = new List<ParkedRecord>();
        var next = 0;
        foreach (var record in batch.Parked)
        {
            if (record.Record.Offset < from || record.Record.Offset >= to)
            {
                continue;
            }

            for (; next < batch.Changes.Count && batch.Changes[next].Offset < record.Record.Offset; next++)
            {
                var change = batch.Changes[next];
                if (change.Offset >= from && change.Operation != ChangeOperation.SnapshotRow)
                {
                    guard = guard.Behind(change.Position, change.Run);
                }
            }

            if (!guard.IsRepeat(record.Position, record.Run))
            {
                parked.Add(record);
                guard = record.Position.IsUnknown || guard.IsDoubtful(record.Position, record.Run) ? guard.Behind(record.Position, record.Run) : guard;
            }
        }

        return parked;
    }
}
