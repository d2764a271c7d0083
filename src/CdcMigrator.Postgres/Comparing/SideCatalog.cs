using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// Reads what comparing needs from one side's catalog (version 12 or newer), in one snapshot. Its own queries, not those of the applier: what checks it must not
/// share its mistakes.
/// </summary>
internal static class SideCatalog
{
    private const string Wanted = """
        with wanted as (
            select c.oid, c.relkind, c.relreplident, c.reltuples, n.nspname::text, c.relname::text from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r)

        """;

    private const string Tables = Wanted + """
        select w.oid, w.nspname, w.relname, w.relkind, w.relkind = 'r' and exists (select from pg_catalog.pg_inherits i where i.inhparent = w.oid),
            greatest(0, coalesce((select sum(greatest(c.reltuples, 0)) from pg_catalog.pg_partition_tree(w.oid) p join pg_catalog.pg_class c on c.oid = p.relid where p.isleaf), w.reltuples))::bigint
        from wanted w
        """;

    /// <summary>Since version 18 a NOT NULL need not have been validated; older versions have no such constraints in their catalog.</summary>
    private const string Columns = Wanted + """
        select w.oid, a.attnum, a.attname::text, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod),
            a.attnotnull and not exists (select from pg_catalog.pg_constraint k where k.conrelid = w.oid and k.contype = 'n' and not k.convalidated and a.attnum = any(k.conkey)),
            a.attgenerated <> '',
            case when a.attcollation = 0 then null when l.collprovider = 'd' then coalesce(d.j ->> 'datlocprovider', 'c') else l.collprovider::text end,
            case when a.attcollation = 0 then null
                when l.collprovider = 'd' then case coalesce(d.j ->> 'datlocprovider', 'c') when 'c' then d.j ->> 'datcollate' else coalesce(d.j ->> 'datlocale', d.j ->> 'daticulocale') end
                    || coalesce(d.j ->> 'daticurules', '')
                else coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate::text) || coalesce(to_jsonb(l) ->> 'collicurules', '') end,
            pg_catalog.pg_collation_actual_version(nullif(a.attcollation, 0)), coalesce(l.collisdeterministic, true),
            coalesce((select pg_catalog.format('operator(%I.%s)', n.nspname, o.oprname)
                from pg_catalog.pg_opclass c join pg_catalog.pg_am am on am.oid = c.opcmethod and am.amname = 'btree'
                join pg_catalog.pg_amop m on m.amopfamily = c.opcfamily and m.amopstrategy = 3 and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
                join pg_catalog.pg_operator o on o.oid = m.amopopr join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
                where c.opcintype = a.atttypid and c.opcdefault), 'operator(pg_catalog.=)')
        from wanted w join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped
        left join pg_catalog.pg_collation l on l.oid = a.attcollation
        cross join (select to_jsonb(d) as j from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) d
        order by w.oid, a.attnum
        """;

    private const string Types = """
        with recursive used(oid) as (
            select a.atttypid from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r
            join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            union
            select case when t.typtype = 'd' then t.typbasetype else t.typelem end from used u join pg_catalog.pg_type t on t.oid = u.oid
            where t.typtype = 'd' or (t.typcategory = 'A' and t.typelem <> 0))
        select t.oid, n.nspname::text, t.typname::text, t.typtype, pg_catalog.format_type(t.oid, -1), t.typbasetype, t.typtypmod,
            case when t.typtype <> 'd' and t.typcategory = 'A' then t.typelem else 0::oid end
        from used u join pg_catalog.pg_type t on t.oid = u.oid join pg_catalog.pg_namespace n on n.oid = t.typnamespace
        """;

    private const string Keys = Wanted + """
        select w.oid, ic.relname::text, i.indisprimary,
            array(select k.attnum from unnest(i.indkey::int2[]) with ordinality as k(attnum, ord) where k.ord <= i.indnkeyatts order by k.ord),
            (select count(distinct o.opt & 1) = 1 from unnest(i.indoption::int2[]) as o(opt)), i.indisreplident
        from wanted w join pg_catalog.pg_index i on i.indrelid = w.oid join pg_catalog.pg_class ic on ic.oid = i.indexrelid
        where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
        order by w.oid, i.indimmediate desc, i.indisprimary desc, ic.relname
        """;

    /// <summary>Whatever has one of the names; look at its kind.</summary>
    /// <exception cref="NpgsqlException">The server does not answer, or refuses.</exception>
    public static async Task<IReadOnlyDictionary<TableName, SideTable>> ReadAsync(
        NpgsqlDataSource database, IReadOnlyCollection<TableName> names, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);

        // format_type names a type by what the search path sees: with an empty one every type outside pg_catalog is qualified.
        await using (var path = new NpgsqlCommand("set local search_path = ''", connection))
        {
            await path.ExecuteNonQueryAsync(cancellationToken);
        }

        var types = new Dictionary<uint, CatalogRow>();
        await QueryAsync(connection, Types, names, row => types[row.GetFieldValue<uint>(0)] = new CatalogRow(
            row.GetString(1), row.GetString(2), row.GetChar(3), row.GetString(4), row.GetFieldValue<uint>(5), row.GetInt32(6), row.GetFieldValue<uint>(7)), cancellationToken);
        var columns = new Dictionary<uint, List<SideColumn>>();
        await QueryAsync(connection, Columns, names, row => ListOf(columns, row.GetFieldValue<uint>(0)).Add(
            new SideColumn(row.GetInt16(1), row.GetString(2), Resolve(row.GetFieldValue<uint>(3), row.GetInt32(4), types), row.GetString(5))
            {
                NotNull = row.GetBoolean(6),
                Generated = row.GetBoolean(7),
                Collation = row.IsDBNull(8) ? null : new SideCollation(row.GetString(8)[0], row.IsDBNull(9) ? "" : row.GetString(9), row.IsDBNull(10) ? null : row.GetString(10), row.GetBoolean(11)),
                Equality = row.GetString(12),
            }), cancellationToken);
        var keys = new Dictionary<uint, List<SideKey>>();
        await QueryAsync(connection, Keys, names, row =>
        {
            var table = columns[row.GetFieldValue<uint>(0)];
            int[] ordinals = [.. row.GetFieldValue<short[]>(3).Select(number => table.FindIndex(column => column.Number == number))];
            if (ordinals.All(ordinal => table[ordinal].NotNull))
            {
                ListOf(keys, row.GetFieldValue<uint>(0)).Add(new SideKey(row.GetString(1), ordinals, row.GetBoolean(2), row.GetBoolean(5), row.GetBoolean(4)));
            }
        }, cancellationToken);
        var tables = new Dictionary<TableName, SideTable>();
        await QueryAsync(connection, Tables, names, row =>
        {
            var (oid, name) = (row.GetFieldValue<uint>(0), new TableName(row.GetString(1), row.GetString(2)));
            tables[name] = new SideTable(name, row.GetChar(3), ListOf(columns, oid), ListOf(keys, oid)) { HasHeirs = row.GetBoolean(4), EstimatedRows = row.GetInt64(5) };
        }, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return tables;
    }

    private static SideType Resolve(uint oid, int modifier, Dictionary<uint, CatalogRow> types)
    {
        var type = types[oid];
        while (type.Kind == 'd')
        {
            modifier = modifier == -1 ? type.BaseModifier : modifier;
            type = types[type.Base];
        }

        return new SideType(type.Schema, type.Name, type.Kind, type.Sql, modifier, type.Element == 0 ? null : Resolve(type.Element, modifier, types));
    }

    private static async Task QueryAsync(
        NpgsqlConnection connection, string sql, IReadOnlyCollection<TableName> names, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Name).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            row(reader);
        }
    }

    private static List<T> ListOf<T>(Dictionary<uint, List<T>> lists, uint oid) =>
        lists.TryGetValue(oid, out var list) ? list : lists[oid] = [];

    private sealed record CatalogRow(string Schema, string Name, char Kind, string Sql, uint Base, int BaseModifier, uint Element);
}
