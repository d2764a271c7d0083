using System.Runtime.InteropServices;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Applies changes of a table without a key, in their order, one physical row a change (invariant A8), in one transaction with progress and with
/// what tells repeats. Where a row is refused the changes go by halves, so that what precedes it is committed and the change is named.
/// </summary>
/// <param name="store">Where to write.</param>
/// <param name="writer">The lane's writer.</param>
/// <param name="logRun">The log's life, where records do not name the connector's; 0 elsewhere.</param>
internal sealed class KeylessApply(PostgresLaneStore store, PostgresLaneWriter writer, ulong logRun)
{
    private const int MostCommands = 200;

    /// <summary>Transactions remembered a lane: a connector repeats what its last offsets do not cover, seconds or at worst minutes.</summary>
    private const int Remembered = 100_000;
    private const int PruneEvery = 1000;

    private readonly Dictionary<TableRoute, KeylessSql> statements = [];
    private int commits;

    public async Task<ApplyCounts> ApplyAsync(ChangeBatch batch, int start, int end, CancellationToken cancellationToken)
    {
        try
        {
            return await ApplyWholeAsync(batch, start, end, cancellationToken);
        }
        catch (Exception exception) when (end - start > 1 && (exception is RowConflictException or FaultException { Fault.Kind: FaultKind.Poison }
            || (exception is PostgresException error && PostgresFaults.IsRowError(error))))
        {
            var middle = start + ((end - start) / 2);
            var first = await ApplyAsync(batch, start, middle, cancellationToken);
            return first + await ApplyAsync(batch, middle, end, cancellationToken);
        }
        catch (RowConflictException exception)
        {
            throw Fault(batch, start, new Fault(FaultKind.Poison, "keyless-row-missing", exception.Message, "Compare the table on both sides; copy it again if rows are missing"), exception);
        }
        catch (PostgresException exception) when (PostgresFaults.IsRowError(exception))
        {
            throw Fault(batch, start, PostgresFaults.Classify(exception), exception);
        }
        catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Poison)
        {
            throw Fault(batch, start, exception.Fault, exception);
        }
    }

    private async Task<ApplyCounts> ApplyWholeAsync(ChangeBatch batch, int start, int end, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<(TableRoute, ChangeOperation), int>();
        var replays = new Dictionary<TableRoute, int>();
        await writer.CommitAsync(batch, PostgresLaneWriter.OffsetAt(batch, end), null, async session =>
        {
            var memory = await RecallAsync(session.Connection, batch, start, end, cancellationToken);
            var wanted = new List<int>();
            for (var i = start; i < end; i++)
            {
                var change = batch.Changes[i];
                if (memory.IsReplay(change, RunOf(change)))
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(replays, change.Route, out _)++;
                }
                else
                {
                    wanted.Add(i);
                    CollectionsMarshal.GetValueRefOrAddDefault(counts, (change.Route, change.Operation), out _)++;
                }
            }

            await WriteAsync(session.Connection, batch, wanted, cancellationToken);
            await RememberAsync(session.Connection, memory, cancellationToken);
            return memory.Highest;
        }, cancellationToken);
        commits++;
        return writer.Count(counts, replays, []);
    }

    private ulong RunOf(in Change change) => change.Run != 0 ? change.Run : logRun;

    private async Task WriteAsync(NpgsqlConnection connection, ChangeBatch batch, List<int> changes, CancellationToken cancellationToken)
    {
        await using var commands = new NpgsqlBatch(connection);
        var expected = new List<(int Rows, TableRoute Route)>();
        for (var next = 0; next < changes.Count;)
        {
            var change = batch.Changes[changes[next]];
            var sql = await StatementsAsync(connection, change.Route, cancellationToken);
            var from = next++;
            switch (change.Operation)
            {
                case ChangeOperation.Truncate:
                    commands.BatchCommands.Add(new NpgsqlBatchCommand("select pg_catalog.set_config('statement_timeout', '0', true)"));
                    expected.Add((-1, change.Route));
                    commands.BatchCommands.Add(sql.Truncate());
                    expected.Add((-1, change.Route));
                    break;
                case ChangeOperation.Delete:
                    commands.BatchCommands.Add(sql.Delete(batch, batch.Slots(change)));
                    expected.Add((1, change.Route));
                    break;
                case ChangeOperation.Update:
                    commands.BatchCommands.Add(sql.Update(batch, batch.Before(change), batch.Slots(change)));
                    expected.Add((1, change.Route));
                    break;
                default:
                    var columns = sql.Carried(batch.Slots(change));
                    while (next < changes.Count && batch.Changes[changes[next]] is { Operation: ChangeOperation.Insert or ChangeOperation.SnapshotRow } other
                        && other.Route == change.Route && sql.Carried(batch.Slots(other)).AsSpan().SequenceEqual(columns))
                    {
                        next++;
                    }

                    commands.BatchCommands.Add(sql.Insert(batch, changes[from..next], columns));
                    expected.Add((next - from, change.Route));
                    break;
            }

            if (commands.BatchCommands.Count >= MostCommands)
            {
                await FlushAsync(commands, expected, cancellationToken);
            }
        }

        await FlushAsync(commands, expected, cancellationToken);
    }

    private static async Task FlushAsync(NpgsqlBatch commands, List<(int Rows, TableRoute Route)> expected, CancellationToken cancellationToken)
    {
        if (expected.Count == 0)
        {
            return;
        }

        await commands.ExecuteNonQueryAsync(cancellationToken);
        for (var i = 0; i < expected.Count; i++)
        {
            if (expected[i].Rows >= 0 && commands.BatchCommands[i].RecordsAffected != expected[i].Rows)
            {
                throw new RowConflictException($"The target's {expected[i].Route.Target.Name} has no row equal to the one that was changed in the source");
            }
        }

        commands.BatchCommands.Clear();
        expected.Clear();
    }

    private async ValueTask<KeylessSql> StatementsAsync(NpgsqlConnection connection, TableRoute route, CancellationToken cancellationToken)
    {
        if (!statements.TryGetValue(route, out var sql))
        {
            statements[route] = sql = await KeylessSql.ReadAsync(connection, route, cancellationToken);
        }

        return sql;
    }

    private async Task<KeylessMemory> RecallAsync(NpgsqlConnection connection, ChangeBatch batch, int start, int end, CancellationToken cancellationToken)
    {
        var memory = new KeylessMemory(writer.Guard, snapshotsReplace: logRun != 0);
        var transactions = new HashSet<long>();
        for (var i = start; i < end; i++)
        {
            transactions.Add(batch.Changes[i].Position.TransactionId);
        }

        await using var command = new NpgsqlCommand("""
            select null, lsn, run, null, null from cdc_migrator.keyless_snapshot where migration = $1 and topic = $2 and partition = $3
            union all
            select xid, lsn, run, seen, applied from cdc_migrator.keyless_transaction where migration = $1 and topic = $2 and partition = $3 and xid = any($4)
            """, connection);
        AddLane(command);
        command.Parameters.Add(new NpgsqlParameter { Value = transactions.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (lsn, run) = ((ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(1), unchecked((ulong)reader.GetInt64(2)));
            if (await reader.IsDBNullAsync(0, cancellationToken))
            {
                memory.Snapshot = (lsn, run);
            }
            else
            {
                memory.Transactions[(uint)reader.GetInt64(0)] = new KeylessTransaction(lsn, run, reader.GetInt32(3), reader.GetInt32(4));
            }
        }

        await reader.DisposeAsync();
        if (MayBeginWithinLsn(memory, batch, start, end))
        {
            await RecallRunsAsync(connection, memory, batch, start, end, cancellationToken);
        }

        memory.Forgets = MayBeForgotten(memory, batch, start, end) && await IsFullAsync(connection, cancellationToken);
        return memory;
    }

    /// <summary>Whether a change that is not known seems to lie before others that were applied: it is new, or so old that it was forgotten.</summary>
    private static bool MayBeForgotten(KeylessMemory memory, ChangeBatch batch, int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            var change = batch.Changes[i];
            if (change.Operation != ChangeOperation.SnapshotRow && change.Position.IsReplayOf(memory.Highest) && !memory.Transactions.ContainsKey(change.Position.TransactionId))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a run that the lane may not have met sends something of a transaction it knows.</summary>
    private bool MayBeginWithinLsn(KeylessMemory memory, ChangeBatch batch, int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            var change = batch.Changes[i];
            if (change.RunMayBeginWithinLsn && memory.Transactions.TryGetValue(change.Position.TransactionId, out var transaction) && transaction.Run != RunOf(change))
            {
                return true;
            }
        }

        return false;
    }

    private async Task RecallRunsAsync(NpgsqlConnection connection, KeylessMemory memory, ChangeBatch batch, int start, int end, CancellationToken cancellationToken)
    {
        var runs = new HashSet<long>();
        for (var i = start; i < end; i++)
        {
            runs.Add(unchecked((long)RunOf(batch.Changes[i])));
        }

        await using var command = new NpgsqlCommand("""
            select (select xid from cdc_migrator.keyless_transaction where migration = $1 and topic = $2 and partition = $3 order by id desc limit 1),
                array(select distinct run from cdc_migrator.keyless_transaction where migration = $1 and topic = $2 and partition = $3 and run = any($4))
            """, connection);
        AddLane(command);
        command.Parameters.Add(new NpgsqlParameter { Value = runs.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        memory.Newest = (uint)reader.GetInt64(0);
        memory.Runs.UnionWith(reader.GetFieldValue<long[]>(1).Select(run => unchecked((ulong)run)));
    }

    private async Task<bool> IsFullAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select count(*) >= $4 from cdc_migrator.keyless_transaction where migration = $1 and topic = $2 and partition = $3", connection);
        AddLane(command);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Remembered });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private async Task RememberAsync(NpgsqlConnection connection, KeylessMemory memory, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            with s as (
                insert into cdc_migrator.keyless_snapshot (migration, topic, partition, lsn, run) select $1, $2, $3, $4, $5 where $4 is not null
                on conflict (migration, topic, partition) do update set lsn = excluded.lsn, run = excluded.run)
            insert into cdc_migrator.keyless_transaction (migration, topic, partition, xid, lsn, run, seen, applied)
            select $1, $2, $3, t.xid, t.lsn, t.run, t.seen, t.applied from unnest($6::bigint[], $7::text[]::pg_lsn[], $8::bigint[], $9::int[], $10::int[]) as t(xid, lsn, run, seen, applied)
            on conflict (migration, topic, partition, xid) do update set lsn = excluded.lsn, run = excluded.run, seen = excluded.seen, applied = excluded.applied
            """, connection);
        AddLane(command);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = memory.Snapshot is { } taken ? new NpgsqlLogSequenceNumber(taken.Lsn) : DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.PgLsn,
        });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = unchecked((long)(memory.Snapshot?.Run ?? 0)) });
        var transactions = memory.Transactions.ToList();
        command.Parameters.Add(new NpgsqlParameter { Value = transactions.Select(pair => (long)pair.Key).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = transactions.Select(pair => SourcePosition.Format(pair.Value.Lsn)).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = transactions.Select(pair => unchecked((long)pair.Value.Run)).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = transactions.Select(pair => pair.Value.Seen).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = transactions.Select(pair => pair.Value.Applied).ToArray() });
        await command.ExecuteNonQueryAsync(cancellationToken);
        if (commits % PruneEvery == PruneEvery - 1)
        {
            await PruneAsync(connection, cancellationToken);
        }
    }

    private async Task PruneAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            delete from cdc_migrator.keyless_transaction where migration = $1 and topic = $2 and partition = $3 and id < (
                select id from cdc_migrator.keyless_transaction where migration = $1 and topic = $2 and partition = $3 order by id desc offset $4 limit 1)
            """, connection);
        AddLane(command);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Remembered });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private void AddLane(NpgsqlCommand command)
    {
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = store.Migration });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = writer.Lane.Topic });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = writer.Lane.Partition });
    }

    private static FaultException Fault(ChangeBatch batch, int index, Fault fault, Exception cause) => new(RowFaults.Of(batch, batch.Changes[index], fault), cause);
}
