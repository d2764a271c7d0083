using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Control;

/// <summary>
/// Pulses: numbers written to the source's fence table, one after the other, each only after the one before was met in the log. A slot that
/// confirmed a pulse whose row never arrives was made again behind it: what lies between is in no log (invariant A2). Kept in
/// the target, so that any process goes on where another ended. Thread-safe.
/// </summary>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class PulseStore(NpgsqlDataSource target, string migration)
{
    /// <summary>Id of the fence row that carries the pulses.</summary>
    public string RowId { get; } = $"pulse:{migration}";

    /// <summary>What is recorded; null before <see cref="BeginAsync"/>.</summary>
    /// <exception cref="FaultException">The target does not answer, or refuses.</exception>
    public Task<PulseState?> ReadAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var command = target.CreateCommand("""
            select slot, pulse, (pulse_lsn - '0/0'::pg_lsn)::bigint, extract(epoch from clock_timestamp() - pulsed_at)::float8, seen, broken, reader, reader_since, reader_xid
            from cdc_migrator.source_slot where migration = $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new PulseState(
                reader.GetString(0), reader.GetInt64(1), await reader.IsDBNullAsync(2, cancellationToken) ? null : (ulong)reader.GetInt64(2),
                TimeSpan.FromSeconds(reader.GetDouble(3)), reader.GetInt64(4), await reader.IsDBNullAsync(5, cancellationToken) ? null : reader.GetString(5))
            {
                Reader = reader.GetString(6),
                ReaderSince = await reader.IsDBNullAsync(7, cancellationToken) ? null : reader.GetFieldValue<DateTimeOffset>(7),
                ReaderTransaction = await reader.IsDBNullAsync(8, cancellationToken) ? null : reader.GetInt64(8),
            }
            : null;
    });

    /// <summary>Notes that the migration's slot exists. Idempotent.</summary>
    public Task BeginAsync(string slot, CancellationToken cancellationToken) => ExecuteAsync(
        "insert into cdc_migrator.source_slot (migration, slot) values ($1, $2) on conflict do nothing", cancellationToken, slot);

    /// <summary>
    /// Notes who reads the slot; nothing where that was noted, by whichever process. Of transactions that are open now the connector may have lost what they wrote before it began; they are known by a number of our own, which is
    /// taken for that: what a snapshot calls its end is behind the last transaction that is over, not before the first that is not begun.
    /// </summary>
    public async Task NoteReaderAsync(NpgsqlDataSource source, string reader, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var now = await RunAsync(async () =>
        {
            await using var command = source.CreateCommand("select txid_current()");
            return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        });
        await ExecuteAsync("update cdc_migrator.source_slot set reader = $2, reader_since = null, reader_xid = $3 where migration = $1 and reader <> $2", cancellationToken, reader, now);
    }

    /// <summary>The oldest of the source's transactions that have written and began before a number that is over; null where all of them are over. Those of other databases of its server are in no slot of this one.</summary>
    public static Task<string?> FindOpenAsync(NpgsqlDataSource source, long before, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        ArgumentNullException.ThrowIfNull(source);
        await using var command = source.CreateCommand("""
            select case
                when p.gid is not null then format('prepared transaction %L since %s', p.gid, to_char(p.prepared at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'))
                when a.pid is not null then format('pid %s (%s) since %s', a.pid, concat_ws(', ', nullif(a.application_name, ''), a.usename), coalesce(to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'), 'when is not known'))
                else format('transaction %s', x) end
            from txid_snapshot_xip(txid_current_snapshot()) as x
            left join pg_stat_activity a on a.backend_xid::text::bigint = x & 4294967295 left join pg_prepared_xacts p on p.transaction::text::bigint = x & 4294967295
            where x < $1 and coalesce(a.datname, p.database, current_database()) = current_database() order by x limit 1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = before });
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    });

    /// <summary>Notes from when on a comparison knows what the reader has lost: every transaction from before it was noted is over.</summary>
    public Task SettleReaderAsync(PulseState known, DateTimeOffset since, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(known);
        return ExecuteAsync(
            "update cdc_migrator.source_slot set reader_since = $4 where migration = $1 and reader = $2 and reader_xid = $3 and reader_since is null", cancellationToken, known.Reader, known.ReaderTransaction ?? 0,
            since.ToUniversalTime());
    }

    /// <summary>Writes the next pulse to the source, if none other process did since <paramref name="last"/> was read.</summary>
    public async Task WriteAsync(NpgsqlDataSource source, PulseState last, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(last);
        var next = last.Pulse + 1;

        // A pulse that was taken and never written, because its process died, is overtaken by the next one.
        if (await ExecuteAsync("update cdc_migrator.source_slot set pulse = $2, pulse_lsn = null, pulsed_at = clock_timestamp() where migration = $1 and pulse = $2 - 1", cancellationToken, next) == 0)
        {
            return;
        }

        var lsn = await RunAsync(async () =>
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            await using var command = new NpgsqlCommand("insert into cdc_migrator.fence(id, v) values ($1, $2) on conflict (id) do update set v = excluded.v", connection);
            command.Parameters.Add(new NpgsqlParameter { Value = RowId });
            command.Parameters.Add(new NpgsqlParameter { Value = next.ToString(System.Globalization.CultureInfo.InvariantCulture) });
            await command.ExecuteNonQueryAsync(cancellationToken);
            return await FenceTable.CurrentLsnAsync(connection, cancellationToken);
        });
        await ExecuteAsync("update cdc_migrator.source_slot set pulse_lsn = $3::pg_lsn where migration = $1 and pulse = $2", cancellationToken, next, SourcePosition.Format(lsn));
    }

    /// <summary>Notes that a pulse was met. Synchronous: it must be durable before the lane moves past the row.</summary>
    public void See(long pulse)
    {
        try
        {
            using var command = target.CreateCommand("update cdc_migrator.source_slot set seen = greatest(seen, $2) where migration = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            command.Parameters.Add(new NpgsqlParameter { Value = pulse });
            command.ExecuteNonQuery();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Records that a pulse the slot confirmed is not in the log, unless it was met after all.</summary>
    public Task BreakAsync(PulseState state, ulong confirmed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        return ExecuteAsync(
            "update cdc_migrator.source_slot set broken = $3 where migration = $1 and pulse = $2 and seen < $2", cancellationToken, state.Pulse,
            $"slot {state.Slot} has confirmed {SourcePosition.Format(confirmed)}, but what the service wrote to the source before {SourcePosition.Format(state.Lsn ?? 0)} is not in the log");
    }

    /// <summary>Goes on with the log as it is; whoever calls this has the tables copied again.</summary>
    public Task AcceptAsync(CancellationToken cancellationToken) =>
        ExecuteAsync("update cdc_migrator.source_slot set broken = null, pulse_lsn = null, seen = pulse where migration = $1", cancellationToken);

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
