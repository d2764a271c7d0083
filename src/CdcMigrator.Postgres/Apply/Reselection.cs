using System.Runtime.InteropServices;
using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Completes rows of a net effect with what the source holds now.</summary>
internal sealed class Reselection(ISourceRows? source)
{
    /// <summary>
    /// Reads the unavailable columns of every row that is to be inserted, or updated where a column may have changed unseen. A row the source no longer has is dropped: its delete follows
    /// in the log.
    /// </summary>
    public async Task CompleteInsertsAsync(NetEffect net, CancellationToken cancellationToken)
    {
        await SettleAsync(net, cancellationToken);
        await CompleteAsync(net, Lacking(net), whole: false, cancellationToken);
    }

    /// <summary>
    /// Has every row become what the source holds now, whatever the changes say: they may be repeats of what was applied long ago. A row the source has is written with all that feeds it there, one it does
    /// not have is deleted.
    /// </summary>
    public async Task TakeAllAsync(NetEffect net, CancellationToken cancellationToken)
    {
        for (var i = 0; i < net.Rows.Length; i++)
        {
            ref var row = ref net.Rows[i];
            row.Doubtful = true;
            row.Fresh = false;
            var route = net.RouteOf(row);
            if (!route.SourceIsKnown)
            {
                continue;
            }

            row.Kind = WriteKind.Upsert;
            var slots = net.OwnSlots(ref row);
            for (var column = 0; column < slots.Length; column++)
            {
                if (slots[column].State == ColumnState.Absent && route.SourceOf(column) is not null)
                {
                    slots[column] = ValueSlot.Unfaithful;
                }
            }
        }

        await SettleAsync(net, cancellationToken);
    }

    private static List<int> Lacking(NetEffect net)
    {
        var lacking = new List<int>();
        var rows = net.Rows;
        for (var i = 0; i < rows.Length; i++)
        {
            if ((rows[i].Kind == WriteKind.Upsert && net.LacksColumns(rows[i])) || (rows[i].Kind == WriteKind.Update && net.MustReselect(rows[i])))
            {
                lacking.Add(i);
            }
        }

        return lacking;
    }

    /// <summary>
    /// Rows whose change is a repeat or new: they become what the source holds. One it does not have is deleted; one that was deleted and is there again was inserted behind that, which was applied or is
    /// still to come.
    /// </summary>
    private async Task SettleAsync(NetEffect net, CancellationToken cancellationToken)
    {
        List<int>? doubtful = null;
        var rows = net.Rows;
        for (var i = 0; i < rows.Length; i++)
        {
            if (rows[i].Doubtful)
            {
                (doubtful ??= []).Add(i);
            }
        }

        foreach (var group in (doubtful ?? []).GroupBy(row => net.RouteOf(net.Rows[row])))
        {
            var indices = group.ToList();
            var columns = Wanted(net, group.Key, indices, whole: true);

            var found = await ReadAsync(net, group.Key, indices, columns, cancellationToken);
            for (var i = 0; i < indices.Count; i++)
            {
                ref var row = ref net.Rows[indices[i]];
                row.Doubtful = false;
                row.DeleteFirst = found[i] is null || (row.DeleteFirst && row.Kind != WriteKind.None);
                if (found[i] is null || row.Kind != WriteKind.None)
                {
                    Fill(net, group.Key, indices[i], columns, found[i], whole: true);
                }
            }
        }
    }

    /// <summary>Reads the unavailable columns of these rows, or all of their columns, and makes them upserts.</summary>
    public async Task CompleteAsync(NetEffect net, IReadOnlyList<int> rows, bool whole, CancellationToken cancellationToken)
    {
        foreach (var group in rows.GroupBy(row => net.RouteOf(net.Rows[row])))
        {
            var indices = group.ToList();
            var columns = Wanted(net, group.Key, indices, whole);
            var found = await ReadAsync(net, group.Key, indices, columns, cancellationToken);
            for (var i = 0; i < indices.Count; i++)
            {
                Fill(net, group.Key, indices[i], columns, found[i], whole);
            }
        }
    }

    private async Task<IReadOnlyList<string?[]?>> ReadAsync(NetEffect net, TableRoute route, List<int> rows, int[] columns, CancellationToken cancellationToken)
    {
        if (source is null)
        {
            var change = net.Batch.Changes[net.Rows[rows[0]].LastChange];
            throw new FaultException(RowFaults.Of(net.Batch, change, new Fault(
                FaultKind.Poison,
                "unavailable-column",
                $"Column {route.SourceColumns[columns[0]]} is not in the event and the source cannot be read for it",
                "Give the migration access to the source, or set REPLICA IDENTITY FULL on the table and resync it")));
        }

        var keys = rows.Select(row => KeyOf(net, net.Rows[row], route)).ToList();
        var transactions = rows.Where(row => IsStreamed(net, row)).Select(row => net.Batch.Changes[net.Rows[row].LastChange].Position.TransactionId).ToHashSet();
        try
        {
            if (rows.Exists(row => net.Rows[row].Doubtful && IsStreamed(net, row)))
            {
                // A repeat may have newer changes of its rows behind it, which are applied: the source must show them. Who committed first need not be seen first (a commit waits for its synchronous standby),
                // so that it is not enough to see the latest of them.
                transactions.UnionWith(await source.ReadWritersAsync(route, cancellationToken));
                transactions.Add(net.Highest.TransactionId);
            }

            transactions.Remove(0);
            return await source.ReadAsync(route, keys, columns, transactions, cancellationToken);
        }
        catch (SourceValueException refused)
        {
            var change = net.Batch.Changes[net.Rows[rows[keys.FindIndex(key => key.SequenceEqual(refused.Key))]].LastChange];
            throw new FaultException(RowFaults.Of(net.Batch, change, refused.Fault), refused);
        }
    }

    /// <summary>A snapshot's row was seen when it was read.</summary>
    private static bool IsStreamed(NetEffect net, int row) => net.Batch.Changes[net.Rows[row].LastChange].Operation != ChangeOperation.SnapshotRow;

    private static int[] Wanted(NetEffect net, TableRoute route, List<int> rows, bool whole)
    {
        var wanted = new bool[route.Target.Columns.Count];
        foreach (var row in rows)
        {
            var slots = net.Slots(net.Rows[row]);
            for (var i = 0; i < slots.Length; i++)
            {
                wanted[i] |= IsWanted(route, slots, i, whole);
            }
        }

        return [.. Enumerable.Range(0, wanted.Length).Where(i => wanted[i])];
    }

    private static bool IsWanted(TableRoute route, ReadOnlySpan<ValueSlot> slots, int column, bool whole) =>
        !route.Target.Columns[column].Generated
        && (slots[column].State == ColumnState.Unavailable || (whole && slots[column].State != ColumnState.Absent && IsInSource(route, column)));

    /// <summary>A column that the source has dropped or renamed since keeps what the event has.</summary>
    private static bool IsInSource(TableRoute route, int column) => !route.SourceIsKnown || route.Key.Columns.Contains(column) || route.SourceOf(column) is not null;

    private static void Fill(NetEffect net, TableRoute route, int index, int[] columns, string?[]? values, bool whole)
    {
        ref var row = ref net.Rows[index];
        if (values is null)
        {
            row.Kind = WriteKind.None;
            return;
        }

        row.Kind = WriteKind.Upsert;
        net.Reselected++;
        CollectionsMarshal.GetValueRefOrAddDefault(net.ReselectedByTable, route, out _)++;
        var slots = net.OwnSlots(ref row);

        // The batch's own buffer keeps the values: a row that is opened, filled and abandoned leaves its bytes behind.
        var batch = net.Batch;
        batch.BeginRow(route);
        for (var i = 0; i < columns.Length; i++)
        {
            if (!IsWanted(route, slots, columns[i], whole))
            {
                continue;
            }

            if (values[i] is { } text)
            {
                batch.SetValue(columns[i], Encoding.UTF8.GetBytes(text));
            }
            else
            {
                batch.SetState(columns[i], ColumnState.Null);
            }

            slots[columns[i]] = batch.OpenSlot(columns[i]);
        }

        batch.AbandonRow();
    }

    private static string[] KeyOf(NetEffect net, in NetRow row, TableRoute route)
    {
        var slots = net.Slots(row);
        var key = new string[route.Key.Columns.Count];
        for (var i = 0; i < key.Length; i++)
        {
            key[i] = Encoding.UTF8.GetString(net.Batch.Value(slots[route.Key.Columns[i]]));
        }

        return key;
    }
}
