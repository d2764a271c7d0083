using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.TestKit.Changes;

/// <summary>
/// Builds a batch as a decoder would. Columns are given by source name; those not given are absent, null is SQL NULL, and
/// <see cref="Unavailable"/> stands for the TOAST placeholder. Positions grow by themselves unless given.
/// </summary>
public sealed class BatchBuilder
{
    /// <summary>Value of a column the event does not carry.</summary>
    public const string Unavailable = "\u0001unavailable";

    private readonly ChangeBatch batch = new();
    private ulong run;
    private bool mayBeginWithinLsn;
    private long offset;
    private ulong lsn;

    /// <summary>Starts a batch of a lane at an offset. Positions start above it unless <paramref name="firstLsn"/> says otherwise.</summary>
    public BatchBuilder(LaneId lane, long fromOffset = 0, ulong firstLsn = 0)
    {
        batch.Reset(lane, fromOffset);
        offset = fromOffset;
        lsn = firstLsn != 0 ? firstLsn : (ulong)(1000 + (fromOffset * 10));
    }

    /// <summary>Offset of the next record.</summary>
    public long Offset => offset;

    /// <summary>An insert.</summary>
    public BatchBuilder Insert(TableRoute route, params (string Column, string? Value)[] values) => Add(route, ChangeOperation.Insert, KeyChangeHalf.None, null, values);

    /// <summary>An update.</summary>
    public BatchBuilder Update(TableRoute route, params (string Column, string? Value)[] values) => Add(route, ChangeOperation.Update, KeyChangeHalf.None, null, values);

    /// <summary>A delete; give the key's columns.</summary>
    public BatchBuilder Delete(TableRoute route, params (string Column, string? Value)[] values) => Add(route, ChangeOperation.Delete, KeyChangeHalf.None, null, values);

    /// <summary>A snapshot row, without a position.</summary>
    public BatchBuilder Snapshot(TableRoute route, params (string Column, string? Value)[] values) => Add(route, ChangeOperation.SnapshotRow, KeyChangeHalf.None, SourcePosition.None, values);

    /// <summary>A truncate.</summary>
    public BatchBuilder Truncate(TableRoute route) => Add(route, ChangeOperation.Truncate, KeyChangeHalf.None, null, []);

    /// <summary>A record without a change: tombstone, heartbeat.</summary>
    public BatchBuilder Nothing()
    {
        batch.TakeIn(offset++);
        return this;
    }

    /// <summary>Any change, at a position of its own choosing where one is given.</summary>
    public BatchBuilder Add(TableRoute route, ChangeOperation operation, KeyChangeHalf half, SourcePosition? position, params (string Column, string? Value)[] values)
    {
        ArgumentNullException.ThrowIfNull(route);
        ArgumentNullException.ThrowIfNull(values);
        batch.BeginRow(route);
        Set(route, values);
        return Commit(route, operation, half, position, run);
    }

    /// <summary>Which run of the connector sends what is added next.</summary>
    public BatchBuilder SentBy(ulong sender)
    {
        run = sender;
        return this;
    }

    /// <summary>Runs of the connector that sends what is added next may begin in between changes of an LSN, or not.</summary>
    public BatchBuilder BeginningWithinLsn(bool may = true)
    {
        mayBeginWithinLsn = may;
        return this;
    }

    /// <summary>A change of a keyless table: the row as it is (of a delete: as it was) and, of an update, as it was; sent by a run of the connector.</summary>
    public BatchBuilder AddKeyless(
        TableRoute route, ChangeOperation operation, SourcePosition position, ulong sender, (string Column, string? Value)[] row, (string Column, string? Value)[]? before = null)
    {
        ArgumentNullException.ThrowIfNull(route);
        ArgumentNullException.ThrowIfNull(row);
        batch.BeginRow(route);
        Set(route, row);
        if (before is not null)
        {
            batch.BeginBefore();
            Set(route, before);
        }

        return Commit(route, operation, KeyChangeHalf.None, position, sender);
    }

    /// <summary>The batch.</summary>
    public ChangeBatch Build() => batch;

    private void Set(TableRoute route, (string Column, string? Value)[] values)
    {
        foreach (var (column, value) in values)
        {
            var ordinal = route.OrdinalOfSource(column);
            if (ordinal < 0)
            {
                throw new ArgumentException($"{route} has no column {column}", nameof(values));
            }

            switch (value)
            {
                case null: batch.SetState(ordinal, ColumnState.Null); break;
                case Unavailable: batch.SetState(ordinal, ColumnState.Unavailable); break;
                default: batch.SetValue(ordinal, Encoding.UTF8.GetBytes(value)); break;
            }
        }
    }

    private BatchBuilder Commit(TableRoute route, ChangeOperation operation, KeyChangeHalf half, SourcePosition? position, ulong sender)
    {
        lsn += 10;
        batch.CommitRow(route, operation, offset, position ?? new SourcePosition(lsn, lsn, 0), half, 0, sender, mayBeginWithinLsn);
        batch.TakeIn(offset++);
        return this;
    }
}
