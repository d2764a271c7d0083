using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>A logical replication slot as <c>pg_replication_slots</c> shows it.</summary>
/// <param name="Name">Slot name.</param>
/// <param name="ConfirmedFlushLsn">Up to where its reader has confirmed; 0 before the first confirmation.</param>
/// <param name="RetainedBytes">WAL the source keeps because of it.</param>
/// <param name="Active">Whether a reader is connected.</param>
/// <param name="WalStatus"><c>reserved</c>, <c>extended</c>, <c>unreserved</c> or <c>lost</c>.</param>
public sealed record SlotState(string Name, ulong ConfirmedFlushLsn, long RetainedBytes, bool Active, string WalStatus)
{
    /// <summary>Where the source writes now.</summary>
    public ulong WrittenLsn { get; init; }

    /// <summary>Most WAL the source keeps for a slot (<c>max_slot_wal_keep_size</c>); null without a limit.</summary>
    public long? LimitBytes { get; init; }

    /// <summary>Backends of this database that belong to a Debezium connector: its reader's, and those of a snapshot.</summary>
    public IReadOnlyList<int> Readers { get; init; } = [];

    /// <summary>Which session reads the slot, so that one that began anew is told from the one before; null while none does, and where that is hidden.</summary>
    public string? Reader { get; init; }

    /// <summary>Since when the session reads is hidden from our role. Its process id alone comes back with the next one, so that it says nothing.</summary>
    public bool IsReaderHidden { get; init; }

    /// <summary>The source gave the slot up: what its reader has not confirmed is gone.</summary>
    public bool Lost => WalStatus == "lost";

    /// <summary>Reads a slot's state; null where there is no such slot.</summary>
    public static async Task<SlotState?> ReadAsync(NpgsqlDataSource source, string slot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        await using var command = source.CreateCommand("""
            select coalesce((confirmed_flush_lsn - '0/0'::pg_lsn)::bigint, 0), coalesce((pg_current_wal_lsn() - restart_lsn)::bigint, 0), active,
                coalesce(to_jsonb(s) ->> 'wal_status', 'reserved'), (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint,
                (select setting::bigint * 1048576 from pg_settings where name = 'max_slot_wal_keep_size' and setting::bigint >= 0),
                array(select pid from pg_stat_activity where datname = current_database() and application_name like 'Debezium%') || coalesce(array[active_pid], '{}'),
                (select r.pid || '@' || extract(epoch from r.backend_start) from pg_stat_replication r where r.pid = s.active_pid),
                exists (select from pg_stat_replication r where r.pid = s.active_pid and r.backend_start is null)
            from pg_replication_slots s where slot_name = $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = slot });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new SlotState(slot, (ulong)reader.GetInt64(0), reader.GetInt64(1), reader.GetBoolean(2), reader.GetString(3))
            {
                WrittenLsn = (ulong)reader.GetInt64(4),
                LimitBytes = await reader.IsDBNullAsync(5, cancellationToken) ? null : reader.GetInt64(5),
                Readers = [.. (await reader.GetFieldValueAsync<int?[]>(6, cancellationToken)).OfType<int>()],
                Reader = await reader.IsDBNullAsync(7, cancellationToken) ? null : reader.GetString(7),
                IsReaderHidden = reader.GetBoolean(8),
            }
            : null;
    }
}
