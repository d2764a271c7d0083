using System.Buffers;
using System.Text;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Applies a TRUNCATE that came in one of several lanes of its table (invariant A8), while other lanes may be before or behind it. In one
/// transaction: all lanes of the topic are held; every row goes whose key the source no longer has, in a snapshot that sees all the log held then;
/// the LSN below which changes were truncated away is recorded, and the other lanes are made to claim anew, so that they know it. A row that stays has
/// a newer change, applied or still to come; a row that goes is deleted by what is still to come in its lane.
/// </summary>
internal sealed class TruncateAcrossLanes(PostgresLaneStore store, PostgresLaneWriter writer, Truncations truncations, int lanes)
{
    private const int ChunkSize = 64 * 1024;

    public async Task<ApplyCounts> ApplyAsync(ChangeBatch batch, int index, CancellationToken cancellationToken)
    {
        var change = batch.Changes[index];
        var to = PostgresLaneWriter.OffsetAt(batch, index + 1);
        var highest = SourcePosition.Max(writer.HighestPosition, change.Position);
        if (truncations.Of(change.Route.Source) >= change.Position.Lsn)
        {
            await writer.CommitAsync(batch, to, null, _ => Task.FromResult(highest), cancellationToken);
            return writer.Count([], new Dictionary<TableRoute, int> { [change.Route] = 1 }, []);
        }

        await writer.CommitAsync(batch, to, HoldAsync, async session =>
        {
            await DeleteAsync(session.Connection, change, cancellationToken);
            await RecordAsync(session.Connection, change, cancellationToken);
            return highest;
        }, cancellationToken);
        truncations.Set(change.Route.Source, change.Position.Lsn);
        return writer.Count(new Dictionary<(TableRoute, ChangeOperation), int> { [(change.Route, ChangeOperation.Truncate)] = 1 }, [], []);

        Task HoldAsync(ApplySession session) => this.HoldAsync(session.Connection, cancellationToken);
    }

    /// <summary>Waits for the open transactions of all lanes and lets none begin; in the order of partitions, so that two truncates do not wait for each other.</summary>
    private async Task HoldAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, $"set local application_name = '{PostgresConnections.TruncateApplication}'", cancellationToken);
        await using var command = new NpgsqlCommand(
            "select partition from cdc_migrator.progress where migration = $1 and topic = $2 order by partition for update", connection);
        AddTopic(command);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var held = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            held++;
        }

        if (held < lanes)
        {
            var fault = new Fault(FaultKind.Transient, "lanes-unclaimed",
                $"{lanes - held} of {lanes} partitions of {writer.Lane.Topic} have never been claimed, and a TRUNCATE concerns them all", "It is retried");
            throw new FaultException(fault with { Lane = writer.Lane });
        }
    }

    private async Task DeleteAsync(NpgsqlConnection connection, Change change, CancellationToken cancellationToken)
    {
        var route = change.Route;
        var keys = (await store.Plans.GetAsync(connection, route, cancellationToken)).Keys;
        var names = string.Join(", ", keys.Select(key => key.Sql));
        await ExecuteAsync(connection, $"""
            set local statement_timeout = 0; set local enable_hashjoin = on; set local enable_seqscan = on;
            create temporary table cdcm_kept on commit drop as select {names} from {route.Target.Name.Sql} with no data
            """, cancellationToken);
        var running = await store.Source!.ReadRunningAsync(cancellationToken);
        var writing = await connection.BeginTextImportAsync($"copy pg_temp.cdcm_kept ({names}) from stdin", cancellationToken);
        try
        {
            var chunk = new ArrayBufferWriter<byte>(ChunkSize + 4096);
            await foreach (var key in store.Source.ReadKeysAsync(route, [.. running, change.Position.TransactionId], cancellationToken))
            {
                for (var i = 0; i < key.Length; i++)
                {
                    CopyText.WriteValue(Encoding.UTF8.GetBytes(key[i]), chunk);
                    chunk.Write(i < key.Length - 1 ? "\t"u8 : "\n"u8);
                }

                if (chunk.WrittenCount >= ChunkSize)
                {
                    await ((StreamWriter)writing).BaseStream.WriteAsync(chunk.WrittenMemory, cancellationToken);
                    chunk.ResetWrittenCount();
                }
            }

            await ((StreamWriter)writing).BaseStream.WriteAsync(chunk.WrittenMemory, cancellationToken);
        }
        catch
        {
            await writing.CancelAsync();
            throw;
        }

        await writing.DisposeAsync();
        var same = string.Join(" and ", keys.Select(key => key.Exact ? $"k.{key.Sql} {key.Equality} t.{key.Sql}"
            : $"k.{key.Sql} {key.Equality} t.{key.Sql} and k.{key.Sql}::text collate pg_catalog.\"C\" = t.{key.Sql}::text collate pg_catalog.\"C\""));
        await ExecuteAsync(connection, $"delete from {route.Target.Name.Sql} as t where not exists (select from pg_temp.cdcm_kept as k where {same})", cancellationToken);
    }

    private async Task RecordAsync(NpgsqlConnection connection, Change change, CancellationToken cancellationToken)
    {
        await using (var command = new NpgsqlCommand("""
            insert into cdc_migrator.truncation as t (migration, topic, source_table, lsn) values ($1, $2, $3, $4)
            on conflict (migration, topic, source_table) do update set lsn = greatest(t.lsn, excluded.lsn)
            """, connection))
        {
            AddTopic(command);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = change.Route.Source.Sql });
            command.Parameters.Add(new NpgsqlParameter<NpgsqlLogSequenceNumber> { TypedValue = new(change.Position.Lsn), NpgsqlDbType = NpgsqlDbType.PgLsn });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var fence = new NpgsqlCommand("update cdc_migrator.progress set epoch = epoch + 1 where migration = $1 and topic = $2 and partition <> $3", connection);
        AddTopic(fence);
        fence.Parameters.Add(new NpgsqlParameter<int> { TypedValue = writer.Lane.Partition });
        await fence.ExecuteNonQueryAsync(cancellationToken);
    }

    private void AddTopic(NpgsqlCommand command)
    {
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = store.Migration });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = writer.Lane.Topic });
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
