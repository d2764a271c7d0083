using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// A change that stands first in its lane and is refused (invariants A6, A9). A bad value halts the lane. A unique value held by another
/// row is normally about to be freed by another lane, so the lane lets go of everything until one moves. The other lane may also be
/// ahead and hold the value rightly: then this change is superseded, which the source's present row tells. Only if neither is so
/// does the lane halt.
/// </summary>
internal sealed class BlockedChange(PostgresLaneStore store, PostgresLaneWriter writer, ChangeBatch batch, int index)
{
    /// <summary>However busy other lanes are, a change does not wait longer than this many times the configured wait.</summary>
    private const int LongestWaits = 10;

    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(500);

    /// <summary>At first the source is asked soon; a row that is not superseded is then left to the other lanes.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Change change = batch.Changes[index];

    /// <summary>Returns once the change is dealt with and progress is past it; else throws what the lane is to do.</summary>
    public async Task<ApplyCounts> ResolveAsync(Exception cause, WriterTurn? turn, CancellationToken cancellationToken)
    {
        ThrowUnlessConflict(cause);
        store.Metrics.UniqueWait(change.Route);
        PostgresLog.UniqueWait(store.Log, batch.Lane, change.Offset, cause.Message);
        var started = store.Time.GetTimestamp();
        var moved = started;
        var lanes = await OthersAsync(cancellationToken);
        var lastChance = false;
        var asked = false;
        for (var pause = FirstPause; ; pause = Shorter(pause * 2, LongestPause))
        {
            // From here on the other lanes' outcome is known: what still holds the value then is not going to free it.
            var noneBehind = lanes.NoneBehind;
            if (!noneBehind || asked)
            {
                turn?.GiveBack();
                var before = lanes;
                lanes = await WaitForMoveAsync(before, Shorter(pause, store.Options.UniqueWait), cancellationToken);
                moved = lanes.Sum == before.Sum ? moved : store.Time.GetTimestamp();
                await (turn?.TakeAgainAsync(cancellationToken) ?? Task.CompletedTask);
            }

            var (_, counts, blocked) = await writer.ApplyRangeAsync(batch, index, index + 1, cancellationToken);
            if (blocked is null)
            {
                return counts;
            }

            ThrowUnlessConflict(blocked);
            if (await TrySupersedeAsync(cancellationToken) is { } superseded)
            {
                return superseded;
            }

            // Where the source was asked, the value may also be on its way through rows of lanes that are ahead: only rest proves that it is not.
            if ((lastChance && store.Source is null) || IsOver(started, moved))
            {
                throw await ConflictAsync(blocked, cancellationToken);
            }

            lastChance = noneBehind;
            asked = store.Source is not null;
            lanes = await OthersAsync(cancellationToken);
        }
    }

    private bool IsOver(long started, long moved) =>
        store.Time.GetElapsedTime(moved) > store.Options.UniqueWait || store.Time.GetElapsedTime(started) > store.Options.UniqueWait * LongestWaits;

    /// <summary>Holds nothing while it waits; the progress table is looked at in between.</summary>
    private async Task<(long Sum, bool NoneBehind)> WaitForMoveAsync((long Sum, bool NoneBehind) before, TimeSpan longest, CancellationToken cancellationToken)
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
    private async Task<(long Sum, bool NoneBehind)> OthersAsync(CancellationToken cancellationToken)
    {
        var others = (await store.ReadProgressAsync(cancellationToken)).Where(lane => lane.Lane.Topic == batch.Lane.Topic && lane.Lane != batch.Lane).ToList();
        return (others.Sum(lane => lane.NextOffset),
            others.All(lane => lane.Position.IsComparable && change.Position.IsComparable && lane.Position > change.Position));
    }

    /// <summary>Writes the source's present row instead; null where that is refused too, or the source cannot be asked.</summary>
    private async Task<ApplyCounts?> TrySupersedeAsync(CancellationToken cancellationToken)
    {
        if (store.Source is null)
        {
            return null;
        }

        var net = NetEffect.Of(batch, index, index + 1, writer.HighestPosition);
        try
        {
            await store.Reselection.CompleteAsync(net, [0], whole: true, cancellationToken);
        }
        catch (FaultException fault)
        {
            PostgresLog.SourceNotAsked(store.Log, batch.Lane, change.Offset, fault.Fault.Message);
            return null;
        }

        try
        {
            await writer.CommitAsync(net, PostgresLaneWriter.OffsetAt(batch, index + 1), cancellationToken);
        }
        catch (Exception exception) when (IsConflict(exception))
        {
            return null;
        }

        if (net.Rows[0].Kind == WriteKind.None)
        {
            store.Metrics.Gone(change.Route);
        }

        PostgresLog.Superseded(store.Log, batch.Lane, change.Offset);
        return writer.Count(net);
    }

    private async Task<FaultException> ConflictAsync(Exception cause, CancellationToken cancellationToken)
    {
        var error = cause as PostgresException;
        var holder = error is null ? null : await new UniqueHolder(store).FindAsync(error, batch, change, cancellationToken);
        var reason = error is null ? cause.Message : PostgresFaults.Classify(error).Message;
        var fault = new Fault(
            FaultKind.Poison,
            "unique-conflict",
            $"Row {RowFaults.KeyText(batch, change)} of {change.Route.Target.Name} needs a unique value that {(holder is null ? "another row" : $"row {holder}")} holds and no lane frees: {reason}",
            "Correct or delete the row that holds the value, or drop a constraint that the source does not have, then run 'cdcm resume'");
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

    private static bool IsConflict(Exception cause) => cause is RowConflictException || (cause is PostgresException error && PostgresFaults.IsConflict(error));
}
