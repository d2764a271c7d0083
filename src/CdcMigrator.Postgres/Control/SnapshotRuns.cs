using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Control;

/// <summary>
/// Rows of <c>cdc_migrator.snapshot_run</c>. A connector that is stopped in its initial snapshot takes another one from the beginning, and streams from then on: rows of the first that were deleted before the
/// second are in no log, and stay in the target.
/// </summary>
internal static class SnapshotRuns
{
    /// <summary>Notes who sends the rows of a table's snapshot. May be repeated.</summary>
    public static async Task NoteAsync(NpgsqlConnection connection, string migration, TableName table, ulong run, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            insert into cdc_migrator.snapshot_run as s (migration, source_table, run) values ($1, $2, $3)
            on conflict (migration, source_table) do update set run = excluded.run, begun_again_at = pg_catalog.clock_timestamp() where s.run <> excluded.run
            """, connection);
        foreach (var value in new object[] { migration, table.ToString(), unchecked((long)run) })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Tables whose snapshot was begun again, and which were not found equal since by a comparison that began later.</summary>
    public static async Task<IReadOnlySet<string>> ReadBegunAgainAsync(NpgsqlDataSource target, string migration, CancellationToken cancellationToken)
    {
        await using var command = target.CreateCommand("""
            select s.source_table from cdc_migrator.snapshot_run as s where s.migration = $1 and s.begun_again_at is not null and not exists (
                select from cdc_migrator.verification_table as v
                where v.migration = s.migration and v.source_table = s.source_table and v.covered and v.covered_at > s.begun_again_at and v.equal_at >= v.covered_at)
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        var tables = new HashSet<string>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            tables.Add(reader.GetString(0));
        }

        return tables;
    }

    /// <summary>The table is copied again, with what the source no longer has removed.</summary>
    public static async Task AcceptAsync(NpgsqlDataSource target, string migration, TableName table, CancellationToken cancellationToken)
    {
        await using var command = target.CreateCommand("update cdc_migrator.snapshot_run set begun_again_at = null where migration = $1 and source_table = $2");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = table.ToString() });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
