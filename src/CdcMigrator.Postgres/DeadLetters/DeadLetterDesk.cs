using System.Text.Json;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>
/// Lists, applies and discards the dead letters of a migration, whichever process owns their lanes. Freeing a row takes the lane's progress
/// row and raises its epoch in the same transaction: a batch of the owner is either before that, or fails and its lane is claimed
/// again, with the rows parked as they are then. So no change of the row can pass its dead letters, and none is parked behind nothing. Thread-safe.
/// </summary>
/// <param name="store">Sessions and plans to apply with.</param>
/// <param name="control">Sessions to read with.</param>
public sealed class DeadLetterDesk(PostgresLaneStore store, NpgsqlDataSource control)
{
    private const int Attempts = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private const string Columns = "id, topic, partition, record_offset, table_name, row_key, code, message, bytes, parked_at";
    private const string WithRecord = Columns + ", record_ms, record_key, record_value, headers::text";

    /// <summary>Dead letters by source table; empty where there are none.</summary>
    /// <exception cref="FaultException">Unreachable, Transient: not known.</exception>
    public Task<IReadOnlyDictionary<string, long>> CountAsync(CancellationToken cancellationToken) => ReadingAsync(async () =>
    {
        await using var command = control.CreateCommand("select table_name, count(*) from cdc_migrator.dead_letter where migration = $1 group by 1");
        command.Parameters.Add(new NpgsqlParameter { Value = store.Migration });
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            counts.Add(reader.GetString(0), reader.GetInt64(1));
        }

        return (IReadOnlyDictionary<string, long>)counts;
    });

    /// <summary>Those chosen, oldest first, without their records; at most so many.</summary>
    /// <exception cref="FaultException">Unreachable, Transient.</exception>
    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterChoice choice, int most, CancellationToken cancellationToken) => ReadingAsync(async () =>
    {
        ArgumentNullException.ThrowIfNull(choice);
        await using var command = control.CreateCommand($"select {Columns} from cdc_migrator.dead_letter where {DeadLetterChoice.Condition} order by id limit $5");
        choice.AddTo(command, store.Migration);
        command.Parameters.Add(new NpgsqlParameter { Value = most });
        return await ReadAsync(command, withRecord: false, cancellationToken);
    });

    /// <summary>One with its record; null where there is none of that id.</summary>
    /// <exception cref="FaultException">Unreachable, Transient.</exception>
    public Task<DeadLetter?> FindAsync(long id, CancellationToken cancellationToken) => ReadingAsync(async () =>
    {
        await using var command = control.CreateCommand($"select {WithRecord} from cdc_migrator.dead_letter where {DeadLetterChoice.Condition}");
        new DeadLetterChoice(id).AddTo(command, store.Migration);
        return (await ReadAsync(command, withRecord: true, cancellationToken)).SingleOrDefault();
    });

    /// <summary>The rows whose dead letters are chosen, in the order of their first ones.</summary>
    /// <exception cref="FaultException">Unreachable, Transient.</exception>
    public Task<IReadOnlyList<ParkedRow>> RowsAsync(DeadLetterChoice choice, CancellationToken cancellationToken) => ReadingAsync(async () =>
    {
        ArgumentNullException.ThrowIfNull(choice);
        await using var command = control.CreateCommand($"""
            select topic, partition, table_name, row_key, count(*), min(id) from cdc_migrator.dead_letter where {DeadLetterChoice.Condition} group by 1, 2, 3, 4 order by 6
            """);
        choice.AddTo(command, store.Migration);
        var rows = new List<ParkedRow>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new ParkedRow(new LaneId(reader.GetString(0), reader.GetInt32(1)), new ChangeKey(reader.GetString(2), reader.GetString(3)), reader.GetInt64(4), reader.GetInt64(5)));
        }

        return (IReadOnlyList<ParkedRow>)rows;
    });

    /// <summary>Records of a row's dead letters, in their order.</summary>
    /// <exception cref="FaultException">Unreachable, Transient.</exception>
    public Task<IReadOnlyList<DeadLetter>> LettersAsync(ParkedRow row, CancellationToken cancellationToken) => ReadingAsync(async () =>
    {
        ArgumentNullException.ThrowIfNull(row);
        await using var connection = await control.OpenConnectionAsync(cancellationToken);
        return await LettersAsync(connection, row, "", cancellationToken);
    });

    /// <summary>
    /// Applies all dead letters of a row in their order and removes them, in one transaction; effectively once. What cannot be applied stays
    /// as it is, with the new cause. May be repeated, by several processes at once.
    /// </summary>
    /// <param name="row">The row.</param>
    /// <param name="decoder">Decodes its records; their schemas are loaded.</param>
    /// <param name="actor">Who asked for it, for the journal.</param>
    /// <param name="cancellationToken">Stops it; what was committed stays.</param>
    /// <exception cref="FaultException">NotAllowed: the lane is frozen. Unreachable, Transient: nothing was changed, try again.</exception>
    public async Task<RetryOutcome> RetryAsync(ParkedRow row, IRecordDecoder decoder, string actor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(row);
        return await InTransactionAsync(async session =>
        {
            if (await TakeLaneAsync(session.Connection, row.Lane, cancellationToken))
            {
                throw new FaultException(new Fault(FaultKind.NotAllowed, "lane-frozen", $"Lane {row.Lane} is closed in this direction", "See 'cdcm status' for the migration's phase") { Lane = row.Lane });
            }

            var letters = await LettersAsync(session.Connection, row, " for update", cancellationToken);
            if (letters.Count == 0)
            {
                return new RetryOutcome(0, null);
            }

            var fault = await new LetterRetry(store, session, LetterDecoding.Of(letters, decoder)).ApplyAsync(cancellationToken);
            if (fault is not null)
            {
                await NoteCauseAsync(session.Connection, letters[0], fault, cancellationToken);
                return new RetryOutcome(0, fault);
            }

            await RemoveAsync(session.Connection, letters, "dead-letters-applied", actor, cancellationToken);
            return new RetryOutcome(letters.Count, null);
        }, cancellationToken);
    }

    /// <summary>Removes dead letters without applying them; journaled. A row that has none left is free again, and differs from the source until it is repaired.</summary>
    /// <returns>Those removed.</returns>
    /// <exception cref="FaultException">Unreachable, Transient: nothing was changed, try again.</exception>
    public async Task<IReadOnlyList<DeadLetter>> DiscardAsync(DeadLetterChoice choice, string actor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(choice);
        var discarded = new List<DeadLetter>();
        foreach (var lane in (await RowsAsync(choice, cancellationToken)).Select(row => row.Lane).Distinct())
        {
            discarded.AddRange(await InTransactionAsync(async session =>
            {
                await TakeLaneAsync(session.Connection, lane, cancellationToken);
                await using var command = new NpgsqlCommand($"""
                    select {Columns} from cdc_migrator.dead_letter where {DeadLetterChoice.Condition} and topic = $5 and partition = $6 order by id for update
                    """, session.Connection);
                choice.AddTo(command, store.Migration);
                command.Parameters.Add(new NpgsqlParameter { Value = lane.Topic });
                command.Parameters.Add(new NpgsqlParameter { Value = lane.Partition });
                var letters = await ReadAsync(command, withRecord: false, cancellationToken);
                await RemoveAsync(session.Connection, letters, "dead-letters-discarded", actor, cancellationToken);
                await NoteFirstAsync(session.Connection, lane, cancellationToken);
                return letters;
            }, cancellationToken));
        }

        return discarded;
    }

    /// <summary>Shuts the lane's owner out, after its transaction in flight. Returns whether the lane is frozen.</summary>
    private async Task<bool> TakeLaneAsync(NpgsqlConnection connection, LaneId lane, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            update cdc_migrator.progress set epoch = epoch + 1, updated_at = pg_catalog.clock_timestamp()
            where migration = $1 and topic = $2 and partition = $3 returning frozen
            """, connection)
        {
            Parameters = { new NpgsqlParameter { Value = store.Migration }, new NpgsqlParameter { Value = lane.Topic }, new NpgsqlParameter { Value = lane.Partition } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private async Task<IReadOnlyList<DeadLetter>> LettersAsync(NpgsqlConnection connection, ParkedRow row, string locking, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            select {WithRecord} from cdc_migrator.dead_letter
            where migration = $1 and topic = $2 and partition = $3 and table_name = $4 and row_key = $5 order by id{locking}
            """, connection);
        foreach (var value in new object[] { store.Migration, row.Lane.Topic, row.Lane.Partition, row.Key.Table, row.Key.Key })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await ReadAsync(command, withRecord: true, cancellationToken);
    }

    private async Task RemoveAsync(NpgsqlConnection connection, IReadOnlyList<DeadLetter> letters, string happened, string actor, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            with gone as (delete from cdc_migrator.dead_letter where id = any($1))
            insert into cdc_migrator.journal (migration, actor, event, evidence) select $2, $3, $4, $5 where pg_catalog.cardinality($1) > 0
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = letters.Select(letter => letter.Id).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = store.Migration });
        command.Parameters.Add(new NpgsqlParameter { Value = DeadLetterTable.Text(actor) });
        command.Parameters.Add(new NpgsqlParameter { Value = happened });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = JsonSerializer.Serialize(letters.Select(letter => new
            {
                id = letter.Id,
                table = letter.Key.Table,
                key = letter.Key.Key,
                topic = letter.Lane.Topic,
                partition = letter.Lane.Partition,
                offset = letter.Offset,
                code = letter.Code,
            })),
            NpgsqlDbType = NpgsqlDbType.Jsonb,
        });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task NoteCauseAsync(NpgsqlConnection connection, DeadLetter first, Fault fault, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("update cdc_migrator.dead_letter set code = $2, message = $3 where id = $1", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = first.Id });
        command.Parameters.Add(new NpgsqlParameter { Value = fault.Code });
        command.Parameters.Add(new NpgsqlParameter { Value = DeadLetterTable.Text(fault.Message) });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What waited behind a discarded dead letter waits for nothing but a retry now.</summary>
    private async Task NoteFirstAsync(NpgsqlConnection connection, LaneId lane, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            update cdc_migrator.dead_letter as d set message = 'An earlier change of the row was discarded; this one waits to be retried'
            where d.migration = $1 and d.topic = $2 and d.partition = $3 and d.code = $4 and not exists (
                select from cdc_migrator.dead_letter as e
                where e.migration = d.migration and e.topic = d.topic and e.partition = d.partition and e.table_name = d.table_name and e.row_key = d.row_key and e.id < d.id)
            """, connection);
        foreach (var value in new object[] { store.Migration, lane.Topic, lane.Partition, ParkedRecord.Behind })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<T> InTransactionAsync<T>(Func<ApplySession, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var session = await TakeSessionAsync(cancellationToken);
            var sound = false;
            try
            {
                await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
                await using (var patience = new NpgsqlCommand("set local lock_timeout = '30s'", session.Connection))
                {
                    await patience.ExecuteNonQueryAsync(cancellationToken);
                }

                var result = await work(session);
                await transaction.CommitAsync(cancellationToken);
                sound = true;
                return result;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                var fault = PostgresFaults.ToException(exception);
                if (fault.Fault.Kind != FaultKind.Transient || attempt == Attempts)
                {
                    throw fault;
                }
            }
            finally
            {
                await (sound ? store.Sessions.ReturnAsync(session) : ApplySessions.DiscardAsync(session));
            }

            await Task.Delay(Pause * attempt, store.Time, cancellationToken);
        }
    }

    private Task<ApplySession> TakeSessionAsync(CancellationToken cancellationToken) => ReadingAsync(() => store.Sessions.TakeAsync(cancellationToken));

    private static async Task<T> ReadingAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private static async Task<IReadOnlyList<DeadLetter>> ReadAsync(NpgsqlCommand command, bool withRecord, CancellationToken cancellationToken)
    {
        var letters = new List<DeadLetter>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var lane = new LaneId(reader.GetString(1), reader.GetInt32(2));
            var letter = new DeadLetter(
                reader.GetInt64(0), lane, reader.GetInt64(3), new ChangeKey(reader.GetString(4), reader.GetString(5)),
                reader.GetString(6), reader.GetString(7), reader.GetInt64(8), await reader.GetFieldValueAsync<DateTimeOffset>(9, cancellationToken));
            letters.Add(withRecord
                ? letter with
                {
                    Record = DeadLetterTable.ReadRecord(lane, letter.Offset, reader.GetInt64(10),
                        await reader.IsDBNullAsync(11, cancellationToken) ? null : reader.GetFieldValue<byte[]>(11),
                        await reader.IsDBNullAsync(12, cancellationToken) ? null : reader.GetFieldValue<byte[]>(12),
                        reader.GetString(13)),
                }
                : letter);
        }

        return letters;
    }
}
