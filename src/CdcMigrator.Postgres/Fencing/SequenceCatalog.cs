using System.Globalization;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Reads the sequences of one side.</summary>
internal static class SequenceCatalog
{
    private const string Known = """
        with wanted as (
            select c.oid, w.s, w.r, c.relkind = 'p' or not c.relhassubclass as whole from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r),
        numbers as (
            select d.objid as oid, w.oid as rel, w.whole, w.s, w.r, a.attname::text, a.attnum, a.atttypid from wanted w
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = w.oid and d.deptype in ('a', 'i')
            join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum = d.refobjsubid
            union
            select d.refobjid, w.oid, w.whole, w.s, w.r, a.attname::text, a.attnum, a.atttypid from wanted w join pg_catalog.pg_attrdef f on f.adrelid = w.oid
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
            join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum = f.adnum)
        select n.nspname::text, c.relname::text, case when pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') then pg_catalog.pg_sequence_last_value(c.oid) end,
            pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE'), pg_catalog.has_sequence_privilege(c.oid, 'UPDATE'),
            exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')),
            k.s, k.r, k.attname, pg_catalog.has_sequence_privilege(c.oid, 'SELECT'), q.seqincrement, q.seqcycle,
            coalesce(k.whole and pg_catalog.has_column_privilege(k.rel, k.attnum, 'SELECT') and (select t.typcategory = 'N' from pg_catalog.pg_type t where t.oid = k.atttypid) and exists (
                select from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid join pg_catalog.pg_am m on m.oid = ic.relam
                where i.indrelid = k.rel and i.indisvalid and i.indpred is null and i.indkey[0] = k.attnum and m.amname = 'btree'), false)
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_sequence q on q.seqrelid = c.oid left join numbers k on k.oid = c.oid
        where c.relkind = 'S' and c.relpersistence <> 't' and (k.oid is not null or n.nspname = any($1)) order by 1, 2, 7, 8, 9
        """;

    /// <summary>Those that number a column of the tables, and all in their schemas; in the order of their names.</summary>
    public static async Task<IReadOnlyList<KnownSequence>> ReadAsync(NpgsqlDataSource database, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Known);
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() });
        var all = new List<KnownSequence>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                var name = new TableName(reader.GetString(0), reader.GetString(1));
                if (all.Count == 0 || all[^1].Name != name)
                {
                    // The catalog has no last value of one that was never called: where that begins is in the sequence itself, which takes a right of its own.
                    var isKnown = reader.GetBoolean(3) && (!reader.IsDBNull(2) || reader.GetBoolean(9));
                    all.Add(new KnownSequence(name)
                    {
                        Last = reader.IsDBNull(2) ? null : reader.GetInt64(2),
                        LacksRights = [.. Enumerable.Repeat("SELECT", isKnown ? 0 : 1), .. Enumerable.Repeat("UPDATE", reader.GetBoolean(4) ? 0 : 1)],
                        IsOwned = reader.GetBoolean(5),
                        Increment = reader.GetInt64(10),
                        Cycles = reader.GetBoolean(11),
                    });
                }

                if (!reader.IsDBNull(6))
                {
                    var column = (new TableName(reader.GetString(6), reader.GetString(7)), reader.GetString(8));
                    all[^1] = all[^1] with { Numbers = [.. all[^1].Numbers, column], Indexed = reader.GetBoolean(12) ? [.. all[^1].Indexed, column] : all[^1].Indexed };
                }
            }
        }

        return await WithComingAsync(database, all, cancellationToken);
    }

    /// <summary>Adds where those that were never called begin. One that was called in between has a last value.</summary>
    private static async Task<IReadOnlyList<KnownSequence>> WithComingAsync(NpgsqlDataSource database, List<KnownSequence> all, CancellationToken cancellationToken)
    {
        var asked = Enumerable.Range(0, all.Count).Where(at => all[at].Last is null && !all[at].LacksRights.Contains("SELECT")).ToList();
        if (asked.Count == 0)
        {
            return all;
        }

        await using var command = database.CreateCommand(string.Join(" union all ", asked.Select(at => string.Create(CultureInfo.InvariantCulture, $"select {at}, last_value, is_called from {all[at].Name.Sql}"))));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (at, value, isCalled) = (reader.GetInt32(0), reader.GetInt64(1), reader.GetBoolean(2));
            all[at] = isCalled ? all[at] with { Last = value } : all[at] with { Coming = value };
        }

        return all;
    }
}
