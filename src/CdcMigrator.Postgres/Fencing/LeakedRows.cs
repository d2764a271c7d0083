using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>What is known of writes of others on a side that only appliers may write to: the server's own counts of changed rows, and what was concluded from them.</summary>
public static class LeakedRows
{
    /// <summary>Event of the side's journal under which they are kept.</summary>
    public const string Event = "leaked-writes";

    /// <summary>Rows changed in each table and everything below it since the server's statistics began. May be old by some seconds; includes rows of transactions that were rolled back, but not TRUNCATE. Empty before PostgreSQL 15, where a session that rests may keep what it counted for hours.</summary>
    public static async Task<IReadOnlyDictionary<TableName, long>> CountAsync(NpgsqlDataSource database, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(tables);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (connection.PostgreSqlVersion.Major < 15)
        {
            return new Dictionary<TableName, long>();
        }

        await using var command = FencedRelations.Command(
            connection,
            FencedRelations.Tree + "select place, sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from named join pg_catalog.pg_stat_all_tables s on s.relid = named.oid group by place", tables);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var counts = new Dictionary<TableName, long>();
        while (await reader.ReadAsync(cancellationToken))
        {
            counts[tables[(int)reader.GetInt64(0) - 1]] = reader.GetInt64(1);
        }

        return counts;
    }

    /// <summary>What each topic's lanes have come to, as a text that changes whenever an applier commits; and beside it, under the empty name, what else of the migration may write rows there: repairs, copies.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> ReadMovesAsync(NpgsqlDataSource database, string migration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var command = database.CreateCommand($"""
            select topic, pg_catalog.string_agg(pg_catalog.concat_ws('/', partition, next_offset, epoch, cluster_id), ' ' order by partition) from cdc_migrator.progress where migration = $1 group by topic
            union all
            select '', pg_catalog.concat_ws('/', (select max(id) from cdc_migrator.journal where migration = $1 and event <> '{Event}'), (select pg_catalog.md5(pg_catalog.string_agg(r::text, ' ' order by r::text)) from cdc_migrator.resync r where migration = $1))
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var moves = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            moves[reader.GetString(0)] = await reader.IsDBNullAsync(1, cancellationToken) ? "" : reader.GetString(1);
        }

        return moves;
    }

    /// <summary>Keeps in the side's journal that rows of a table were changed by others, unless another process has just noted it.</summary>
    public static async Task NoteAsync(NpgsqlDataSource database, string migration, string actor, TableName table, long rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var command = database.CreateCommand("""
            insert into cdc_migrator.journal (migration, actor, event, evidence) select $1, $2, $3, pg_catalog.jsonb_build_object('table', $4::text, 'rows', $5::bigint)
            where not exists (select from cdc_migrator.journal where migration = $1 and actor <> $2 and event = $3 and evidence ->> 'table' = $4 and at > clock_timestamp() - interval '1 minute')
            """);
        foreach (var value in new object[] { migration, actor, Event, table.ToString(), rows })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Rows changed by others since the side's fence was changed last, by table; empty while it is open.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> ReadAsync(NpgsqlDataSource database, string migration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var command = database.CreateCommand("""
            select j.evidence ->> 'table', sum((j.evidence ->> 'rows')::bigint)::bigint from cdc_migrator.journal j join cdc_migrator.fence_state f on f.migration = j.migration
            where j.migration = $1 and j.event = $2 and f.state <> 'open' and j.at > f.changed_at group by 1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = Event });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows[reader.GetString(0)] = reader.GetInt64(1);
        }

        return rows;
    }
}
