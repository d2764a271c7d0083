using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>Reads what an audit asks of the catalog beyond what preflight does.</summary>
internal static class AuditCatalog
{
    /// <summary>How long a lock is waited for to measure a table.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private const string Wanted = """
        with recursive wanted as (
            select c.*, n.nspname from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r)
        """;

    /// <summary>Partitions by the catalog alone: what walks them for us locks each.</summary>
    private const string Leaves = Wanted + """
        , part as (
            select w.oid as root, w.oid as part, w.relkind from wanted w
            union all select p.root, c.oid, c.relkind from part p join pg_catalog.pg_inherits i on i.inhparent = p.part join pg_catalog.pg_class c on c.oid = i.inhrelid where p.relkind = 'p')
        """;

    /// <summary>As the server's files are, for which each table is locked against being dropped.</summary>
    private const string Measured = "pg_catalog.pg_total_relation_size(c.oid) as bytes, case when c.reltoastrelid = 0 then 0 else pg_catalog.pg_relation_size(c.reltoastrelid) end as toast";

    /// <summary>As they were at the last VACUUM or ANALYZE, without a lock.</summary>
    private const string Known = """
        current_setting('block_size')::bigint * (c.relpages + coalesce(o.relpages, 0) + coalesce((select sum(x.relpages) from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
            where i.indrelid in (c.oid, c.reltoastrelid)), 0)) as bytes,
        current_setting('block_size')::bigint * coalesce(o.relpages, 0) as toast
        """;

    /// <summary>When, rows written to some tables until then, and bytes of the log; a standby does not say the latter so that it means writes.</summary>
    private const string Counters = Leaves + """

        select extract(epoch from pg_catalog.clock_timestamp())::float8, coalesce(sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::float8,
            case when pg_catalog.pg_is_in_recovery() then null else pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::float8 end
        from part p join pg_catalog.pg_stat_all_tables s on s.relid = p.part
        """;

    private static string Tables(string size) => Leaves + $"""
        , size as (
            select z.root, sum(greatest(z.reltuples, 0))::bigint as tuples, sum(z.bytes)::bigint as bytes, sum(z.toast)::bigint as toast, sum(z.writes)::bigint as writes from (
                select p.root, c.reltuples, {size}, coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0) as writes
                from part p join pg_catalog.pg_class c on c.oid = p.part left join pg_catalog.pg_class o on o.oid = c.reltoastrelid left join pg_catalog.pg_stat_all_tables s on s.relid = p.part
                where c.relkind in ('r', 'm')) z group by z.root)
        select w.nspname::text, w.relname::text, coalesce(z.tuples, 0), coalesce(z.bytes, 0), coalesce(z.toast, 0), coalesce(z.writes, 0), w.relispartition,
            (select count(*) from pg_catalog.pg_inherits i where i.inhparent = w.oid)::int,
            array(select i.inhparent::regclass::text from pg_catalog.pg_inherits i where i.inhrelid = w.oid and not w.relispartition order by 1),
            array(select t.tgname::text from pg_catalog.pg_trigger t where t.tgrelid = w.oid and not t.tgisinternal and t.tgenabled <> 'D' order by 1),
            array(select k.conname::text from pg_catalog.pg_constraint k where k.conrelid = w.oid and k.condeferrable and k.contype in ('p', 'u', 'x') order by 1),
            array(select r.rulename::text from pg_catalog.pg_rewrite r where r.ev_class = w.oid and w.relkind in ('r', 'p') order by 1)
        from wanted w left join size z on z.root = w.oid
        """;

    private const string Columns = Wanted + """

        select w.nspname::text, w.relname::text, a.attname::text,
            case when t.typtype = 'd' then 'domain' when t.typtype = 'e' then 'enum' when t.typtype = 'c' then 'composite' when t.typtype in ('r', 'm') then 'range'
                when t.typname = 'citext' then 'citext'
                when t.typlen = -1 and t.typelem <> 0 then case e.typtype when 'c' then 'composite[]' when 'e' then 'enum[]' when 'd' then 'domain[]' else 'array' end else '' end,
            coalesce(not o.collisdeterministic, false)
        from wanted w join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped
        join pg_catalog.pg_type t on t.oid = a.atttypid left join pg_catalog.pg_type e on e.oid = t.typelem left join pg_catalog.pg_collation o on o.oid = a.attcollation
        """;

    /// <summary>The tables and partitioned tables of that name.</summary>
    public static async Task<IReadOnlyList<AuditedTable>> ReadAsync(NpgsqlDataSource database, IReadOnlyCollection<TableName> names, CancellationToken cancellationToken)
    {
        var tables = await CatalogReader.ReadAsync(database, names, cancellationToken);
        var sorts = new Dictionary<TableName, Dictionary<string, string>>();
        var loose = new Dictionary<TableName, HashSet<string>>();
        await QueryAsync(database, Columns, names, row =>
        {
            var table = new TableName(row.GetString(0), row.GetString(1));
            sorts.TryAdd(table, []);
            loose.TryAdd(table, []);
            if (row.GetString(3).Length > 0)
            {
                sorts[table][row.GetString(2)] = row.GetString(3);
            }

            if (row.GetBoolean(4))
            {
                loose[table].Add(row.GetString(2));
            }
        }, cancellationToken);
        var found = new List<AuditedTable>();
        try
        {
            await QueryAsync(database, Tables(Measured), names, row => Add(row), cancellationToken, Patience);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // Somebody has a table to himself: of that one alone the size is not measured.
            found.Clear();
            foreach (var name in names)
            {
                try
                {
                    await QueryAsync(database, Tables(Measured), [name], row => Add(row), cancellationToken, Patience);
                }
                catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
                {
                    await QueryAsync(database, Tables(Known), [name], row => Add(row), cancellationToken);
                }
            }
        }

        return [.. found.OrderBy(table => table.Catalog.Name)];

        void Add(NpgsqlDataReader row)
        {
            var name = new TableName(row.GetString(0), row.GetString(1));
            if (tables.GetValueOrDefault(name) is { Kind: 'r' or 'p' } table)
            {
                found.Add(new AuditedTable(table)
                {
                    EstimatedRows = row.GetInt64(2),
                    Bytes = row.GetInt64(3),
                    ToastBytes = row.GetInt64(4),
                    Writes = row.GetInt64(5),
                    IsPartition = row.GetBoolean(6),
                    Parts = row.GetInt32(7),
                    Parents = row.GetFieldValue<string[]>(8),
                    Triggers = row.GetFieldValue<string[]>(9),
                    Deferrable = row.GetFieldValue<string[]>(10),
                    Rules = row.GetFieldValue<string[]>(11),
                    Sorts = sorts.GetValueOrDefault(name) ?? [],
                    Nondeterministic = loose.GetValueOrDefault(name) ?? [],
                });
            }
        }
    }

    /// <summary>The counters of writes now, of some tables.</summary>
    public static async Task<(double At, double Writes, double? LogBytes)?> ReadCountersAsync(NpgsqlDataSource database, IReadOnlyCollection<TableName> names, CancellationToken cancellationToken)
    {
        (double, double, double?)? counters = null;
        await QueryAsync(database, Counters, names, row => counters = (row.GetDouble(0), row.GetDouble(1), row.IsDBNull(2) ? null : row.GetDouble(2)), cancellationToken);
        return counters;
    }

    /// <summary>Who has a table to himself, for messages; null where nobody has.</summary>
    public static async Task<string?> HolderAsync(NpgsqlDataSource database, TableName name, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            select 'process ' || l.pid || coalesce(' of ' || a.usename, '') || coalesce(' (' || nullif(a.application_name, '') || ')', '')
            from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a on a.pid = l.pid
            where l.database = (select oid from pg_catalog.pg_database where datname = current_database()) and l.relation = pg_catalog.to_regclass($1) and l.mode = 'AccessExclusiveLock' and l.granted limit 1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = name.Sql });
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    private static async Task QueryAsync(
        NpgsqlDataSource database, string sql, IReadOnlyCollection<TableName> names, Action<NpgsqlDataReader> row, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (patience is { } limit)
        {
            await using var set = new NpgsqlCommand($"set local lock_timeout = {(long)limit.TotalMilliseconds}", connection);
            await set.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Name).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            row(reader);
        }
    }
}
