using System.Buffers;
using System.Collections;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Changes;

/// <summary>
/// Consecutive changes of one lane in offset order, with their values in one buffer: no object per row or value. It covers the
/// offsets [<see cref="FromOffset"/>, <see cref="NextOffset"/>), records that hold no change (tombstones, heartbeats) included,
/// so an empty batch still moves progress. Not thread-safe; <see cref="Reset"/> makes it reusable.
/// </summary>
public sealed class ChangeBatch : IBufferWriter<byte>
{
    private readonly ChangeList list;
    private readonly List<ParkedRecord> parked = [];
    private Change[] changes = [];
    private int count;
    private ValueSlot[] slots = [];
    private byte[] buffer = [];
    private int usedSlots;
    private int usedBytes;
    private int valueStart = -1;
    private int rowSlots = -1;
    private int rowStart;
    private int rowBytes;
    private long parkedBytes;

    /// <summary>An empty batch; its buffers come from a pool when they are needed.</summary>
    public ChangeBatch() => list = new ChangeList(this);

    /// <summary>Lane whose records these are.</summary>
    public LaneId Lane { get; private set; }

    /// <summary>Offset progress must stand at for this batch to be applied.</summary>
    public long FromOffset { get; private set; }

    /// <summary>Offset progress moves to: one past the last record taken in.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Records taken in, those without a change included.</summary>
    public int Records { get; private set; }

    /// <summary>Bytes of values and parked records held, the batch's share of memory.</summary>
    public long Bytes => usedBytes + parkedBytes;

    /// <summary>Commit time at the source of the newest change or heartbeat taken in, Unix milliseconds; 0 where none said.</summary>
    public long NewestSourceTimestampMs { get; private set; }

    /// <summary>The changes, in offset order.</summary>
    public IReadOnlyList<Change> Changes => list;

    /// <summary>Records to be put aside as dead letters when progress moves past them, in offset order. No change of their rows is in the batch behind them.</summary>
    public IReadOnlyList<ParkedRecord> Parked => parked;

    /// <summary>Starts the batch over for a lane at an offset; keeps the buffers.</summary>
    public void Reset(LaneId lane, long fromOffset)
    {
        Lane = lane;
        FromOffset = NextOffset = fromOffset;
        Records = usedSlots = usedBytes = 0;
        NewestSourceTimestampMs = 0;
        valueStart = rowSlots = -1;
        count = 0;
        parked.Clear();
        parkedBytes = 0;
    }

    /// <summary>Gives the buffers back to the pool: an idle lane holds none. Everything in the batch is gone; <see cref="Reset"/> before it is used again.</summary>
    public void Release()
    {
        Return(ref changes, clear: true);
        Return(ref slots, clear: false);
        Return(ref buffer, clear: false);
        parked.Clear();
        parkedBytes = 0;
        count = usedSlots = usedBytes = 0;
    }

    /// <summary>Notes that a record was taken in, whatever it held. Offsets must grow.</summary>
    /// <exception cref="InvalidOperationException">The offset was taken in before.</exception>
    public void TakeIn(long offset, long sourceTimestampMs = 0)
    {
        if (offset < NextOffset)
        {
            throw new InvalidOperationException($"{Lane}: offset {offset} after {NextOffset - 1}");
        }

        NextOffset = offset + 1;
        Records++;
        NewestSourceTimestampMs = Math.Max(NewestSourceTimestampMs, sourceTimestampMs);
    }

    /// <summary>Adds a record to be put aside. Does not call <see cref="TakeIn"/>.</summary>
    public void Park(ParkedRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        parked.Add(record);
        parkedBytes += record.Record.Size;
    }

    /// <summary>Moves progress past offsets that hold no records for consumers (control records, a partition's end).</summary>
    public void SkipTo(long nextOffset) => NextOffset = Math.Max(NextOffset, nextOffset);

    /// <summary>State and place of one column of a change. <paramref name="column"/> is the ordinal in the route's target columns.</summary>
    public ValueSlot Slot(in Change change, int column) => slots[change.FirstSlot + column];

    /// <summary>All slots of a change, by the ordinal of the route's target columns.</summary>
    public ReadOnlySpan<ValueSlot> Slots(scoped in Change change) =>
        slots.AsSpan(change.FirstSlot, change.Route.Target.Columns.Count);

    /// <summary>Slots of the row as it was, where <see cref="Change.HasBefore"/>.</summary>
    public ReadOnlySpan<ValueSlot> Before(scoped in Change change) => change.HasBefore
        ? slots.AsSpan(change.FirstSlot + change.Route.Target.Columns.Count, change.Route.Target.Columns.Count)
        : throw new InvalidOperationException("The change has no old row");

    /// <summary>The bytes of a value; empty unless its state is <see cref="ColumnState.Value"/>.</summary>
    public ReadOnlySpan<byte> Value(ValueSlot slot) =>
        slot.State == ColumnState.Value ? buffer.AsSpan(slot.Start, slot.Length) : default;

    /// <summary>The bytes of a value as memory, for asynchronous writers. Valid until <see cref="Reset"/>.</summary>
    public ReadOnlyMemory<byte> ValueMemory(ValueSlot slot) =>
        slot.State == ColumnState.Value ? buffer.AsMemory(slot.Start, slot.Length) : default;

    /// <summary>Opens a row with every column <see cref="ColumnState.Absent"/>. Close it with <see cref="CommitRow"/>, <see cref="DiscardRow"/> or <see cref="AbandonRow"/>.</summary>
    public void BeginRow(TableRoute route)
    {
        ArgumentNullException.ThrowIfNull(route);
        rowSlots = route.Target.Columns.Count;
        rowStart = usedSlots;
        rowBytes = usedBytes;
        ClearRow(rowSlots);
    }

    /// <summary>Whether a row is open.</summary>
    public bool IsRowOpen => rowSlots >= 0;

    /// <summary>Goes on with the open row as it was before the change: what is set from here on belongs to that.</summary>
    public void BeginBefore()
    {
        rowStart = usedSlots + rowSlots;
        ClearRow(rowSlots);
        rowSlots *= 2;
    }

    /// <summary>Opens a value; write its PostgreSQL text to this batch (<see cref="IBufferWriter{T}"/>), then call <see cref="EndValue"/>.</summary>
    public void BeginValue() => valueStart = usedBytes;

    /// <summary>Closes the open value and gives it to a column.</summary>
    public void EndValue(int column)
    {
        slots[rowStart + column] = new ValueSlot(ColumnState.Value, valueStart, usedBytes - valueStart);
        valueStart = -1;
    }

    /// <summary>Takes back the open value, for instance when it proves to be the unavailable placeholder.</summary>
    public void DropValue()
    {
        usedBytes = valueStart;
        valueStart = -1;
    }

    /// <summary>Gives a column a state that needs no bytes.</summary>
    public void SetState(int column, ColumnState state) => slots[rowStart + column] = new ValueSlot(state, 0, 0);

    /// <summary>Makes a column unavailable with <see cref="ValueSlot.MustReselect"/>: its value cannot be taken from the event.</summary>
    public void SetUnfaithful(int column) => slots[rowStart + column] = ValueSlot.Unfaithful;

    /// <summary>Gives a column a value in one call.</summary>
    public void SetValue(int column, ReadOnlySpan<byte> text)
    {
        BeginValue();
        text.CopyTo(GetSpan(text.Length));
        Advance(text.Length);
        EndValue(column);
    }

    /// <summary>State of a column of the open row, with its place.</summary>
    public ValueSlot OpenSlot(int column) => slots[rowStart + column];

    /// <summary>Closes the open row and adds it as a change.</summary>
    public void CommitRow(
        TableRoute route, ChangeOperation operation, long offset, SourcePosition position, KeyChangeHalf keyChange, long sourceTimestampMs, ulong run = 0, bool runMayBeginWithinLsn = false)
    {
        if (count == changes.Length)
        {
            Grow(ref changes, count, Math.Max(16, count * 2));
        }

        changes[count++] = new Change
        {
            Route = route,
            Operation = operation,
            Offset = offset,
            Position = position,
            KeyChange = keyChange,
            SourceTimestampMs = sourceTimestampMs,
            Run = run,
            RunMayBeginWithinLsn = runMayBeginWithinLsn,
            HasBefore = rowStart != usedSlots,
            FirstSlot = usedSlots,
        };
        usedSlots += rowSlots;
        rowSlots = -1;
    }

    /// <summary>Gives the open row up; its bytes stay, so that slots taken from it remain valid until <see cref="Reset"/>.</summary>
    public void AbandonRow() => rowSlots = valueStart = -1;

    /// <summary>Gives the open row up, with its bytes: the batch is as before. Does nothing when no row is open.</summary>
    public void DiscardRow()
    {
        usedBytes = rowSlots < 0 ? usedBytes : rowBytes;
        rowSlots = valueStart = -1;
    }

    /// <inheritdoc />
    public void Advance(int count) => usedBytes += count;

    /// <inheritdoc />
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureBytes(sizeHint);
        return buffer.AsMemory(usedBytes);
    }

    /// <inheritdoc />
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureBytes(sizeHint);
        return buffer.AsSpan(usedBytes);
    }

    private void ClearRow(int width)
    {
        if (slots.Length < rowStart + width)
        {
            Grow(ref slots, rowStart, Math.Max(slots.Length * 2, rowStart + width));
        }

        slots.AsSpan(rowStart, width).Clear();
    }

    private void EnsureBytes(int sizeHint)
    {
        var needed = usedBytes + Math.Max(sizeHint, 256);
        if (buffer.Length < needed)
        {
            Grow(ref buffer, usedBytes, (int)Math.Min(Array.MaxLength, Math.Max(buffer.Length * 2L, needed)));
        }
    }

    private static void Grow<T>(ref T[] array, int used, int length)
    {
        var larger = ArrayPool<T>.Shared.Rent(length);
        array.AsSpan(0, used).CopyTo(larger);
        Return(ref array, clear: typeof(T) == typeof(Change));
        array = larger;
    }

    private static void Return<T>(ref T[] array, bool clear)
    {
        if (array.Length > 0)
        {
            ArrayPool<T>.Shared.Return(array, clear);
            array = [];
        }
    }

    private sealed class ChangeList(ChangeBatch batch) : IReadOnlyList<Change>
    {
        public int Count => batch.count;

        public Change this[int index] => batch.changes.AsSpan(0, batch.count)[index];

        public IEnumerator<Change> GetEnumerator()
        {
            for (var i = 0; i < batch.count; i++)
            {
                yield return batch.changes[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
