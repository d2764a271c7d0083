using CdcMigrator.Domain.Preflight;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Who would keep the fence waiting: open and prepared transactions, maintenance, vacuums that prevent wraparound.</summary>
internal static class FenceObstacles
{
    /// <summary>Locks are read a moment before sessions: one that is idle by then has ended its transaction between, and holds nothing.</summary>
    private const string Sql = $"""
        with fenced as (select oid from unnest($1::oid[]) as t(oid)),
        held as (
            select l.pid, l.virtualtransaction, min(l.relation::regclass::text) as tab, count(distinct l.relation) as tables
            from pg_catalog.pg_locks l join fenced on fenced.oid = l.relation
            where l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) and l.granted and l.mode in {FenceBlockers.Modes}
            group by 1, 2)
        select 'prepared', held.tab, held.tables, null::int, p.gid, p.owner::text, p.prepared::timestamptz(0)::text, null::text
        from pg_catalog.pg_prepared_xacts p join pg_catalog.pg_locks t on t.locktype = 'transactionid' and t.transactionid = p.transaction and t.pid is null
        join held on held.pid is null and held.virtualtransaction = t.virtualtransaction
        union all
        select case when a.backend_type = 'autovacuum worker' then 'wraparound' else 'transaction' end, held.tab, held.tables, a.pid, coalesce(nullif(a.application_name, ''), a.backend_type, 'a session'),
            coalesce(a.usename::text, 'unknown'), coalesce(a.xact_start, a.backend_start)::timestamptz(0)::text, coalesce(a.state, a.backend_type)
        from held join pg_catalog.pg_stat_activity a on a.pid = held.pid
        where a.backend_type = 'autovacuum worker' and a.query like '%to prevent wraparound%'
            or a.backend_type is distinct from 'autovacuum worker' and a.state is distinct from 'idle' and pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.backend_start) > $2
        order by 1, 2
        """;

    /// <summary>Autovacuum begins, whatever its settings, once the oldest row is older than the limit; a table may set its own, lower one.</summary>
    private const string Due = """
        select c.oid::regclass::text, pg_catalog.age(c.relfrozenxid)::bigint, limits.frozen
        from unnest($1::oid[]) as t(oid) join pg_catalog.pg_class c on c.oid = t.oid left join pg_catalog.pg_class toast on toast.oid = c.reltoastrelid
        cross join lateral (select
            least(current_setting('autovacuum_freeze_max_age')::bigint, (select option_value::bigint from pg_catalog.pg_options_to_table(c.reloptions) where option_name = 'autovacuum_freeze_max_age')) as frozen,
            least(current_setting('autovacuum_multixact_freeze_max_age')::bigint, (select option_value::bigint from pg_catalog.pg_options_to_table(c.reloptions) where option_name = 'autovacuum_multixact_freeze_max_age')) as multi) as limits
        where c.relkind = 'r' and (greatest(pg_catalog.age(c.relfrozenxid), pg_catalog.age(toast.relfrozenxid)) > limits.frozen
            or greatest(pg_catalog.mxid_age(c.relminmxid), pg_catalog.mxid_age(toast.relminmxid)) > limits.multi)
        order by 1
        """;

    public static async Task<IReadOnlyList<Finding>> FindAsync(
        NpgsqlConnection connection, string side, IReadOnlyList<FencedRelation> all, TimeSpan patience, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        await using (var command = new NpgsqlCommand(Sql, connection) { Parameters = { Oids(all), new NpgsqlParameter { Value = patience } } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var (table, more) = (reader.GetString(1), reader.GetInt64(2) - 1);
                var where = more > 0 ? $"{table} and {more} more tables" : table;
                findings.Add(reader.GetString(0) switch
                {
                    "prepared" => new(Severity.Error, "fence-prepared-transaction",
                        $"Prepared transaction '{reader.GetString(4)}' of role {reader.GetString(5)}, since {reader.GetString(6)}, has written {where} in the {side}: the fence would wait for it",
                        FenceBlockers.EndPrepared(reader.GetString(4)))
                    { Table = table },
                    "wraparound" => new(Severity.Error, "fence-wraparound-vacuum",
                        $"An autovacuum that prevents wraparound (pid {reader.GetInt32(3)}) has {where} in the {side} since {reader.GetString(6)}: it does not give way to the fence", $"Wait until it is done (pg_stat_progress_vacuum, pid {reader.GetInt32(3)})")
                    { Table = table },
                    _ => new(Severity.Error, "fence-long-transaction",
                        $"Pid {reader.GetInt32(3)} ({reader.GetString(4)}, role {reader.GetString(5)}, {reader.GetString(7)}) holds {where} in the {side} since {reader.GetString(6)}: the fence would wait for it, and writers for the fence",
                        $"Let it end, or: select pg_terminate_backend({reader.GetInt32(3)})")
                    { Table = table },
                });
            }
        }

        await using (var command = new NpgsqlCommand(Due, connection) { Parameters = { Oids(all) } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var table = reader.GetString(0);
                findings.Add(new(Severity.Warning, "fence-wraparound-due",
                    $"{table} in the {side} is due for an autovacuum that prevents wraparound (age {reader.GetInt64(1):N0}, limit {reader.GetInt64(2):N0}): one that runs does not give way to the fence", $"VACUUM (FREEZE) {table} before the cutover")
                { Table = table });
            }
        }

        return findings;
    }

    private static NpgsqlParameter Oids(IReadOnlyList<FencedRelation> all) =>
        new() { Value = all.Select(relation => relation.Oid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid };
}
