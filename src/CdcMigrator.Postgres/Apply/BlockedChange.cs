using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// A change that stands first in its lane and is refused (invariants A6, A9). A bad value halts the lane. A unique value held by another
/// row is normally about to be freed by another lane, so the lane lets go of everything until one moves. If none does, the source decides:
/// a holder that no longer has the value there is removed until its own change comes; if the holder has it rightly, this change is
/// superseded, and the source's present row is written. Lanes that wait for each other are freed by this too. Only what
/// both rows have in the source halts the lane. While another lane is behind, and may yet free the value, the wait goes on: at the deadline that lane is named.
/// </summary>
internal sealed class BlockedChange(PostgresLaneStore store, PostgresLaneWriter writer, ChangeBatch batch, int index)
{
    /// <summary>However busy other lanes are, a change does not wait longer than this many times the configured wait.</summary>
    private const int LongestWaits = 10;

    private const int LanesNamed = 3;

    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(500);

    /// <summary>At first the source is asked soon; a row that is not superseded is then left to the other lanes.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Rows removed for one change at most; each removal is proven safe, the bound is against endless work.</summary>
    private const int MostRemovals = 20;

    /// <summary>The source is read a moment after the target: a refusal may be a matter of that moment once or twice.</summary>
    private const int RefusalsBelieved = 4;

    private readonly Change change = batch.Changes[index];
    private readonly UniqueHolder holders = new(store.Plans, store.Source);

    /// <summary>The last write was refused for a row that has the value in the source too.</summary>
    private bool proven;

    /// <summary>Returns once the change is dealt with and progress is past it; else throws what the lane is to do.</summary>
    public async Task<ApplyCounts> ResolveAsync(Exception cause, WriterTurn? turn, CancellationToken cancellationToken)
    {
        if (!IsConflict(cause) && await TryWholeAsync(cancellationToken) is { } whole)
        {
            return whole;
        }

        ThrowUnlessConflict(cause);
        store.Metrics.UniqueWait(change.Route);
        PostgresLog.UniqueWait(store.Log, batch.Lane, change.Offset, cause.Message);
        var started = store.Time.GetTimestamp();
        var moved = started;
        var lanes = await OthersAsync(cancellationToken);
        var (attempts, refusals) = (0, 0);
        for (var pause = FirstPause; ; pause = Shorter(pause * 2, LongestPause))
        {
            // The source may decide at once: lanes that catch up would else wait for each other at every value that was handed over. Without a
            // source, and no lane behind, there is nothing to wait for at first either: what still holds the value then is not going to free it.
            if (attempts > 0 || (store.Source is null && !lanes.NoneBehind))
            {
                turn?.GiveBack();
                var before = lanes;
                lanes = await WaitForMoveAsync(before, Shorter(pause, store.Options.UniqueWait), cancellationToken);
                moved = lanes.Sum == before.Sum ? moved : store.Time.GetTimestamp();
                await (turn?.TakeAgainAsync(cancellationToken) ?? Task.CompletedTask);
            }

            attempts++;
            var noneBehind = lanes.NoneBehind;
            var (_, counts, blocked) = await writer.ApplyRangeAsync(batch, index, index + 1, cancellationToken);
            if (blocked is null)
            {
                return counts;
            }

            ThrowUnlessConflict(blocked);
            if (store.Source is not null && await AskSourceAsync(cancellationToken) is { } decided)
            {
                return decided;
            }

            // Without a source, being refused with no lane behind is all there is to go by; with one, that both rows have the value there.
            refusals += proven || (store.Source is null && noneBehind) ? 1 : 0;
            var believed = refusals >= (store.Source is null ? 2 : RefusalsBelieved);
            if (believed || IsOver(started, moved))
            {
                throw await ConflictAsync(blocked, believed ? "" : (await OthersAsync(cancellationToken)).Behind, cancellationToken);
            }

            lanes = await OthersAsync(cancellationToken);
        }
    }

    /// <summary>
    /// A row with reselected columns is part old, part new, and a constraint that looks at both may refuse it though the source never held it:
    /// then the source's present row is written as a whole. Null where the change is whole already, or that row is refused too.
    /// </summary>
    private async Task<ApplyCounts?> TryWholeAsync(CancellationToken cancellationToken)
    {
        var present = Single();
        if (store.Source is null || present.Rows.Length == 0 || present.Rows[0].Kind == WriteKind.None || !present.LacksColumns(present.Rows[0]))
        {
            return null;
        }

        await store.Reselection.CompleteAsync(present, [0], whole: true, cancellationToken);
        try
        {
            await writer.CommitAsync(present, PostgresLaneWriter.OffsetAt(batch, index + 1), cancellationToken);
        }
        catch (PostgresException error) when (PostgresFaults.IsRowError(error))
        {
            return null;
        }

        PostgresLog.WrittenWhole(store.Log, batch.Lane, change.Offset);
        return writer.Count(present);
    }

    private bool IsOver(long started, long moved) =>
        store.Time.GetElapsedTime(moved) > store.Options.UniqueWait || store.Time.GetElapsedTime(started) > store.Options.UniqueWait * LongestWaits;

    /// <summary>Holds nothing while it waits; the progress table is looked at in between.</summary>
    private async Task<(long Sum, bool NoneBehind, string Behind)> WaitForMoveAsync((long Sum, bool NoneBehind, string Behind) before, TimeSpan longest, CancellationToken cancellationToken)
    {
        var started = store.Time.GetTimestamp();
        var pause = FirstLook;
        while (true)
        {
            await Task.Delay(pause, store.Time, cancellationToken);
            var now = await OthersAsync(cancellationToken);
            if (now.Sum != before.Sum || store.Time.GetElapsedTime(started) > longest)
            {
                return now;
            }

            pause = Shorter(pause * 2, LongestLook);
        }
    }

    /// <summary>The other lanes of the topic, as their rows alone can share a table with this one's.</summary>
    private async Task<(long Sum, bool NoneBehind, string Behind)> OthersAsync(CancellationToken cancellationToken)
    {
        var others = (await store.ReadProgressAsync(cancellationToken)).Where(lane => lane.Lane.Topic == batch.Lane.Topic && lane.Lane != batch.Lane).ToList();
        var behind = others.Where(lane => !(lane.Position.IsComparable && change.Position.IsComparable && lane.Position > change.Position)).ToList();
        return (others.Sum(lane => lane.NextOffset), behind.Count == 0, string.Join(", ", behind.Take(LanesNamed).Select(lane => $"{lane.Lane} at offset {lane.NextOffset}")));
    }

    /// <summary>Writes the change, or the source's present row in its place; null where neither goes, or the source cannot be asked.</summary>
    private async Task<ApplyCounts?> AskSourceAsync(CancellationToken cancellationToken)
    {
        proven = false;
        try
        {
            var change = Single();
            await store.Reselection.CompleteInsertsAsync(change, cancellationToken);
            if (await TryWriteAsync(change, cancellationToken))
            {
                return writer.Count(change);
            }

            var present = Single();
            await store.Reselection.CompleteAsync(present, [0], whole: true, cancellationToken);
            if (!await TryWriteAsync(present, cancellationToken))
            {
                return null;
            }

            if (present.Rows[0].Kind == WriteKind.None)
            {
                store.Metrics.Gone(this.change.Route);
            }

            PostgresLog.Superseded(store.Log, batch.Lane, this.change.Offset);
            return writer.Count(present);
        }
        catch (FaultException fault) when (fault.Fault.Kind is not (FaultKind.Fenced or FaultKind.NotAllowed))
        {
            PostgresLog.SourceNotAsked(store.Log, batch.Lane, change.Offset, fault.Fault.Message);
            return null;
        }
    }

    private Task<bool> TryWriteAsync(NetEffect net, CancellationToken cancellationToken)
    {
        var removals = 0;
        return writer.TryCommitAsync(net, PostgresLaneWriter.OffsetAt(batch, index + 1), async (session, refusal) =>
        {
            proven = false;
            if (removals++ == MostRemovals || await holders.FindAsync(session.Connection, net, refusal, keep: true, cancellationToken) is not { } holder)
            {
                return false;
            }

            if (!await holders.TryRemoveAsync(session.Connection, net, holder, cancellationToken))
            {
                proven = true;
                return false;
            }

            PostgresLog.HolderRemoved(store.Log, batch.Lane, change.Offset, change.Route.Target.Name.ToString(), KeyText.Of(change.Route, holder.Key));
            return true;
        }, cancellationToken);
    }

    private NetEffect Single() => writer.Reduce(batch, index, index + 1);

    /// <summary>The fault: of the row, or of lanes that stand and may yet free the value. What passes when they go on must not be parked.</summary>
    private async Task<FaultException> ConflictAsync(Exception cause, string behind, CancellationToken cancellationToken)
    {
        await using var connection = await store.Target.OpenConnectionAsync(cancellationToken);
        var holder = await holders.FindAsync(connection, Single(), cause, keep: false, cancellationToken);
        var reason = cause is PostgresException error ? PostgresFaults.Classify(error).Message : cause.Message;
        var what = $"Row {KeyText.Of(batch, change)} of {change.Route.Target.Name} needs a unique value that "
            + $"{(holder is null ? "another row" : $"row {KeyText.Of(change.Route, holder.Key)}")} holds";
        var fault = behind.Length > 0
            ? new Fault(FaultKind.Transient, "unique-wait", $"{what}; it may yet be freed by {behind}, which has not come that far: {reason}",
                "See what stops that lane with 'cdcm status'; this one goes on by itself")
            : new Fault(FaultKind.Poison, "unique-conflict", $"{what} and no lane frees: {reason}",
                "Correct or delete the row that holds the value, or drop a constraint that the source does not have; the lane then goes on by itself");
        return new FaultException(RowFaults.Of(batch, change, fault), cause);
    }

    private void ThrowUnlessConflict(Exception cause)
    {
        if (!IsConflict(cause))
        {
            throw new FaultException(RowFaults.Of(batch, change, PostgresFaults.Classify(cause)), cause);
        }
    }

    private static TimeSpan Shorter(TimeSpan left, TimeSpan right) => left < right ? left : right;

    internal static bool IsConflict(Exception cause) => cause is RowConflictException || (cause is PostgresException error && PostgresFaults.IsConflict(error));
}
