using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Reads the sequences of one side.</summary>
internal static class SequenceCatalog
{
    private const string Known = """
        with wanted as (
            select c.oid, w.s, w.r from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r),
        numbers as (
            select d.objid as oid, w.s, w.r, a.attname::text from wanted w
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = w.oid and d.deptype in ('a', 'i')
            join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum = d.refobjsubid
            union
            select d.refobjid, w.s, w.r, a.attname::text from wanted w join pg_catalog.pg_attrdef f on f.adrelid = w.oid
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
            join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum = f.adnum)
        select n.nspname::text, c.relname::text, case when pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') then pg_catalog.pg_sequence_last_value(c.oid) end,
            pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE'), pg_catalog.has_sequence_privilege(c.oid, 'UPDATE'),
            exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')),
            k.s, k.r, k.attname
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace left join numbers k on k.oid = c.oid
        where c.relkind = 'S' and c.relpersistence <> 't' and (k.oid is not null or n.nspname = any($1)) order by 1, 2, 7, 8, 9
        """;

    /// <summary>Those that number a column of the tables, and all in their schemas; in the order of their names.</summary>
    public static async Task<IReadOnlyList<KnownSequence>> ReadAsync(NpgsqlDataSource database, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Known);
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() });
        var all = new List<KnownSequence>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var name = new TableName(reader.GetString(0), reader.GetString(1));
            if (all.Count == 0 || all[^1].Name != name)
            {
                all.Add(new KnownSequence(name)
                {
                    Last = reader.IsDBNull(2) ? null : reader.GetInt64(2),
                    LacksRights = [.. Enumerable.Repeat("SELECT", reader.GetBoolean(3) ? 0 : 1), .. Enumerable.Repeat("UPDATE", reader.GetBoolean(4) ? 0 : 1)],
                    IsOwned = reader.GetBoolean(5),
                });
            }

            if (!reader.IsDBNull(6))
            {
                all[^1] = all[^1] with { Numbers = [.. all[^1].Numbers, (new TableName(reader.GetString(6), reader.GetString(7)), reader.GetString(8))] };
            }
        }

        return all;
    }
}
