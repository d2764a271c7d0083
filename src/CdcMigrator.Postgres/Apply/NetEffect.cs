using System.Runtime.InteropServices;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// A range of a batch's changes reduced to one effect a key (invariant A3): later columns over earlier ones, where a delete or an insert
/// starts over, and a truncate drops what precedes it. Of repeats is left out what <see cref="RepeatGuard"/> says (A4). Rows keep the order of their last changes, so that a unique value handed from one row to
/// the next mostly goes through in one statement.
/// </summary>
internal sealed class NetEffect
{
    private readonly Dictionary<TableRoute, Dictionary<int, int>> rowsByKey = [];
    private readonly List<NetRow> rows = [];
    private readonly List<TableRoute> emptied = [];
    private readonly Truncations? truncations;
    private readonly int start;
    private readonly int end;
    private ValueSlot[] merged = [];
    private int usedMerged;

    private NetEffect(ChangeBatch batch, int start, int end, RepeatGuard guard, Truncations? truncations)
    {
        Batch = batch;
        this.truncations = truncations;
        this.start = start;
        this.end = end;
        Guard = guard;
    }

    public ChangeBatch Batch { get; }

    /// <summary>Highest position of the lane once this is applied.</summary>
    public SourcePosition Highest => Guard.Highest;

    /// <summary>Where the lane stands then.</summary>
    public RepeatGuard Guard { get; private set; }

    /// <summary>Changes left out because they were applied before.</summary>
    public int Replays { get; private set; }

    /// <summary>Rows whose missing columns were read from the source.</summary>
    public int Reselected { get; set; }

    /// <summary>Changes applied, by table and operation.</summary>
    public Dictionary<(TableRoute Route, ChangeOperation Operation), int> Counts { get; } = [];

    /// <summary>Reselected rows by table.</summary>
    public Dictionary<TableRoute, int> ReselectedByTable { get; } = [];

    /// <summary>Replays by table.</summary>
    public Dictionary<TableRoute, int> ReplaysByTable { get; } = [];

    public Span<NetRow> Rows => CollectionsMarshal.AsSpan(rows);

    /// <summary>Reduces the changes [start, end) given where the lane stands before them and what was truncated away in other lanes.</summary>
    public static NetEffect Of(ChangeBatch batch, int start, int end, RepeatGuard guard = default, Truncations? truncations = null)
    {
        var net = new NetEffect(batch, start, end, guard, truncations);
        for (var i = start; i < end; i++)
        {
            net.Add(i);
        }

        return net;
    }

    public TableRoute RouteOf(in NetRow row) => Batch.Changes[row.LastChange].Route;

    /// <summary>The row's image by the ordinals of its table's columns.</summary>
    public ReadOnlySpan<ValueSlot> Slots(scoped in NetRow row) => row.Merged < 0
        ? Batch.Slots(Batch.Changes[row.LastChange])
        : merged.AsSpan(row.Merged, RouteOf(row).Target.Columns.Count);

    /// <summary>The row's image for changing; made its own first.</summary>
    public Span<ValueSlot> OwnSlots(scoped ref NetRow row)
    {
        var width = RouteOf(row).Target.Columns.Count;
        if (row.Merged < 0)
        {
            row.Merged = Reserve(width);
            Batch.Slots(Batch.Changes[row.LastChange]).CopyTo(merged.AsSpan(row.Merged, width));
        }

        return merged.AsSpan(row.Merged, width);
    }

    /// <summary>Whether a column that would be written is not carried.</summary>
    public bool LacksColumns(in NetRow row)
    {
        var columns = RouteOf(row).Target.Columns;
        var slots = Slots(row);
        for (var i = 0; i < slots.Length; i++)
        {
            if (slots[i].State == ColumnState.Unavailable && !columns[i].Generated)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a column may have changed though the event does not carry its value, so that also an update must read it from the source.</summary>
    public bool MustReselect(in NetRow row)
    {
        foreach (var slot in Slots(row))
        {
            if (slot.MustReselect)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Groups for execution: truncated tables, all deletes, then all upserts, then all updates. An update that carries every column is an upsert, so that a
    /// row the target lacks is written.
    /// </summary>
    public IReadOnlyList<RowGroup> Group()
    {
        var order = new int[end - start];
        Array.Fill(order, -1);
        for (var i = 0; i < rows.Count; i++)
        {
            order[rows[i].LastChange - start] = i;
        }

        var deletes = new List<RowGroup>();
        var inserts = new List<RowGroup>();
        var upserts = new List<RowGroup>();
        var updates = new List<RowGroup>();
        foreach (var index in order)
        {
            if (index < 0)
            {
                continue;
            }

            ref var row = ref Rows[index];
            var route = RouteOf(row);
            if (row.DeleteFirst)
            {
                var group = deletes.Find(group => group.Route == route);
                if (group is null)
                {
                    deletes.Add(group = new RowGroup(route, WriteKind.Delete, [.. route.Key.Columns.Order()]));
                }

                Put(group, index, Slots(row));
            }

            if (row.Kind != WriteKind.None)
            {
                var kind = row.Kind == WriteKind.Update && LacksColumns(row) ? WriteKind.Update : WriteKind.Upsert;

                // Where rows can collide beside their keys they stay in one group, and with it in their order.
                var list = kind == WriteKind.Update ? updates : row.Fresh && !route.Target.HasSecondaryUniqueness ? inserts : upserts;
                var group = GroupFor(list, route, kind, Slots(row));
                group.Fresh &= row.Fresh;
                Put(group, index, Slots(row));
            }
        }

        foreach (var few in inserts.Where(group => !group.IsLarge).ToList())
        {
            if (upserts.Find(group => group.Route == few.Route && group.Columns.AsSpan().SequenceEqual(few.Columns)) is { } others)
            {
                others.Add(few);
                inserts.Remove(few);
            }
        }

        return [.. emptied.Select(route => new RowGroup(route, WriteKind.Truncate, [])), .. deletes, .. inserts, .. upserts, .. updates];
    }

    /// <summary>Groups of these rows alone, of those among them that are upserts now.</summary>
    public IReadOnlyList<RowGroup> GroupUpserts(IReadOnlyList<int> chosen)
    {
        var groups = new List<RowGroup>();
        foreach (var index in chosen)
        {
            ref var row = ref Rows[index];
            if (row.Kind == WriteKind.Upsert)
            {
                Put(GroupFor(groups, RouteOf(row), WriteKind.Upsert, Slots(row)), index, Slots(row));
            }
        }

        return groups;
    }

    private void Add(int index)
    {
        var change = Batch.Changes[index];
        var truncated = truncations?.Of(change.Route.Source) ?? 0;
        var streamed = change.Operation != ChangeOperation.SnapshotRow;
        if (streamed && (IsRepeat(change) || (truncated > 0 && change.Position.Lsn < truncated)))
        {
            Guard = Guard.Behind(change.Position, change.Run);
            Replays++;
            CollectionsMarshal.GetValueRefOrAddDefault(ReplaysByTable, change.Route, out _)++;
            return;
        }

        var doubtful = streamed && Guard.IsDoubtful(change.Position, change.Run);
        Guard = streamed ? Guard.Behind(change.Position, change.Run) : Guard;
        CollectionsMarshal.GetValueRefOrAddDefault(Counts, (change.Route, change.Operation), out _)++;
        if (change.Operation == ChangeOperation.Truncate)
        {
            Truncate(change.Route);
            return;
        }

        if (!rowsByKey.TryGetValue(change.Route, out var byKey))
        {
            rowsByKey[change.Route] = byKey = new Dictionary<int, int>(end - start, new KeyComparer(Batch, change.Route.Key.Columns));
        }

        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(byKey, index, out var known);
        if (!known)
        {
            place = rows.Count;
            rows.Add(new NetRow
            {
                LastChange = index,
                Merged = -1,
                DeleteFirst = change.Operation == ChangeOperation.Delete,
                Kind = KindOf(change.Operation),
                Fresh = !doubtful && change.Operation is ChangeOperation.Insert or ChangeOperation.SnapshotRow,
                Doubtful = doubtful || IsReadAnew(change, truncated),
            });
            return;
        }

        ref var row = ref Rows[place];
        switch (change.Operation)
        {
            case ChangeOperation.Delete:
                row.DeleteFirst = true;
                row.Fresh = false;
                row.Kind = WriteKind.None;
                row.Merged = -1;
                break;
            case ChangeOperation.Update when row.Kind != WriteKind.None:
                Merge(ref row, change);
                break;
            default:
                row.Kind = WriteKind.Upsert;
                row.Merged = -1;
                break;
        }

        // Whatever starts over leaves what was doubted before it behind.
        row.LastChange = index;
        row.Doubtful = doubtful || IsReadAnew(change, truncated) || (row.Doubtful && change.Operation == ChangeOperation.Update);
        row.Fresh &= !doubtful;
    }

    /// <summary>A snapshot's row does not say whether it was read before the truncate or after it: the source does, of a row that is nothing but its key too.</summary>
    private static bool IsReadAnew(in Change change, ulong truncated) => truncated != 0 && change.Operation == ChangeOperation.SnapshotRow;

    private void Truncate(TableRoute route)
    {
        if (rowsByKey.Remove(route, out var byKey))
        {
            foreach (var place in byKey.Values)
            {
                Rows[place] = Rows[place] with { DeleteFirst = false, Kind = WriteKind.None, Doubtful = false };
            }
        }

        if (!emptied.Contains(route))
        {
            emptied.Add(route);
        }
    }

    private bool IsRepeat(in Change change) => change.Operation == ChangeOperation.Truncate ? Guard.IsRepeatedTruncate(change.Position, change.Run) : Guard.IsRepeat(change.Position, change.Run);

    private void Merge(ref NetRow row, in Change change)
    {
        var own = OwnSlots(ref row);
        var later = Batch.Slots(change);
        for (var i = 0; i < own.Length; i++)
        {
            if (later[i].State is ColumnState.Value or ColumnState.Null || later[i].MustReselect || (later[i].State == ColumnState.Unavailable && own[i].State == ColumnState.Absent))
            {
                own[i] = later[i];
            }
        }
    }

    private int Reserve(int width)
    {
        if (merged.Length < usedMerged + width)
        {
            Array.Resize(ref merged, Math.Max(merged.Length * 2, usedMerged + (width * 16)));
        }

        usedMerged += width;
        return usedMerged - width;
    }

    private static void Put(RowGroup group, int row, ReadOnlySpan<ValueSlot> slots)
    {
        group.Rows.Add(row);
        foreach (var column in group.Columns)
        {
            group.Bytes += slots[column].Length;
        }
    }

    private static RowGroup GroupFor(List<RowGroup> groups, TableRoute route, WriteKind kind, ReadOnlySpan<ValueSlot> slots)
    {
        foreach (var group in groups)
        {
            if (group.Route == route && Carries(route, slots, group.Columns))
            {
                return group;
            }
        }

        var columns = new List<int>(slots.Length);
        for (var i = 0; i < slots.Length; i++)
        {
            if (IsWritten(route, slots, i))
            {
                columns.Add(i);
            }
        }

        var added = new RowGroup(route, kind, [.. columns]);
        groups.Add(added);
        return added;
    }

    private static bool Carries(TableRoute route, ReadOnlySpan<ValueSlot> slots, int[] columns)
    {
        var next = 0;
        for (var i = 0; i < slots.Length; i++)
        {
            if (IsWritten(route, slots, i) && (next == columns.Length || columns[next++] != i))
            {
                return false;
            }
        }

        return next == columns.Length;
    }

    private static bool IsWritten(TableRoute route, ReadOnlySpan<ValueSlot> slots, int column) =>
        slots[column].State is ColumnState.Value or ColumnState.Null && !route.Target.Columns[column].Generated;

    private static WriteKind KindOf(ChangeOperation operation) => operation switch
    {
        ChangeOperation.Delete => WriteKind.None,
        ChangeOperation.Update => WriteKind.Update,
        _ => WriteKind.Upsert,
    };
}
