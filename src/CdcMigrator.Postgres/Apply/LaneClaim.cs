using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.DeadLetters;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Takes one lane over. Raising the epoch needs the row lock that every transaction of the owner begins with, so it returns only once the
/// outcome of the old transaction is known, a COMMIT whose answer was lost included. A session that holds the lock beyond the
/// takeover timeout is ended.
/// </summary>
internal sealed class LaneClaim(PostgresLaneStore store, LaneId lane)
{
    private const string Take = """
        insert into cdc_migrator.progress as p (migration, topic, partition, next_offset, cluster_id, topic_id, partition_count, backend_pid, backend_start)
        select $1, $2, $3, $4, $5, $6, $7, pg_catalog.pg_backend_pid(), (select backend_start from pg_catalog.pg_stat_activity where pid = pg_catalog.pg_backend_pid())
        on conflict (migration, topic, partition) do update
        set epoch = p.epoch + 1, backend_pid = excluded.backend_pid, backend_start = excluded.backend_start, updated_at = pg_catalog.clock_timestamp()
        returning next_offset, commit_lsn, lsn, xid, epoch, updated_at, frozen, cluster_id, topic_id, partition_count
        """;

    /// <summary>
    /// Ends those who hold the lock the claim waits for, directly or behind other claims. Only our own sessions are ended, and only while they
    /// block the claim: a recorded process id may belong to someone else by now. A TRUNCATE takes as long as its table is large: it gets an hour.
    /// </summary>
    private const string EndBlockers = """
        with recursive chain(pid) as (
            select unnest(pg_catalog.pg_blocking_pids($1)) union select b.pid from chain c cross join lateral unnest(pg_catalog.pg_blocking_pids(c.pid)) as b(pid))
        select a.pid, a.application_name, a.state, case when a.application_name like $2 || '%' and not (a.application_name = $3 and a.xact_start > pg_catalog.clock_timestamp() - interval '1 hour') then pg_catalog.pg_terminate_backend(a.pid) else false end
        from chain c join pg_catalog.pg_stat_activity a on a.pid = c.pid
        where c.pid <> $1 and pg_catalog.cardinality(pg_catalog.pg_blocking_pids(c.pid)) = 0
        """;

    /// <summary>Progress as it was committed, the rows of the lane that have dead letters, and what was truncated away.</summary>
    public async Task<(LaneProgress Progress, IReadOnlyCollection<ChangeKey> Parked, Truncations Truncations)> TakeAsync(
        LogIdentity identity, long logStart, CancellationToken cancellationToken)
    {
        var session = await store.Sessions.TakeAsync(cancellationToken);
        try
        {
            await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
            await RefuseOpenSideAsync(session.Connection, cancellationToken);
            await PauseStore.RefuseAsync(session.Connection, store.Migration, lane, cancellationToken);
            if (identity.Ephemeral)
            {
                await RefuseEndedLogAsync(session.Connection, identity, cancellationToken);
            }

            var taken = await RaiseAsync(session.Connection, identity, logStart, cancellationToken);
            var progress = await CheckAsync(session.Connection, taken, identity, logStart, cancellationToken);
            await ClaimLog.RecordAsync(session.Connection, store.Migration, progress, cancellationToken);

            // Under the lock of the progress row, which all who park and free rows of the lane hold.
            var parked = await DeadLetterTable.ReadKeysAsync(session.Connection, store.Migration, lane, cancellationToken);
            var truncations = await Truncations.ReadAsync(session.Connection, store.Migration, lane, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            await store.Sessions.ReturnAsync(session);
            return (progress, parked, truncations);
        }
        catch
        {
            await ApplySessions.DiscardAsync(session);
            throw;
        }
    }

    /// <summary>
    /// A side that applications write to takes nothing from the log, nor does one that was left without a way back. Its row is locked until the claim commits: an opening either waits and then freezes this lane
    /// too, or is seen here. Markers are no rows: theirs is never closed.
    /// </summary>
    private async Task RefuseOpenSideAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select {Directions.AppliedTo} from cdc_migrator.fence_state where migration = $1 for share", connection)
        {
            Parameters = { new NpgsqlParameter { Value = store.Migration } },
        };
        if (!Directions.IsMarkerTopic(lane.Topic) && await command.ExecuteScalarAsync(cancellationToken) is false)
        {
            throw Closed();
        }
    }

    /// <summary>
    /// An embedded log that was taken over may still hold records of a snapshot that was started over. The row is locked until the claim
    /// commits: a log that takes over either waits and then shuts this claim out, or is seen here.
    /// </summary>
    private async Task RefuseEndedLogAsync(NpgsqlConnection connection, LogIdentity identity, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select incarnation from cdc_migrator.embedded_log where migration = $1 for share", connection)
        {
            Parameters = { new NpgsqlParameter { Value = store.Migration } },
        };
        if (await command.ExecuteScalarAsync(cancellationToken) is string current && current != identity.ClusterId)
        {
            throw new FaultException(new Fault(FaultKind.Fenced, "superseded", $"Another process took the embedded log of migration {store.Migration} over") { Lane = lane });
        }
    }

    private async Task<(LaneProgress Progress, LogIdentity Recorded)> RaiseAsync(
        NpgsqlConnection connection, LogIdentity identity, long logStart, CancellationToken cancellationToken)
    {
        var backend = connection.ProcessID;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var raising = ExecuteAsync(connection, identity, logStart, stop.Token);
        try
        {
            while (await Task.WhenAny(raising, Task.Delay(store.Options.TakeoverTimeout, store.Time, stop.Token)) != raising && !stop.IsCancellationRequested)
            {
                await EndBlockersAsync(backend, cancellationToken);
            }

            return await raising;
        }
        finally
        {
            // Ends the delay, and the statement where ending its blockers failed.
            await stop.CancelAsync();
            await raising.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task<(LaneProgress Progress, LogIdentity Recorded)> ExecuteAsync(
        NpgsqlConnection connection, LogIdentity identity, long logStart, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Take, connection);
        foreach (var value in new object[] { store.Migration, lane.Topic, lane.Partition, logStart, identity.ClusterId, identity.TopicId, identity.PartitionCount })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var recorded = new LogIdentity(reader.GetString(7), reader.GetString(8), reader.GetInt32(9));
        var progress = new LaneProgress(
            lane, reader.GetInt64(0), ProgressTable.Position(reader, 1), reader.GetInt64(4), await reader.GetFieldValueAsync<DateTimeOffset>(5, cancellationToken), reader.GetBoolean(6))
        {
            ClusterId = recorded.ClusterId,
        };
        return (progress, recorded);
    }

    private async Task<LaneProgress> CheckAsync(
        NpgsqlConnection connection, (LaneProgress Progress, LogIdentity Recorded) taken, LogIdentity identity, long logStart, CancellationToken cancellationToken)
    {
        var (progress, recorded) = taken;
        if (progress.Frozen)
        {
            throw Closed();
        }

        if (identity.Ephemeral && identity.ClusterId != recorded.ClusterId)
        {
            // The old log is gone with its process; the new one repeats what was not applied, and the kept position tells what was.
            await SetIdentityAsync(connection, identity, logStart, cancellationToken);
            return progress with { NextOffset = logStart, ClusterId = identity.ClusterId };
        }

        if (identity.ClusterId != recorded.ClusterId)
        {
            throw Broken("another-cluster", $"The log is cluster {identity.ClusterId}, progress was made on {recorded.ClusterId}");
        }

        if (identity.PartitionCount != recorded.PartitionCount)
        {
            throw Broken("partition-count", $"Topic {lane.Topic} has {identity.PartitionCount} partitions, it had {recorded.PartitionCount}: keys have moved between lanes");
        }

        if (identity.TopicId.Length > 0 && recorded.TopicId.Length > 0 && identity.TopicId != recorded.TopicId)
        {
            throw Broken("another-topic", $"Topic {lane.Topic} was deleted and created again: its id is {identity.TopicId}, it was {recorded.TopicId}");
        }

        if (progress.NextOffset < logStart)
        {
            throw Broken("offsets-gone", $"Records from offset {progress.NextOffset} to {logStart - 1} are gone from the log before they were applied");
        }

        if (identity.TopicId.Length > 0 && recorded.TopicId.Length == 0)
        {
            await SetIdentityAsync(connection, identity, progress.NextOffset, cancellationToken);
        }

        return progress;
    }

    private FaultException Closed() =>
        new(new Fault(FaultKind.NotAllowed, "lane-frozen", $"Lane {lane} is closed in this direction", "See 'cdcm status' for the migration's phase") { Lane = lane });

    private FaultException Broken(string code, string message)
    {
        var fault = new Fault(FaultKind.LogBroken, code, message,
            "Progress does not fit this log: give back the log that was recorded, or copy the tables again ('Starting over' in docs/cli.md)");
        return new FaultException(fault with { Lane = lane });
    }

    private async Task SetIdentityAsync(NpgsqlConnection connection, LogIdentity identity, long nextOffset, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            update cdc_migrator.progress set next_offset = $4, cluster_id = $5, topic_id = $6, partition_count = $7
            where migration = $1 and topic = $2 and partition = $3
            """, connection);
        foreach (var value in new object[] { store.Migration, lane.Topic, lane.Partition, nextOffset, identity.ClusterId, identity.TopicId, identity.PartitionCount })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task EndBlockersAsync(int backend, CancellationToken cancellationToken)
    {
        await using var connection = await store.Target.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(EndBlockers, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = backend });
        command.Parameters.Add(new NpgsqlParameter { Value = PostgresConnections.ApplicationPrefix });
        command.Parameters.Add(new NpgsqlParameter { Value = PostgresConnections.TruncateApplication });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (pid, application, state) = (reader.GetInt32(0), reader.GetString(1), reader.IsDBNull(2) ? "" : reader.GetString(2));
            if (reader.GetBoolean(3))
            {
                store.Metrics.TakenOver();
                PostgresLog.OwnerEnded(store.Log, lane, pid, application, state);
            }
            else
            {
                PostgresLog.ClaimBlocked(store.Log, lane, pid, application, state);
            }
        }
    }
}
