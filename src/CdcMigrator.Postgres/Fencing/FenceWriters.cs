using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Who writes in a way no trigger of a statement sees, or writes what no trigger can deny.</summary>
internal static class FenceWriters
{
    private const string Subscriptions = """
        select s.subname::text, r.srrelid::regclass::text, s.subenabled from pg_catalog.pg_subscription_rel r join pg_catalog.pg_subscription s on s.oid = r.srsubid
        where r.srrelid = any($1) order by 1, 2
        """;

    /// <summary>Where sessions get the replica role without asking for it.</summary>
    private const string ReplicaRoles = """
        select case when s.setrole = 0 then 'database ' || d.datname when s.setdatabase = 0 then 'role ' || r.rolname else 'role ' || r.rolname || ' in database ' || d.datname end,
            case when s.setrole = 0 then pg_catalog.format('ALTER DATABASE %I RESET session_replication_role', d.datname)
                when s.setdatabase = 0 then pg_catalog.format('ALTER ROLE %I RESET session_replication_role', r.rolname)
                else pg_catalog.format('ALTER ROLE %I IN DATABASE %I RESET session_replication_role', r.rolname, d.datname) end
        from pg_catalog.pg_db_role_setting s left join pg_catalog.pg_database d on d.oid = s.setdatabase left join pg_catalog.pg_roles r on r.oid = s.setrole
        where (d.datname is null or d.datname = pg_catalog.current_database()) and 'session_replication_role=replica' = any(s.setconfig)
        union all
        select 'function ' || p.oid::regprocedure::text, pg_catalog.format('ALTER ROUTINE %s RESET session_replication_role', p.oid::regprocedure)
        from pg_catalog.pg_proc p where 'session_replication_role=replica' = any(p.proconfig)
        union all
        select 'the server', 'ALTER SYSTEM RESET session_replication_role, then SELECT pg_reload_conf()' from pg_catalog.pg_settings where name = 'session_replication_role' and reset_val = 'replica' and source not in ('session', 'database', 'user', 'database user')
        order by 1
        """;

    /// <summary>Workers that extensions and other software run; PostgreSQL's own kinds are known.</summary>
    private const string Workers = """
        select a.pid, a.backend_type from pg_catalog.pg_stat_activity a
        where (a.datname is null or a.datname = pg_catalog.current_database()) and a.backend_type not in ('client backend', 'autovacuum launcher', 'autovacuum worker', 'logical replication launcher', 'logical replication worker',
            'logical replication apply worker', 'logical replication tablesync worker', 'logical replication parallel worker', 'parallel worker', 'background writer', 'checkpointer', 'archiver', 'startup', 'walreceiver',
            'walsender', 'walwriter', 'walsummarizer', 'standalone backend', 'slotsync worker', 'io worker', 'stats collector', 'logger')
        order by 1
        """;

    private const string Outside = FencedRelations.Tree + """
        select n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and c.relpersistence <> 't' and not c.relispartition and n.nspname = any($1) and n.nspname <> 'cdc_migrator' and c.oid not in (select oid from named)
        order by 1
        """;

    /// <summary>Columns that hold the numbers of large objects: their own writes are no table's.</summary>
    private const string LargeObjects = """
        select exists (select from pg_catalog.pg_largeobject_metadata),
            array(select a.attrelid::regclass || '.' || a.attname from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
                where a.attrelid = any($1) and a.attnum > 0 and not a.attisdropped and t.typname in ('oid', 'lo') order by 1)
        """;

    public static async Task<IReadOnlyList<Finding>> FindAsync(
        NpgsqlConnection connection, string side, IReadOnlyList<TableName> tables, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        await ReadAsync(new NpgsqlCommand(Subscriptions, connection) { Parameters = { Oids(all) } }, row => findings.Add(row.GetBoolean(2)
            ? new(Severity.Error, "fence-subscription", $"Subscription {row.GetString(0)} of the {side} writes into {row.GetString(1)}: no trigger of a statement fires for what it writes", $"ALTER SUBSCRIPTION {TableName.Quote(row.GetString(0))} DISABLE, and move what it brings to the new side")
            { Table = row.GetString(1) }
            : new(Severity.Warning, "fence-subscription-disabled", $"Subscription {row.GetString(0)} of the {side}, disabled now, writes into {row.GetString(1)}", $"Leave it disabled, or DROP SUBSCRIPTION {TableName.Quote(row.GetString(0))}")
            { Table = row.GetString(1) }), cancellationToken);
        await ReadAsync(new NpgsqlCommand(ReplicaRoles, connection), row => findings.Add(new(Severity.Warning, "fence-replica-role",
            $"session_replication_role = replica is set for {row.GetString(0)} of the {side}: its writes fire neither triggers nor foreign keys. Behind a close they are denied like all others; while a side only takes what is applied to it, comparing has to find them",
            row.GetString(1))), cancellationToken);
        await ReadAsync(new NpgsqlCommand(Workers, connection), row => findings.Add(new(Severity.Info, "fence-background-worker",
            $"A background worker runs in the {side}: {row.GetString(1)} (pid {row.GetInt32(0)}). What it writes by SQL is denied; a replication of its own may not be", "Stop it for the cutover if it writes into these tables")), cancellationToken);

        var outside = new List<string>();
        await using (var command = FencedRelations.Command(connection, Outside, tables))
        {
            await ReadAsync(command, row => outside.Add(row.GetString(0)), cancellationToken);
        }

        if (outside.Count > 0)
        {
            findings.Add(new(Severity.Warning, "fence-table-outside",
                $"{outside.Count} tables beside those of the migration take writes in the {side} on, and what is written there stays behind: {string.Join(", ", outside.Take(10))}{(outside.Count > 10 ? ", …" : "")}",
                "Add them to 'tables:' in the migration file, unless nobody needs them on the new side"));
        }

        await ReadAsync(new NpgsqlCommand(LargeObjects, connection) { Parameters = { Oids(all) } }, row =>
        {
            if (row.GetBoolean(0))
            {
                var columns = row.GetFieldValue<string[]>(1);
                findings.Add(new(Severity.Warning, "fence-large-objects",
                    $"The {side} holds large objects: they are not moved, and no trigger denies writing them{(columns.Length > 0 ? $"; {string.Join(", ", columns.Take(10))} may refer to them" : "")}", "Copy them behind the fence, with the applications stopped"));
            }
        }, cancellationToken);
        return findings;
    }

    private static async Task ReadAsync(NpgsqlCommand command, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        await using (command)
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                row(reader);
            }
        }
    }

    private static NpgsqlParameter Oids(IReadOnlyList<FencedRelation> all) =>
        new() { Value = all.Select(relation => relation.Oid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid };
}
