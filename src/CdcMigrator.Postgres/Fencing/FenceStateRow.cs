using CdcMigrator.Domain.Fencing;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>The row that says how a side stands, <c>cdc_migrator.fence_state</c>, and the journal that keeps what changed it.</summary>
/// <param name="database">The side.</param>
/// <param name="migration">Name of the migration.</param>
/// <param name="actor">Who acts, for the journal.</param>
internal sealed class FenceStateRow(NpgsqlDataSource database, string migration, string actor)
{
    /// <summary>Of the row <c>f</c>; a side whose control schema is older has no such column, and was not ended.</summary>
    public const string CompletedAt = "to_jsonb(f) ->> 'completed_at'";

    /// <summary>The row; null before the side was prepared.</summary>
    public async Task<FenceRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Asked every second: a side without the table must not fill its server's log with errors.
            await using (var exists = database.CreateCommand("select exists (select from pg_attribute where attrelid = to_regclass('cdc_migrator.fence_state') and attname = 'routed')"))
            {
                if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
                {
                    return null;
                }
            }

            await using var command = database.CreateCommand(
                $"""
                select state, epoch, token, case when lease_until = '-infinity' then interval '0' else lease_until - clock_timestamp() end, routed, clock_timestamp() - changed_at,
                    ({CompletedAt})::timestamptz, to_jsonb(f) ->> 'completed_by',
                    coalesce(to_jsonb(f) ->> 'held', ''), coalesce((to_jsonb(f) ->> 'held_epoch')::bigint, 0),
                    coalesce(to_jsonb(f) ->> 'held' <> '' and (to_jsonb(f) ->> 'held_until')::timestamptz < clock_timestamp(), false),
                    coalesce(state = 'sealed' and (to_jsonb(f) ->> 'no_return')::boolean, false)
                from cdc_migrator.fence_state f where migration = $1
                """);
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken)
                ? new FenceRecord(Enum.Parse<FenceState>(reader.GetString(0), ignoreCase: true), reader.GetInt64(1), reader.GetString(2), reader.GetFieldValue<TimeSpan>(3))
                {
                    Routed = reader.GetString(4),
                    Age = reader.GetFieldValue<TimeSpan>(5),
                    CompletedAt = await reader.IsDBNullAsync(6, cancellationToken) ? null : new DateTimeOffset(reader.GetDateTime(6), TimeSpan.Zero),
                    CompletedBy = await reader.IsDBNullAsync(7, cancellationToken) ? null : reader.GetString(7),
                    Held = reader.GetString(8),
                    HeldEpoch = reader.GetInt64(9),
                    IsHoldOver = reader.GetBoolean(10),
                    NoReturn = reader.GetBoolean(11),
                }
                : null;
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Waits for whoever changes the row: a COMMIT that is on its way is not seen by a statement that began before it, which would find nothing to change and wait for nothing.</summary>
    public async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select from cdc_migrator.fence_state where migration = $1 for update", connection) { Parameters = { new NpgsqlParameter { Value = migration } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Leaves a row that is there as it is.</summary>
    public async Task InsertAsync(FenceState state, long epoch, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await InsertAsync(connection, state, epoch, cancellationToken);
    }

    /// <summary>
    /// False where there is a row: then neither it nor the fence is touched. The rows of other migrations are written anew with it: a transaction whose snapshot is older sees those alone, and must not pass because they
    /// say open (<see cref="FenceTriggers"/>).
    /// </summary>
    public async Task<bool> InsertAsync(NpgsqlConnection connection, FenceState state, long epoch, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            with new as (insert into cdc_migrator.fence_state (migration, state, epoch) values ($1, $2, $3) on conflict do nothing returning migration),
            others as (update cdc_migrator.fence_state f set epoch = f.epoch from new where f.migration <> new.migration)
            select count(*) from new
            """, connection)
        {
            Parameters =
            {
                new NpgsqlParameter { Value = migration },
                new NpgsqlParameter { Value = state.ToString().ToLowerInvariant() },
                new NpgsqlParameter { Value = epoch },
            },
        };
        return await command.ExecuteScalarAsync(cancellationToken) is 1L;
    }

    /// <summary>Keeps what an attempt did up to its seal, in the transaction that seals: whoever asks finds it though its process dies on the next line.</summary>
    public async Task NoteSealedAsync(NpgsqlConnection connection, SealedReport report, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("insert into cdc_migrator.journal (migration, actor, event, evidence) values ($1, $2, 'cutover-sealed', $3::jsonb)", connection);
        foreach (var value in new[] { migration, report.Actor, report.Evidence })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Changes the row and, in the same transaction, notes it in the side's journal.</summary>
    public async Task<bool> ChangeAsync(NpgsqlConnection connection, string? noted, string change, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(
            $"""
            with changed as (update cdc_migrator.fence_state f set changed_at = clock_timestamp(), {change} returning *),
            noted as (insert into cdc_migrator.journal (migration, actor, event, evidence)
                select migration, ${values.Length + 2}, ${values.Length + 3}, jsonb_build_object('token', token, 'epoch', epoch, 'lease_until', lease_until) from changed where ${values.Length + 3} <> '')
            select count(*) from changed
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        command.Parameters.Add(new NpgsqlParameter { Value = actor });
        command.Parameters.Add(new NpgsqlParameter { Value = noted ?? "" });
        return await command.ExecuteScalarAsync(cancellationToken) is 1L;
    }
}
