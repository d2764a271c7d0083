using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>Reads tables from a PostgreSQL catalog (version 12 or newer) in one snapshot.</summary>
internal static class CatalogReader
{
    private const string Wanted = """
        with wanted as (
            select c.*, n.nspname from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r)

        """;

    private const string Tables = Wanted + """
        select w.oid, w.nspname::text, w.relname::text, w.relkind, w.relreplident, pg_catalog.row_security_active(w.oid),
            (select count(*) from pg_catalog.pg_index i where i.indrelid = w.oid and (i.indisunique or i.indisexclusion)) > 1,
            (select ic.relname::text from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid where i.indrelid = w.oid and i.indisreplident),
            exists (select from pg_catalog.pg_index i where i.indrelid = w.oid and i.indisprimary and not i.indimmediate),
            w.relpersistence = 'u',
            array(select r from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as r where not pg_catalog.has_table_privilege(w.oid, r)),
            array(select t.tgname::text from pg_catalog.pg_trigger t where t.tgrelid = w.oid and not t.tgisinternal and t.tgenabled in ('A', 'R')
                and t.tgfoid is distinct from pg_catalog.to_regprocedure('cdc_migrator.deny_write()') order by 1)
        from wanted w
        """;

    private const string Columns = Wanted + """
        select w.oid, a.attnum, a.attname::text, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated <> '', a.attidentity = 'a', a.atthasdef or a.attidentity <> '',
            pg_catalog.format_type(a.atttypid, a.atttypmod), a.attstorage <> 'p'
        from wanted w join pg_catalog.pg_attribute a on a.attrelid = w.oid
        where a.attnum > 0 and not a.attisdropped order by w.oid, a.attnum
        """;

    private const string UsedTypes = """
        with recursive used(oid) as (
            select a.atttypid from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r
            join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            union
            select case when t.typtype = 'd' then t.typbasetype else t.typelem end from used u join pg_catalog.pg_type t on t.oid = u.oid
            where t.typtype = 'd' or (t.typelem <> 0 and t.typlen = -1))
        select t.oid, n.nspname::text, t.typname::text, pg_catalog.format_type(t.oid, -1), t.typtype, t.typbasetype, t.typtypmod,
            case when t.typlen = -1 then t.typelem else 0::oid end
        from used u join pg_catalog.pg_type t on t.oid = u.oid join pg_catalog.pg_namespace n on n.oid = t.typnamespace
        """;

    private const string Keys = Wanted + """
        select w.oid, ic.relname::text, i.indisprimary, (select array_agg(k.attnum order by k.ord) from unnest(i.indkey::int2[]) with ordinality as k(attnum, ord) where k.ord <= i.indnkeyatts)
        from wanted w join pg_catalog.pg_index i on i.indrelid = w.oid join pg_catalog.pg_class ic on ic.oid = i.indexrelid
        where i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
            and not exists (select from pg_catalog.pg_attribute a join unnest(i.indkey::int2[]) with ordinality as k(attnum, ord) on k.ord <= i.indnkeyatts and k.attnum = a.attnum
                where a.attrelid = w.oid and not a.attnotnull)
        order by w.oid, i.indisprimary desc, ic.relname
        """;

    /// <summary>The tables that exist, of those named. Whatever has the name is returned, views included: look at the kind.</summary>
    public static async Task<IReadOnlyDictionary<TableName, CatalogTable>> ReadAsync(
        NpgsqlDataSource database, IReadOnlyCollection<TableName> names, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);

        // format_type names a type by what the search path sees: with an empty one every type outside pg_catalog is qualified.
        await using (var path = new NpgsqlCommand("set local search_path = ''", connection))
        {
            await path.ExecuteNonQueryAsync(cancellationToken);
        }

        var types = new Dictionary<uint, CatalogType>();
        await QueryAsync(connection, UsedTypes, names, row => types[row.GetFieldValue<uint>(0)] = new CatalogType(
            row.GetString(1), row.GetString(2), row.GetString(3), row.GetChar(4), row.GetFieldValue<uint>(5), row.GetInt32(6), row.GetFieldValue<uint>(7)), cancellationToken);

        var columns = new Dictionary<uint, List<(short Number, CatalogColumn Column)>>();
        await QueryAsync(connection, Columns, names, row => ListOf(columns, row.GetFieldValue<uint>(0)).Add((row.GetInt16(1), new CatalogColumn(
            new TargetColumn(row.GetString(2), ColumnKinds.Resolve(row.GetFieldValue<uint>(3), row.GetInt32(4), types))
            {
                NotNull = row.GetBoolean(5),
                Generated = row.GetBoolean(6),
                IdentityAlways = row.GetBoolean(7),
                HasDefault = row.GetBoolean(8) && !row.GetBoolean(6),
            },
            row.GetString(9),
            row.GetBoolean(10)))), cancellationToken);

        var keys = new Dictionary<uint, List<UniqueKey>>();
        await QueryAsync(connection, Keys, names, row =>
        {
            var oid = row.GetFieldValue<uint>(0);
            var ordinals = row.GetFieldValue<short[]>(3).Select(number => columns[oid].FindIndex(column => column.Number == number)).ToArray();
            ListOf(keys, oid).Add(new UniqueKey(row.GetString(1), ordinals, row.GetBoolean(2)));
        }, cancellationToken);

        var tables = new Dictionary<TableName, CatalogTable>();
        await QueryAsync(connection, Tables, names, row =>
        {
            var oid = row.GetFieldValue<uint>(0);
            var name = new TableName(row.GetString(1), row.GetString(2));
            tables[name] = new CatalogTable(name, row.GetChar(3), row.GetChar(4), row.GetBoolean(6))
            {
                Columns = [.. ListOf(columns, oid).Select(column => column.Column)],
                Keys = ListOf(keys, oid),
                IdentityIndex = row.IsDBNull(7) ? null : row.GetString(7),
                HasDeferrableKey = row.GetBoolean(8),
                RowSecurityApplies = row.GetBoolean(5),
                Unlogged = row.GetBoolean(9),
                LacksRights = row.GetFieldValue<string[]>(10),
                FiringTriggers = row.GetFieldValue<string[]>(11),
            };
        }, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return tables;
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

    private static List<T> ListOf<T>(Dictionary<uint, List<T>> lists, uint oid)
    {
        if (!lists.TryGetValue(oid, out var list))
        {
            lists[oid] = list = [];
        }

        return list;
    }
}
