using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Resync;

/// <summary>Rows of <c>cdc_migrator.resync</c>, and the signal rows of the source. Every step may be repeated after a crash. Thread-safe.</summary>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class ResyncStore(NpgsqlDataSource target, string migration)
{
    private const string Request = """
        with asked as (
            insert into cdc_migrator.resync (migration, source_table, signal_id) select $1, n, gen_random_uuid()::text from unnest($2::text[]) n
            on conflict (migration, source_table) do update set signal_id = excluded.signal_id, phase = 'requested', marker = null, marker_lsn = null, removed = 0, fault = null,
                requested_at = clock_timestamp(), updated_at = clock_timestamp()
            returning source_table)
        insert into cdc_migrator.journal (migration, actor, event, evidence) select $1, $3, 'resync-requested', jsonb_build_object('tables', jsonb_agg(source_table)) from asked
        """;

    /// <summary>All of them, by table.</summary>
    public Task<IReadOnlyList<ResyncState>> ReadAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var command = target.CreateCommand("""
            select source_table, signal_id, phase, marker, coalesce((marker_lsn - '0/0'::pg_lsn)::bigint, 0), removed, fault, requested_at, updated_at
            from cdc_migrator.resync where migration = $1 order by source_table
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var states = new List<ResyncState>();
        while (await reader.ReadAsync(cancellationToken))
        {
            states.Add(new ResyncState(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetString(3), (ulong)reader.GetInt64(4),
                reader.GetInt64(5), await reader.IsDBNullAsync(6, cancellationToken) ? null : reader.GetString(6), await reader.GetFieldValueAsync<DateTimeOffset>(7, cancellationToken),
                await reader.GetFieldValueAsync<DateTimeOffset>(8, cancellationToken)));
        }

        return (IReadOnlyList<ResyncState>)states;
    });

    /// <summary>Asks for tables to be copied, all or none; one that is being copied begins again. Noted in the journal.</summary>
    /// <param name="tables">Source tables.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    /// <exception cref="FaultException">NotAllowed <c>side-in-use</c>: applications write to the target.</exception>
    public Task RequestAsync(IReadOnlyCollection<TableName> tables, string actor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tables);
        return RunAsync(async () =>
        {
            await using var connection = await target.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await AppliedSide.RequireAsync(connection, migration, "copying tables again", cancellationToken);
            await using var command = new NpgsqlCommand(Request, connection);
            foreach (var value in new object[] { migration, tables.Select(table => table.ToString()).ToArray(), actor })
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            await command.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return true;
        });
    }

    /// <summary>
    /// Whether dead letters of the table were given up since it was asked for: what was copied of their rows may have been among them.
    /// </summary>
    public Task<bool> HasDiscardedAsync(ResyncState state, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        return RunAsync(async () =>
        {
            await using var command = target.CreateCommand("""
                select exists (select from cdc_migrator.journal as j join cdc_migrator.resync as r on r.migration = j.migration and r.source_table = $2
                    where j.migration = $1 and j.event = 'dead-letters-discarded' and j.at >= r.requested_at and j.evidence @> jsonb_build_array(jsonb_build_object('table', $2)))
                """);
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            command.Parameters.Add(new NpgsqlParameter { Value = state.Table });
            return await command.ExecuteScalarAsync(cancellationToken) is true;
        });
    }

    /// <summary>Tells the connector: once, whatever happens in between.</summary>
    /// <param name="source">The source.</param>
    /// <param name="state">What was asked for.</param>
    /// <param name="pattern">Regular expression that matches the table's name alone, as Debezium's lists have it.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    public static Task SignalAsync(NpgsqlDataSource source, ResyncState state, string pattern, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(state);
        return RunAsync(async () =>
        {
            await using var command = source.CreateCommand("""
                insert into cdc_migrator.signal (id, type, data)
                values ($1, 'execute-snapshot', jsonb_build_object('data-collections', jsonb_build_array($2::text), 'type', 'INCREMENTAL')::text) on conflict do nothing
                """);
            command.Parameters.Add(new NpgsqlParameter { Value = state.SignalId });
            command.Parameters.Add(new NpgsqlParameter { Value = pattern });
            return await command.ExecuteNonQueryAsync(cancellationToken);
        });
    }

    /// <summary>Notes why a step cannot be done now; the next turn tries it again.</summary>
    public Task NoteAsync(ResyncState state, string fault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        return ExecuteAsync(
            "update cdc_migrator.resync set fault = $4 where migration = $1 and source_table = $2 and signal_id = $3 and fault is distinct from $4", cancellationToken, state.Table, state.SignalId, fault);
    }

    /// <summary>Moves on, unless the table was asked for anew meanwhile.</summary>
    public Task MoveAsync(ResyncState state, string phase, string? marker, ulong markerLsn, long removed, string? fault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        return ExecuteAsync("""
            with moved as (
                update cdc_migrator.resync set phase = $4, marker = nullif($5, ''), marker_lsn = $6::pg_lsn, removed = $7, fault = nullif($8, ''), updated_at = clock_timestamp()
                where migration = $1 and source_table = $2 and signal_id = $3 returning *)
            insert into cdc_migrator.journal (migration, actor, event, evidence)
            select $1, 'resync', 'resync-' || phase, jsonb_build_object('table', source_table, 'removed', removed, 'fault', fault) from moved where phase in ('done', 'failed')
            """, cancellationToken, state.Table, state.SignalId, phase, marker ?? "", SourcePosition.Format(markerLsn), removed, fault ?? "");
    }

    private Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values) => RunAsync(async () =>
    {
        await using var command = target.CreateCommand(sql);
        foreach (var value in values.Prepend(migration))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteNonQueryAsync(cancellationToken);
    });

    private static async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
