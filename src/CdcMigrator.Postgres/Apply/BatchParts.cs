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

    /// <summary>
    /// What is put aside when progress moves from one offset to another. As in a net effect, a record whose place is unknown may begin a repeat, of
    /// which nothing may be left out then, whichever row it is of: what is applied again takes rows back to what they were before.
    /// </summary>
    public static List<ParkedRecord> Parked(ChangeBatch batch, long from, long to, SourcePosition highest)
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
                if (change.Offset >= from && change.Operation != ChangeOperation.SnapshotRow && !change.Position.IsReplayOf(highest))
                {
                    highest = change.Position.IsUnknown ? SourcePosition.None : SourcePosition.Max(highest, change.Position);
                }
            }

            if (!record.Position.IsReplayOf(highest))
            {
                parked.Add(record);
                highest = record.Position.IsUnknown ? SourcePosition.None : highest;
            }
        }

        return parked;
    }
}
