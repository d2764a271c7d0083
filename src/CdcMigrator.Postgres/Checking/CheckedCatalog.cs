namespace CdcMigrator.Postgres.Checking;

/// <summary>What the checks read of a catalog of version 12 or newer, by schema and name. Every query begins with the table's name.</summary>
internal static class CheckedCatalog
{
    private const string Wanted = """
        with wanted as (
            select c.oid, c.relreplident, c.relkind = 'p' or not c.relhassubclass as whole, n.nspname::text as s, c.relname::text as r from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r and c.relkind in ('r', 'p'))

        """;

    /// <summary>Whether updates and deletes can be streamed, and the names of indexes that are broken.</summary>
    public const string Tables = Wanted + """
        select w.s, w.r,
            case w.relreplident when 'f' then true when 'n' then false when 'd' then exists (select from pg_catalog.pg_index i where i.indrelid = w.oid and i.indisprimary and i.indisvalid)
                else exists (select from pg_catalog.pg_index i where i.indrelid = w.oid and i.indisreplident and i.indisvalid) end,
            array(select ic.relname::text from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid where i.indrelid = w.oid and not (i.indisvalid and i.indisready and i.indislive) order by 1)
        from wanted w
        """;

    /// <summary>A default and what a column is computed by are the same entry of the catalog.</summary>
    public const string Columns = Wanted + """
        select w.s, w.r, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
            case when a.attcollation <> t.typcollation then l.collname::text end
        from wanted w join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped join pg_catalog.pg_type t on t.oid = a.atttypid
        left join pg_catalog.pg_attrdef d on d.adrelid = w.oid and d.adnum = a.attnum left join pg_catalog.pg_collation l on l.oid = a.attcollation
        order by w.oid, a.attnum
        """;

    public const string Keys = Wanted + """
        select w.s, w.r, ic.relname::text,
            array(select coalesce((select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = w.oid and a.attnum = i.indkey[k - 1] and i.indkey[k - 1] <> 0),
                pg_catalog.pg_get_indexdef(i.indexrelid, k, true)) from pg_catalog.generate_series(1, i.indnkeyatts::int) as k order by k),
            i.indisprimary, i.indisvalid and i.indisready, i.indimmediate, coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), pg_catalog.pg_get_expr(i.indpred, i.indrelid)
        from wanted w join pg_catalog.pg_index i on i.indrelid = w.oid and i.indisunique join pg_catalog.pg_class ic on ic.oid = i.indexrelid
        order by w.oid, i.indisprimary desc, ic.relname
        """;

    public const string Constraints = Wanted + """
        select w.s, w.r, k.conname::text, case k.contype when 'c' then 'check' when 'f' then 'foreign key' else 'exclusion' end, pg_catalog.pg_get_constraintdef(k.oid, true), k.convalidated
        from wanted w join pg_catalog.pg_constraint k on k.conrelid = w.oid and k.contype in ('c', 'f', 'x') and k.conparentid = 0
        order by w.oid, k.conname
        """;

    /// <summary>Those of our own fence are no user's.</summary>
    public const string Triggers = Wanted + """
        select w.s, w.r, g.tgname::text, g.tgenabled in ('A', 'R'), g.tgenabled in ('A', 'O')
        from wanted w join pg_catalog.pg_trigger g on g.tgrelid = w.oid and not g.tgisinternal
        join pg_catalog.pg_proc p on p.oid = g.tgfoid join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname <> 'cdc_migrator'
        order by w.oid, g.tgname
        """;

    /// <summary>Sequences a column owns, or its default calls.</summary>
    public const string Sequences = Wanted + """
        select w.s, w.r, a.attname::text, n.nspname || '.' || c.relname, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle,
            case when pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') then pg_catalog.pg_sequence_last_value(c.oid) end, t.typcategory = 'N',
            pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE'), pg_catalog.has_sequence_privilege(c.oid, 'SELECT'), pg_catalog.format('%I.%I', n.nspname, c.relname),
            w.whole and exists (select from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid join pg_catalog.pg_am m on m.oid = ic.relam
                where i.indrelid = w.oid and i.indisvalid and i.indpred is null and i.indkey[0] = a.attnum and m.amname = 'btree'),
            exists (select from pg_catalog.pg_index i where i.indrelid = w.oid and i.indisunique and a.attnum = any(i.indkey))
        from wanted w join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped join pg_catalog.pg_type t on t.oid = a.atttypid
        join lateral (
            select d.objid from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
                and d.refobjid = w.oid and d.refobjsubid = a.attnum and d.deptype in ('a', 'i')
            union
            select d.refobjid from pg_catalog.pg_attrdef f join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
                where f.adrelid = w.oid and f.adnum = a.attnum) as o(oid) on true
        join pg_catalog.pg_class c on c.oid = o.oid and c.relkind = 'S' join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_sequence q on q.seqrelid = c.oid
        order by w.oid, a.attnum, c.relname
        """;

    public const string Histories = """
        select n.nspname::text, c.relname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relname = any($1) and c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') order by 1, 2
        """;
}
