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
    /// <summary>Reads a slot's state; null where there is no such slot.</summary>
    public static async Task<SlotState?> ReadAsync(NpgsqlDataSource source, string slot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        await using var command = source.CreateCommand("""
            select coalesce((confirmed_flush_lsn - '0/0'::pg_lsn)::bigint, 0), coalesce((pg_current_wal_lsn() - restart_lsn)::bigint, 0), active,
                coalesce(wal_status, 'lost')
            from pg_replication_slots where slot_name = $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = slot });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new SlotState(slot, (ulong)reader.GetInt64(0), reader.GetInt64(1), reader.GetBoolean(2), reader.GetString(3))
            : null;
    }
}
