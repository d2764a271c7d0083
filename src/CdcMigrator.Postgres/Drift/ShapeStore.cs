using System.Text.Json;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Drift;

/// <summary>The source's tables as last seen, kept in the target. Processes may race: both write the same.</summary>
internal sealed class ShapeStore(NpgsqlDataSource target, string migration)
{
    /// <summary>What is recorded, by the source table's name as messages write it.</summary>
    public async Task<IReadOnlyDictionary<string, (TableShape Shape, string? ResyncReason)>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = target.CreateCommand("select source_table, shape::text, resync_reason from cdc_migrator.source_table where migration = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        var recorded = new Dictionary<string, (TableShape Shape, string? ResyncReason)>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (JsonSerializer.Deserialize<TableShape>(reader.GetString(1)) is { } shape)
            {
                recorded[reader.GetString(0)] = (shape, await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetString(2));
            }
        }

        return recorded;
    }

    /// <summary>Records shapes, all or none; a reason to copy a table again stays until it was copied, the first one found.</summary>
    public async Task RecordAsync(IReadOnlyCollection<(TableName Source, TableShape Shape, string? ResyncReason)> tables, CancellationToken cancellationToken)
    {
        await using var command = target.CreateCommand("""
            insert into cdc_migrator.source_table as t (migration, source_table, shape, resync_reason)
            select $1, n.name, n.shape::jsonb, n.reason from unnest($2::text[], $3::text[], $4::text[]) as n(name, shape, reason)
            on conflict (migration, source_table) do update set shape = excluded.shape, resync_reason = coalesce(t.resync_reason, excluded.resync_reason), seen_at = clock_timestamp()
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Source.ToString()).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => JsonSerializer.Serialize(table.Shape)).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.ResyncReason).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Records a shape and that there is no reason to copy the table again.</summary>
    public async Task AcceptAsync(TableName source, TableShape shape, CancellationToken cancellationToken)
    {
        await RecordAsync([(source, shape, null)], cancellationToken);
        await using var command = target.CreateCommand("update cdc_migrator.source_table set resync_reason = null where migration = $1 and source_table = $2");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = source.ToString() });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
