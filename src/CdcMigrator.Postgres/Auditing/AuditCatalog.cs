using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>Reads what an audit asks of the catalog beyond what preflight does.</summary>
internal static class AuditCatalog
{
    private const string Wanted = """
        with wanted as (
            select c.*, n.nspname from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r)
        """;

    private const string Tables = Wanted + """
        , leaf as (
            select w.oid as root, w.oid as part from wanted w where w.relkind <> 'p'
            union all select w.oid, t.relid from wanted w cross join lateral pg_catalog.pg_partition_tree(w.oid) t where w.relkind = 'p' and t.isleaf),
        size as (
            select l.root, sum(greatest(c.reltuples, 0))::bigint as tuples, sum(pg_catalog.pg_total_relation_size(c.oid))::bigint as bytes,
                sum(case when c.reltoastrelid = 0 then 0 else pg_catalog.pg_relation_size(c.reltoastrelid) end)::bigint as toast,
                sum(coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0))::bigint as writes
            from leaf l join pg_catalog.pg_class c on c.oid = l.part left join pg_catalog.pg_stat_all_tables s on s.relid = l.part
            where c.relkind in ('r', 'm') group by l.root)
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
        await QueryAsync(database, Tables, names, row =>
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
        }, cancellationToken);
        return [.. found.OrderBy(table => table.Catalog.Name)];
    }

    private static async Task QueryAsync(NpgsqlDataSource database, string sql, IReadOnlyCollection<TableName> names, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Name).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            row(reader);
        }
    }
}
