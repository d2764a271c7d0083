-- The tables as a target's catalog describes them, for the routes of the tests.
with recursive base as (
    select oid, oid as base, typbasetype from pg_type where typtype <> 'd'
    union all
    select d.oid, b.base, d.typbasetype from pg_type d join base b on d.typbasetype = b.oid where d.typtype = 'd'
),
columns as (
    select a.attrelid, a.attnum, a.attname, a.atttypmod, a.attgenerated, a.attnotnull, a.atthasdef, t.oid as type, t.typname, t.typtype, t.typcategory, t.typelem,
        format_type(t.oid, null) as sql, e.typname as element, e.typtype as element_kind, format_type(e.oid, null) as element_sql
    from pg_attribute a join base b on b.oid = a.atttypid join pg_type t on t.oid = b.base
        left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
    where a.attnum > 0 and not a.attisdropped
)
select json_build_object('table', format('%s.%s', c.relnamespace::regnamespace, c.relname),
    'key', (select json_agg(a.attname order by k.n) from pg_index i cross join unnest(i.indkey::int[]) with ordinality k(attnum, n)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where i.indrelid = c.oid and i.indisprimary),
    'columns', json_agg(json_build_object('name', s.attname, 'sql', s.sql, 'type', coalesce(s.element, s.typname), 'kind', coalesce(s.element_kind, s.typtype),
        'elementSql', s.element_sql, 'typmod', s.atttypmod, 'generated', s.attgenerated <> '', 'notNull', s.attnotnull, 'hasDefault', s.atthasdef) order by s.attnum))
from pg_class c join columns s on s.attrelid = c.oid
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname not in ('expected') and c.relname not like 'debezium%'
group by c.oid, c.relname, c.relnamespace order by c.relname;
