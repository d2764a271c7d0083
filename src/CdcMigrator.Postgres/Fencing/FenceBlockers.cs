using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Who holds what a fence waits for.</summary>
/// <param name="What">Every holder by name, with the table it holds.</param>
/// <param name="Fix">What ends them.</param>
/// <param name="Stays">A holder goes on for as long as it takes whoever waits for it: an autovacuum that prevents wraparound.</param>
internal sealed record FenceBlockers(string What, string Fix, bool Stays)
{
    /// <summary>Lock modes that conflict with the fence's own, SHARE ROW EXCLUSIVE.</summary>
    public const string Modes = "('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')";

    private const int Shown = 5;

    /// <summary>Holders now; a prepared transaction's locks are told by the transaction id they lie beside.</summary>
    public static async Task<FenceBlockers> ReadAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            select min(l.relation::regclass::text) || case when count(distinct l.relation) > 1 then pg_catalog.format(' and %s more', count(distinct l.relation) - 1) else '' end,
                l.pid, coalesce(nullif(a.application_name, ''), a.backend_type, a.usename::text, 'a session'), a.usename::text, coalesce(a.state, a.backend_type, 'state not visible'),
                a.xact_start::timestamptz(0)::text, a.query_start::timestamptz(0)::text, p.gid, p.owner::text, p.prepared::timestamptz(0)::text, coalesce(a.backend_type = 'autovacuum worker' and a.query like '%to prevent wraparound%', false)
            from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a on a.pid = l.pid
            left join (select t.virtualtransaction, x.* from pg_catalog.pg_prepared_xacts x join pg_catalog.pg_locks t on t.locktype = 'transactionid' and t.transactionid = x.transaction and t.pid is null) p
                on l.pid is null and p.virtualtransaction = l.virtualtransaction
            where l.relation = any($1) and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
                and l.granted and l.mode in {Modes} and l.pid is distinct from pg_catalog.pg_backend_pid()
            group by l.pid, a.application_name, a.backend_type, a.usename, a.state, a.xact_start, a.query_start, a.query, p.gid, p.owner, p.prepared
            order by coalesce(a.xact_start, p.prepared), l.pid
            """, connection)
        { Parameters = { new NpgsqlParameter { Value = all.Select(relation => relation.Oid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<string> holders = [], fixes = [];
        var stays = false;
        while (await reader.ReadAsync(cancellationToken))
        {
            string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
            if (Text(7) is { } gid)
            {
                holders.Add($"{reader.GetString(0)} is locked by a prepared transaction '{gid}' of {Text(8)}, prepared {Text(9)}");
                fixes.Add(EndPrepared(gid));
                continue;
            }

            var pid = reader.IsDBNull(1) ? 0 : reader.GetInt32(1);
            stays |= reader.GetBoolean(10);
            holders.Add(reader.GetBoolean(10)
                ? $"{reader.GetString(0)} is locked by pid {pid}, an autovacuum that prevents wraparound, since {Text(5)}: it does not give way"
                : $"{reader.GetString(0)} is locked by pid {pid} ({reader.GetString(2)}, role {Text(3) ?? "unknown"}, {reader.GetString(4)}, transaction since {Text(5) ?? "unknown"}, query since {Text(6) ?? "unknown"})");
            fixes.Add(reader.GetBoolean(10) ? $"Wait until it is done (pg_stat_progress_vacuum, pid {pid})" : $"select pg_terminate_backend({pid})");
        }

        var more = holders.Count > Shown ? $"; and {holders.Count - Shown} more" : "";
        return holders.Count == 0
            ? new FenceBlockers("no holder was found any more", "Try again", false)
            : new FenceBlockers(string.Join("; ", holders.Take(Shown)) + more, string.Join("; ", fixes.Take(Shown)), stays);
    }

    /// <summary>An attempt that waits for the locks of these tables now, with who holds them: TimedOut <c>fence-waits</c>. Null where none does.</summary>
    public static async Task<Fault?> FindWaitAsync(NpgsqlDataSource database, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var all = await FencedRelations.ReadAsync(connection, tables, cancellationToken);
        await using (var command = new NpgsqlCommand("""
            select exists (select from pg_catalog.pg_locks l where not l.granted and l.mode in ('ShareRowExclusiveLock', 'ShareUpdateExclusiveLock') and l.relation = any($1)
                and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
            """, connection)
        { Parameters = { new NpgsqlParameter { Value = all.Select(relation => relation.Oid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid } } })
        {
            if (await command.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return null;
            }
        }

        var blockers = await ReadAsync(connection, all, cancellationToken);
        return new Fault(FaultKind.TimedOut, "fence-waits", blockers.What, blockers.Fix);
    }

    /// <summary>What ends a prepared transaction.</summary>
    public static string EndPrepared(string gid)
    {
        var quoted = gid.Replace("'", "''", StringComparison.Ordinal);
        return $"COMMIT PREPARED '{quoted}' or ROLLBACK PREPARED '{quoted}'";
    }
}
