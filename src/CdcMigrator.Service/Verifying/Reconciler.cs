using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Checks;
using CdcMigrator.Reconciliation.Deciding;
using CdcMigrator.Reconciliation.Passes;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Streaming.Inspection;
using Npgsql;

namespace CdcMigrator.Service.Verifying;

/// <summary>
/// Compares both sides while they live: dirty keys all the time, full passes when they are asked for. In one process of a migration at a time, which holds a
/// lock in the target; any other goes on where it ended. What it finds is in the target alone (<see cref="VerificationStore"/>).
/// </summary>
internal sealed class Reconciler(ReconcilerParts parts, VerificationLimits limits, TimeProvider time, ILogger log)
{
    private const int KeysAStep = 20_000;

    /// <summary>Pause between two turns, where nobody waits for the next one (<see cref="VerificationStore.WakeAsync"/>).</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);
    private volatile Fault? fault;
    private volatile VerificationSession? session;

    /// <summary>What it works with.</summary>
    public ReconcilerParts Parts => parts;

    /// <summary>What keeps it from working; null while it works, or another process does.</summary>
    public Fault? Fault => fault ?? session?.Fault;

    /// <summary>Works until cancelled. Faults are shown and tried again.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var lease = await parts.Control.OpenConnectionAsync(stop);
                try
                {
                    if (await LockAsync(lease, stop))
                    {
                        await WorkAsync(lease, await parts.Store.ClaimAsync(stop), stop);
                    }
                    else
                    {
                        fault = null;
                    }
                }
                finally
                {
                    await UnlockAsync(lease);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
            {
                var now = PostgresFaults.Classify(exception);
                if (now.Code != "direction-closed" && fault?.ToString() != now.ToString())
                {
                    RuntimeLog.SampleFailed(log, "verification", now);
                }

                fault = now;
            }

            await Task.Delay(RetryPause, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task WorkAsync(NpgsqlConnection lease, long owner, CancellationToken stop)
    {
        await WaitForWorkAsync(lease, owner, stop);
        await using var own = await BeginAsync(owner, stop);
        session = own;
        await ExecuteAsync(lease, $"listen {VerificationStore.Waking}", stop);
        try
        {
            fault = null;
            while (true)
            {
                // A lost session has lost the lease, and another process may have claimed: what this one would still write is refused.
                await PingAsync(lease, stop);
                if (!await TurnAsync(own, stop))
                {
                    await lease.WaitAsync(Idle, stop);
                }

                if (await own.IsOutdatedAsync(stop))
                {
                    return;
                }
            }
        }
        finally
        {
            session = null;
        }
    }

    /// <summary>One turn, and signs of life beside it: a table that takes long to read, or a marker that takes long to be confirmed, is no reason to take the reconciler for dead.</summary>
    private async Task<bool> TurnAsync(VerificationSession own, CancellationToken stop)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var turn = own.TurnAsync(given.Token);
        try
        {
            while (await Task.WhenAny(turn, Task.Delay(VerificationSession.BeatInterval, time, stop)) != turn)
            {
                try
                {
                    await own.BeatAsync(stop);
                }
                catch (FaultException exception) when (exception.Fault.Kind != FaultKind.Fenced)
                {
                    // The turn goes on, and finds out by itself what it needs that is away.
                }
            }
        }
        catch
        {
            await given.CancelAsync();
            await turn.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }

        return await turn;
    }

    /// <summary>
    /// Waits for the first comparison to be asked for. Until then nothing is known that a change could make unknown, so that the log need not be read twice, nor
    /// keys be remembered: not while a backlog is applied.
    /// </summary>
    private async Task WaitForWorkAsync(NpgsqlConnection lease, long owner, CancellationToken stop)
    {
        while ((await parts.Store.ReadRunningAsync(stop)).Count == 0 && (await parts.Store.ReadTablesAsync(stop)).Values.All(table => !table.State.Covered && table.State.Wrong.Count == 0))
        {
            fault = null;
            await PingAsync(lease, stop);
            await parts.Store.BeatAsync(0, null, owner, stop);
            await Task.Delay(Idle, time, stop);
        }
    }

    /// <summary>Begins where the last process ended: with what it verified, and a reader that meets again what it did not.</summary>
    private async Task<VerificationSession> BeginAsync(long owner, CancellationToken stop)
    {
        var tables = await parts.Tables(stop);
        var kept = await parts.Store.ReadTablesAsync(stop);
        IReadOnlyDictionary<LaneId, long> progress;
        await using (var target = await parts.Sides.OpenTargetAsync(stop))
        {
            progress = target.Progress;
        }

        // Behind the progress: what lies below it is visible to whatever no transaction of this snapshot holds back.
        ISourceView began;
        await using (var source = await parts.Sides.OpenSourceAsync(stop))
        {
            began = source.View;
        }

        string[] topics = [.. tables.Select(table => parts.TopicOf(table.Source)).Distinct(StringComparer.Ordinal), parts.FenceTopic];
        var shapes = await TableShape.ReadAsync(tables, parts, stop);
        var known = kept.Where(table => shapes.TryGetValue(table.Key, out var shape) && shape.Refuse(table.Value.Shape) is null && !shape.HasTopicSince(table.Value.Shape))
            .SelectMany(table => table.Value.State.VerifiedOffsets.Keys.Select(partition => new LaneId(parts.TopicOf(table.Key), partition)));
        var ranges = await parts.Inspector.ReadTopicRangesAsync(topics, known, stop);
        var offsets = new Dictionary<LaneId, long>();
        var states = new Dictionary<TableName, TableState>();
        foreach (var table in tables)
        {
            var topic = parts.TopicOf(table.Source);
            var lanes = ranges.Where(range => range.Key.Topic == topic).ToList();
            var state = kept.TryGetValue(table.Source, out var before) ? before.State : new TableState { Table = table.Source };
            if (before.State is not null)
            {
                state = Continued(state, before.Shape, shapes[table.Source], lanes);
                if (!ReferenceEquals(state, before.State))
                {
                    // Before the first sign of life, with which what is kept counts.
                    await parts.Store.SaveAsync(state, shapes[table.Source].ToString(), null, owner, stop);
                }
            }

            foreach (var (lane, range) in lanes)
            {
                var from = ReadingStart.Of(state, lane.Partition, range, progress.GetValueOrDefault(lane, range.Start)) ?? range.Start;
                offsets[lane] = Math.Min(offsets.GetValueOrDefault(lane, long.MaxValue), from);
            }

            states[table.Source] = state;
        }

        foreach (var (lane, range) in ranges.Where(range => range.Key.Topic == parts.FenceTopic))
        {
            offsets[lane] = range.End;
        }

        return Compose(owner, tables, shapes, states, offsets, topics, began);
    }

    private VerificationSession Compose(
        long owner, IReadOnlyList<ComparedTable> tables, IReadOnlyDictionary<TableName, TableShape> shapes, Dictionary<TableName, TableState> states, Dictionary<LaneId, long> offsets, string[] topics,
        ISourceView began)
    {
        var indexes = tables.ToDictionary(table => table.Source, table => new ChangeIndex(limits.DirtyKeys));
        var (schemas, loader) = parts.Schemas();
        var follower = new ChangeFollower(
            parts.Follow, new RecordReader(parts.Reading, tables, schemas), indexes, loader, parts.Source, parts.Inspector, topics, parts.Definition.Name, began, offsets, time);
        var verified = tables.Select(table =>
        {
            var index = indexes[table.Source];
            var comparer = new TableComparer(table, parts.TopicOf(table.Source), index, parts.Sides, follower, time);
            return new VerifiedTable(table, new TableVerification(comparer, states[table.Source], follower, limits, time), index, shapes[table.Source]);
        });
        var checks = new CheckRunner(parts, owner, [.. tables.Select(table => new CheckedTable(table, parts.TopicOf(table.Source), indexes[table.Source]))], follower, time, log);
        return new VerificationSession(parts, owner, follower, checks, [.. verified], parts.Definition.Verify.TablesAtOnce, KeysAStep, time, log);
    }

    /// <summary>What of earlier findings counts for the table and its topic as they are now.</summary>
    /// <exception cref="FaultException">Unreachable: the topic was there, and the broker does not know it now.</exception>
    private TableState Continued(TableState state, string kept, TableShape shape, IReadOnlyCollection<KeyValuePair<LaneId, LogRange>> lanes)
    {
        var refused = shape.Refuse(kept);
        if (refused is null && shape.HasTopicSince(kept))
        {
            state = state with { VerifiedOffsets = new Dictionary<int, long>() };
        }

        refused ??= lanes.Any(lane => ReadingStart.Of(state, lane.Key.Partition, lane.Value, 0) is null) ? "changes that were not verified are no longer in the log" : null;
        if (refused is null)
        {
            return state;
        }

        if (state.Covered || state.Cursor is not null)
        {
            RuntimeLog.CoverageDropped(log, state.Table, refused);
        }

        return Forget(state, refused);
    }

    /// <summary>What is left of findings that no longer count: rows that were wrong are still worth a look.</summary>
    private static TableState Forget(TableState state, string reason) => state with
    {
        Covered = false,
        Cursor = null,
        RowsSource = 0,
        RowsTarget = 0,
        Phase = state.Phase is TablePhase.Passing or TablePhase.Settling ? TablePhase.Passing : state.Phase,
        VerifiedOffsets = new Dictionary<int, long>(),
        Wrong = new Dictionary<RowKey, RowMismatch>(),
        WrongTruncated = false,
        Pending = new Dictionary<RowKey, DateTimeOffset>(),
        Verdict = Verdict.Unverified,
        Reason = reason,
    };

    private async Task<bool> LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await ScalarAsync(connection, "select pg_try_advisory_lock(hashtextextended('cdcm verify ' || $1, 0))", cancellationToken) is true;

    private static Task PingAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => ExecuteAsync(connection, "select 1", cancellationToken);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The pool keeps the session as it is.</summary>
    private async Task UnlockAsync(NpgsqlConnection connection)
    {
        if (connection.FullState == System.Data.ConnectionState.Open)
        {
            try
            {
                await ExecuteAsync(connection, $"unlisten {VerificationStore.Waking}", CancellationToken.None);
                await ScalarAsync(connection, "select pg_advisory_unlock(hashtextextended('cdcm verify ' || $1, 0))", CancellationToken.None);
            }
            catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
            {
                // The session ended, and the lock with it.
            }
        }
    }

    private async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = parts.Definition.Name });
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}
