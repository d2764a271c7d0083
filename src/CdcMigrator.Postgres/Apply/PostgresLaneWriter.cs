using System.Security.Cryptography;
using System.Text;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.DeadLetters;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Writes one lane's batches under one claim. A batch goes as a whole, as its net effect; if a row of it is refused it goes in parts, so
/// that everything before the refused change is committed and the change is named.
/// </summary>
internal sealed class PostgresLaneWriter(
    PostgresLaneStore store, LaneProgress claimed, IReadOnlyCollection<ChangeKey> parked, Truncations truncations, LogIdentity identity) : ILaneWriter
{
    /// <summary>Where records do not name the connector's run: the embedded log repeats changes only in another life.</summary>
    private readonly ulong logRun = identity.Ephemeral ? BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(identity.ClusterId))) | 1 : 0;

    /// <summary>
    /// Whether the lane has all that precedes a change of its table. The embedded log publishes a truncate between everything before and behind
    /// it, whatever the lane.
    /// </summary>
    private readonly bool wholeTable = identity.PartitionCount == 1 || identity.Ephemeral;
    private KeylessApply? keyless;
    private bool ended;

    public LaneId Lane { get; } = claimed.Lane;

    public long Epoch { get; } = claimed.Epoch;

    public long NextOffset { get; private set; } = claimed.NextOffset;

    public SourcePosition HighestPosition => Guard.Highest;

    public IReadOnlyCollection<ChangeKey> ParkedKeys => parked;

    /// <summary>Where the lane stands.</summary>
    internal RepeatGuard Guard { get; private set; } = new(claimed.Position, IsExact: identity.Ephemeral, CanAsk: store.Source is not null);

    public Task<ApplyCounts> ApplyAsync(ChangeBatch batch, CancellationToken cancellationToken) => RunAsync(batch, null, cancellationToken);

    public Task<ApplyCounts> ApplyAsync(ChangeBatch batch, WriterTurn turn, CancellationToken cancellationToken) => RunAsync(batch, turn, cancellationToken);

    private async Task<ApplyCounts> RunAsync(ChangeBatch batch, WriterTurn? turn, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        cancellationToken.ThrowIfCancellationRequested();
        if (ended || batch.Lane != Lane || batch.FromOffset != NextOffset)
        {
            var fault = new Fault(FaultKind.Internal, "writer-misused",
                $"Batch of {batch.Lane} from offset {batch.FromOffset} was given to {(ended ? "an ended" : "the")} writer of {Lane} at offset {NextOffset}");
            throw new FaultException(fault with { Lane = Lane });
        }

        ended = true;
        try
        {
            var counts = await ApplyAllAsync(batch, turn, cancellationToken);
            ended = false;
            return counts;
        }
        catch (Exception exception) when (exception is not OperationCanceledException and not FaultException)
        {
            throw new FaultException(PostgresFaults.Classify(exception) with { Lane = Lane }, exception);
        }
    }

    private async Task<ApplyCounts> ApplyAllAsync(ChangeBatch batch, WriterTurn? turn, CancellationToken cancellationToken)
    {
        var refused = RefusedChanges.First(batch, identity, store.Source is not null, logRun != 0);
        refused = await TruncatedBehindParkedAsync(batch, refused?.Index ?? batch.Changes.Count, cancellationToken) ?? refused;
        var end = refused?.Index ?? batch.Changes.Count;
        await store.Snapshots.NoteAsync(batch, cancellationToken);
        var counts = default(ApplyCounts);
        for (var next = 0; ;)
        {
            var truncate = wholeTable ? end : BatchParts.NextTruncate(batch, next, end);
            var stop = BatchParts.EndOfDoubt(batch, next, BatchParts.EndOfRoutes(batch, next, truncate), Guard);
            var (done, applied, blocked) = await ApplyRangeAsync(batch, next, stop, cancellationToken);
            counts += applied;
            next = done + 1;
            if (blocked is not null)
            {
                counts += await new BlockedChange(store, this, batch, done).ResolveAsync(blocked, turn, cancellationToken);
            }
            else if (stop < truncate)
            {
                next = stop;
            }
            else if (stop < end)
            {
                counts += await new TruncateAcrossLanes(store, this, truncations, identity.PartitionCount).ApplyAsync(batch, stop, cancellationToken);
            }
            else
            {
                break;
            }
        }

        return refused is null ? counts : throw new FaultException(refused.Value.Fault);
    }

    /// <summary>Applies [start, end) of the batch's changes. Returns where it came to and, if it stopped before the end, why.</summary>
    internal async Task<(int Done, ApplyCounts Counts, Exception? Blocked)> ApplyRangeAsync(ChangeBatch batch, int start, int end, CancellationToken cancellationToken)
    {
        if (start == end && OffsetAt(batch, end) == NextOffset)
        {
            return (end, default, null);
        }

        if (start < end && batch.Changes[start].Route.IsKeyless)
        {
            keyless ??= new KeylessApply(store, this, logRun);
            return (end, await keyless.ApplyAsync(batch, start, end, cancellationToken), null);
        }

        var net = Reduce(batch, start, end);

        // Before any lock is taken in the target: the source may be slow.
        await store.Reselection.CompleteInsertsAsync(net, cancellationToken);
        try
        {
            await CommitAsync(net, OffsetAt(batch, end), cancellationToken);
            return (end, Count(net), null);
        }
        catch (PostgresException error) when (end - start > 1 && PostgresFaults.IsConflict(error) && store.Source is not null)
        {
            return await HandOverAsync(net, start, end, error, cancellationToken);
        }
        catch (PostgresException error) when (PostgresFaults.IsRowError(error))
        {
            return await SplitAsync(batch, start, end, error.SqlState, cancellationToken);
        }
        catch (RowConflictException)
        {
            return await SplitAsync(batch, start, end, "key-spelling", cancellationToken);
        }
    }

    private async Task<(int Done, ApplyCounts Counts, Exception? Blocked)> SplitAsync(
        ChangeBatch batch, int start, int end, string reason, CancellationToken cancellationToken)
    {
        store.Metrics.Split(reason);
        PostgresLog.BatchSplit(store.Log, Lane, OffsetAt(batch, start), OffsetAt(batch, end), reason);
        return await WithSessionAsync(async session =>
        {
            var split = new SplitApply(session, store, batch, Guard, truncations);
            await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
            await MoveAsync(session, Move(NextOffset, HighestPosition), cancellationToken);
            var done = await split.ApplyAsync(start, end, cancellationToken);
            var to = OffsetAt(batch, done);
            var behind = Behind(batch, to, split.Guard);
            await MoveAsync(session, Move(to, behind.Highest), cancellationToken);
            await ParkAsync(session, batch, to, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            Moved(to, behind);
            var counts = split.Parts.Aggregate(default(ApplyCounts), (sum, net) => sum + Count(net));
            return (done, counts, split.Blocked);
        }, cancellationToken);
    }

    /// <summary>Settles all unique values of a range at once, or one change after the other.</summary>
    private async Task<(int Done, ApplyCounts Counts, Exception? Blocked)> HandOverAsync(
        NetEffect net, int start, int end, PostgresException refusal, CancellationToken cancellationToken)
    {
        try
        {
            if (await new HandOver(store, this).TryAsync(net, OffsetAt(net.Batch, end), refusal, cancellationToken))
            {
                return (end, Count(net), null);
            }
        }
        catch (PostgresException error) when (PostgresFaults.IsRowError(error))
        {
            // Told of the row alone.
        }

        return await SplitAsync(net.Batch, start, end, refusal.SqlState, cancellationToken);
    }

    /// <summary>One transaction: the guarded move, and the net effect's rows.</summary>
    internal async Task CommitAsync(NetEffect net, long to, CancellationToken cancellationToken)
    {
        var behind = Behind(net.Batch, to, net.Guard);
        var move = Move(to, behind.Highest).Command();
        await WithSessionAsync(async session =>
        {
            var execution = new GroupExecution(session, store.Plans, store.Reselection);
            var groups = await execution.PrepareAsync(net.Group(), copy: true, cancellationToken);
            if (GroupExecution.IsDecidedByServer(groups) && net.Batch.Parked.Count == 0)
            {
                await execution.ExecuteInOneTripAsync(move, net, groups, cancellationToken);
            }
            else
            {
                await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
                await execution.ExecuteAsync(move, net, groups, copy: true, cancellationToken);
                await ParkAsync(session, net.Batch, to, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }

            return true;
        }, cancellationToken);
        Moved(to, behind);
    }

    /// <summary>One transaction: the guarded move, then work that tells the lane's highest position behind it.</summary>
    /// <param name="batch">Whose parked records below the new progress are put aside with it.</param>
    /// <param name="to">Where progress moves to.</param>
    /// <param name="lockFirst">Takes locks that must precede the move; null where none do.</param>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async Task CommitAsync(
        ChangeBatch batch, long to, Func<ApplySession, Task>? lockFirst, Func<ApplySession, Task<SourcePosition>> work, CancellationToken cancellationToken)
    {
        var behind = await WithSessionAsync(async session =>
        {
            await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
            await (lockFirst?.Invoke(session) ?? Task.CompletedTask);
            await MoveAsync(session, Move(NextOffset, HighestPosition), cancellationToken);
            var behind = Behind(batch, to, Guard with { Highest = await work(session) });
            await MoveAsync(session, Move(to, behind.Highest), cancellationToken);
            await ParkAsync(session, batch, to, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return behind;
        }, cancellationToken);
        Moved(to, behind);
    }

    /// <summary>
    /// Commits a net effect. Where another row is in the way of one of its own, <paramref name="clear"/> is asked to make way within the transaction;
    /// false if it does not, and nothing is changed then. <paramref name="refusal"/> is why it was refused before, if it was.
    /// </summary>
    internal Task<bool> TryCommitAsync(
        NetEffect net, long to, Func<ApplySession, Exception, Task<bool>> clear, CancellationToken cancellationToken, Exception? refusal = null) => WithSessionAsync(async session =>
    {
        var execution = new GroupExecution(session, store.Plans, store.Reselection);
        await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
        var behind = Behind(net.Batch, to, net.Guard);
        await MoveAsync(session, Move(to, behind.Highest), cancellationToken);
        if (refusal is not null && !await clear(session, refusal))
        {
            // Told apart from a session that broke, which would else be kept.
            await transaction.RollbackAsync(cancellationToken);
            return false;
        }

        while (true)
        {
            await transaction.SaveAsync("row", cancellationToken);
            try
            {
                await execution.ExecuteAsync(null, net, await execution.PrepareAsync(net.Group(), copy: false, cancellationToken), copy: false, cancellationToken);
                await ParkAsync(session, net.Batch, to, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                Moved(to, behind);
                return true;
            }
            catch (Exception exception) when (BlockedChange.IsConflict(exception))
            {
                await transaction.RollbackAsync("row", cancellationToken);
                if (!await clear(session, exception))
                {
                    await transaction.RollbackAsync(cancellationToken);
                    return false;
                }
            }
        }
    }, cancellationToken);

    /// <summary>Counts a committed net effect.</summary>
    internal ApplyCounts Count(NetEffect net) => Count(net.Counts, net.ReplaysByTable, net.ReselectedByTable);

    /// <summary>Counts what was committed, by table.</summary>
    internal ApplyCounts Count(
        Dictionary<(TableRoute Route, ChangeOperation Operation), int> applied, Dictionary<TableRoute, int> replays, Dictionary<TableRoute, int> reselected)
    {
        long inserts = 0, updates = 0, deletes = 0, snapshotRows = 0;
        foreach (var ((route, operation), count) in applied)
        {
            store.Metrics.Applied(route, operation, count);
            switch (operation)
            {
                case ChangeOperation.Insert: inserts += count; break;
                case ChangeOperation.Update: updates += count; break;
                case ChangeOperation.Delete or ChangeOperation.Truncate: deletes += count; break;
                default: snapshotRows += count; break;
            }
        }

        foreach (var (route, count) in replays)
        {
            store.Metrics.Duplicates(route, count);
        }

        foreach (var (route, count) in reselected)
        {
            store.Metrics.Reselected(route, count);
        }

        return new ApplyCounts(inserts, updates, deletes, snapshotRows, replays.Values.Sum(), reselected.Values.Sum());
    }

    /// <summary>Reduces changes given where the lane stands.</summary>
    internal NetEffect Reduce(ChangeBatch batch, int start, int end) => NetEffect.Of(batch, start, end, Guard, truncations);

    /// <summary>Offset progress stands at when the changes below this index are applied.</summary>
    internal static long OffsetAt(ChangeBatch batch, int index) => index < batch.Changes.Count ? batch.Changes[index].Offset : batch.NextOffset;

    /// <summary>
    /// Puts aside what progress moves past. A repeated record was put aside, applied or discarded before. A sound transaction's error here is no row's:
    /// it must not send the batch into parts.
    /// </summary>
    private async Task ParkAsync(ApplySession session, ChangeBatch batch, long to, CancellationToken cancellationToken)
    {
        var passed = BatchParts.Parked(batch, NextOffset, to, Guard);
        if (passed.Count == 0)
        {
            return;
        }

        try
        {
            await DeadLetterTable.AddAsync(session.Connection, store.Migration, claimed, passed, store.Options, cancellationToken);
        }
        catch (PostgresException error) when (PostgresFaults.IsRowError(error))
        {
            var fault = new Fault(FaultKind.Internal, "dead-letter-refused", $"A dead letter cannot be written: {error.SqlState}: {error.MessageText}");
            throw new FaultException(fault with { Lane = Lane, Offset = passed[0].Record.Offset, Table = passed[0].Key.Table, Key = passed[0].Key.Key }, error);
        }
    }

    /// <summary>Where the lane stands behind changes and what is put aside with them.</summary>
    private RepeatGuard Behind(ChangeBatch batch, long to, RepeatGuard guard) =>
        batch.Parked.Count > 0 && BatchParts.Parked(batch, NextOffset, to, Guard).Exists(record => record.Position.IsUnknown) ? guard with { Highest = SourcePosition.None } : guard;

    /// <summary>
    /// The first truncate of a table that has dead letters, in whichever lane: what comes before a truncate is in the target, or parked, when it
    /// is met.
    /// </summary>
    private async Task<(int Index, Fault Fault)?> TruncatedBehindParkedAsync(ChangeBatch batch, int end, CancellationToken cancellationToken)
    {
        var guard = Guard;
        for (var i = 0; i < end; i++)
        {
            var change = batch.Changes[i];
            var before = guard;
            guard = change.Operation == ChangeOperation.SnapshotRow ? guard : guard.Behind(change.Position, change.Run);
            if (change.Operation == ChangeOperation.Truncate && !before.IsRepeatedTruncate(change.Position, change.Run) && !(truncations.Of(change.Route.Source) is > 0 and var known && known >= change.Position.Lsn)
                && await WithSessionAsync(session => DeadLetterTable.HasAnyAsync(session.Connection, store.Migration, change.Route.Source, cancellationToken), cancellationToken))
            {
                return (i, ParkedRecord.TruncatedBehind(Lane, change.Offset) with { Table = change.Route.Source.ToString() });
            }
        }

        return null;
    }

    private ProgressMove Move(long to, SourcePosition position) => new(store.Migration, Lane, Epoch, NextOffset, to, position);

    private void Moved(long to, RepeatGuard guard)
    {
        NextOffset = to;
        Guard = guard;
    }

    private static async Task MoveAsync(ApplySession session, ProgressMove move, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(session.Connection) { BatchCommands = { move.Command() } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>A session is kept only after success, or an error the server reported and the rollback that answers it.</summary>
    private async Task<T> WithSessionAsync<T>(Func<ApplySession, Task<T>> work, CancellationToken cancellationToken)
    {
        var session = await store.Sessions.TakeAsync(cancellationToken);
        var (sound, committed) = (false, false);
        try
        {
            var result = await work(session);
            sound = committed = true;
            return result;
        }
        catch (Exception exception) when (exception is RowConflictException || (exception is PostgresException error && PostgresFaults.IsRowError(error)))
        {
            sound = session.Connection.FullState == System.Data.ConnectionState.Open;
            throw;
        }
        finally
        {
            session.Settle(committed);
            await (sound ? store.Sessions.ReturnAsync(session) : ApplySessions.DiscardAsync(session));
        }
    }
}
