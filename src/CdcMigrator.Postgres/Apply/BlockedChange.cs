using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// A change that stands first in its lane and is refused (invariants A6, A9). A bad value halts the lane. A unique value held by another
/// row is normally about to be freed by another lane, so the lane lets go of everything and tries again. The other lane may also be
/// ahead and hold the value rightly: then this change is superseded, which the source's present row tells. Only if neither is so
/// does the lane halt.
/// </summary>
internal sealed class BlockedChange(PostgresLaneStore store, ChangeBatch batch, int index, Exception cause)
{
    /// <summary>However busy other lanes are, a change does not wait longer than this many times the configured wait.</summary>
    private const int LongestWaits = 10;

    private readonly Change change = batch.Changes[index];

    /// <summary>Returns once the change is dealt with and progress is past it; else throws what the lane is to do.</summary>
    public async Task<ApplyCounts> ResolveAsync(PostgresLaneWriter writer, CancellationToken cancellationToken)
    {
        if (cause is PostgresException error && !PostgresFaults.IsConflict(error))
        {
            throw new FaultException(RowFaults.Of(batch, change, PostgresFaults.Classify(error)), error);
        }

        var others = (await store.ReadProgressAsync(cancellationToken)).Where(lane => lane.Lane.Topic == batch.Lane.Topic && lane.Lane != batch.Lane).ToList();
        var noneBehind = others.All(lane => lane.Position > change.Position && lane.Position.IsComparable && change.Position.IsComparable);
        var now = store.Time.GetTimestamp();
        var known = store.UniqueWaits.TryGetValue(batch.Lane, out var wait) && wait.Offset == change.Offset;
        if (!known)
        {
            store.UniqueWaits[batch.Lane] = wait = new UniqueWait(change.Offset, now);
            store.Metrics.UniqueWait(change.Route);
        }

        if ((known || others.Count == 0) && await TrySupersedeAsync(writer, cancellationToken) is { } counts)
        {
            store.UniqueWaits.TryRemove(batch.Lane, out _);
            return counts;
        }

        var hopeless = others.Count == 0 || (known && wait!.NoneBehind && noneBehind);
        wait!.Observe(others, noneBehind, now);
        if (hopeless || store.Time.GetElapsedTime(wait.MovedAt, now) > store.Options.UniqueWait
            || store.Time.GetElapsedTime(wait.StartedAt, now) > store.Options.UniqueWait * LongestWaits)
        {
            throw await ConflictAsync(cancellationToken);
        }

        PostgresLog.UniqueWait(store.Log, batch.Lane, change.Offset, cause.Message);
        throw new FaultException(RowFaults.Of(batch, change, new Fault(
            FaultKind.Transient, "unique-wait", $"Waits for another lane to free a unique value: {Describe()}", "It is retried as lanes progress")), cause);
    }

    /// <summary>Writes the source's present row instead; null where that is refused too, or the source cannot be asked.</summary>
    private async Task<ApplyCounts?> TrySupersedeAsync(PostgresLaneWriter writer, CancellationToken cancellationToken)
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
        catch (Exception exception) when (exception is RowConflictException || (exception is PostgresException error && PostgresFaults.IsConflict(error)))
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

    private async Task<FaultException> ConflictAsync(CancellationToken cancellationToken)
    {
        var holder = cause is PostgresException error ? await new UniqueHolder(store).FindAsync(error, batch, change, cancellationToken) : null;
        var fault = new Fault(
            FaultKind.Poison,
            "unique-conflict",
            $"Row {RowFaults.KeyText(batch, change)} of {change.Route.Target.Name} needs a unique value that row {holder ?? "of another key"} holds, and no other lane is going to free it: {Describe()}",
            $"Correct or delete the row that holds the value, or drop a constraint the source does not have, then 'cdcm resume'");
        return new FaultException(RowFaults.Of(batch, change, fault), cause);
    }

    private string Describe() => cause is PostgresException error ? PostgresFaults.Classify(error).Message : cause.Message;
}
