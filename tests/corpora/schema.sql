-- What the recorded events are about: every type, every kind of change. Loaded before the connectors start.
create extension citext;
create extension hstore;
create extension ltree;
create schema cdc_migrator;
create table cdc_migrator.fence (id text primary key, v text);
create table debezium_signal_faithful (id varchar(64) primary key, type varchar(32) not null, data text);
create table debezium_signal_avro (id varchar(64) primary key, type varchar(32) not null, data text);

create type mood as enum ('ok', 'très bad', 'a,b');
create type pair as (x int, y text);
create domain short_text as varchar(20);
create domain amount as numeric(12, 2);

create table zoo (
    id int primary key,
    c_bool boolean, c_int2 smallint, c_int4 integer, c_int8 bigint, c_oid oid,
    c_num numeric, c_num_ps numeric(24, 4), c_real real, c_double double precision, c_money money,
    c_char char(5), c_vchar varchar(200), c_text text, c_name name, c_ichar "char", c_citext citext, c_bytea bytea,
    c_date date, c_time time, c_time3 time(3), c_timetz timetz, c_ts timestamp, c_ts3 timestamp(3), c_tstz timestamptz, c_interval interval,
    c_uuid uuid, c_inet inet, c_cidr cidr, c_mac macaddr, c_mac8 macaddr8, c_json json, c_jsonb jsonb, c_xml xml,
    c_bit1 bit(1), c_bit12 bit(12), c_varbit varbit(12),
    c_point point, c_line line, c_lseg lseg, c_box box, c_path path, c_polygon polygon, c_circle circle,
    c_mrange int4multirange, c_pair pair, c_tsq tsquery, c_lsn pg_lsn, c_xid8 xid8, c_jpath jsonpath, c_tsv tsvector, c_ltree ltree, c_enum mood,
    c_i4r int4range, c_numr numrange, c_tsr tsrange, c_tstzr tstzrange, c_dater daterange, c_dom short_text, c_domnum amount, c_hstore hstore,
    c_gen int generated always as (c_int2 + 1) stored,
    a_int2 smallint[], a_int4 integer[], a_int8 bigint[], a_num numeric[], a_real real[], a_double double precision[], a_bool boolean[],
    a_text text[], a_vchar varchar(20)[], a_char char(3)[], a_citext citext[], a_bytea bytea[], a_uuid uuid[], a_json json[], a_jsonb jsonb[],
    a_inet inet[], a_hstore hstore[], a_i4r int4range[], a_enum mood[], a_date date[], a_ts timestamp[], a_tstz timestamptz[], a_time time[],
    a_money money[], a_interval interval[], a_xml xml[], a_name name[], a_varbit varbit[], a_point point[]
);
create table docs (
    id int primary key, n int, c_text text, c_vchar varchar(20000), c_jsonb jsonb, c_xml xml, c_citext citext, c_bytea bytea, c_hstore hstore, c_dom_text text,
    a_text text[], a_jsonb jsonb[], a_bytea bytea[], a_int4 int[], a_int8 bigint[], a_uuid uuid[]
);
alter table docs alter c_text set storage external, alter c_vchar set storage external, alter c_jsonb set storage external, alter c_xml set storage external,
    alter c_citext set storage external, alter c_bytea set storage external, alter c_hstore set storage external,
    alter a_text set storage external, alter a_jsonb set storage external, alter a_bytea set storage external, alter a_int4 set storage external,
    alter a_int8 set storage external, alter a_uuid set storage external;
create table pairs (a int, b text, n int, big text, primary key (a, b));
alter table pairs alter big set storage external;
create table "Odd Table-1" (id int primary key, "Weird Col-é" text, "1st" int, plain text);
create table defaults (id int primary key, t text default 'd', n int default 5, ts timestamp default now(), b boolean default true, must int not null default 7);
create table truncated (id int primary key, t text);
create table keyless (t text);
alter table keyless replica identity full;
create table drift (id int primary key, n int);
create table orders (id int primary key, customer text, total numeric(12, 2), placed timestamptz);
insert into orders select i, 'c' || i, i * 1.10, timestamptz '2024-02-29 12:00:00+00' + i * interval '1 hour' from generate_series(1, 8) i;

-- The source's own text of every column of a row, by its type's output function.
create function row_texts(source regclass, condition text) returns json language plpgsql as $$
declare
    parts text;
    result json;
begin
    select string_agg(format('%L, case when %I is null then null else format(''%%s'', %I) end', attname, attname, attname), ', ' order by attnum)
    into parts from pg_attribute where attrelid = source and attnum > 0 and not attisdropped and attnum <= 40;
    execute format('select json_build_object(%s) from %s where %s', parts, source, condition) into result;
    select string_agg(format('%L, case when %I is null then null else format(''%%s'', %I) end', attname, attname, attname), ', ' order by attnum)
    into parts from pg_attribute where attrelid = source and attnum > 40 and attnum <= 80 and not attisdropped;
    if parts is not null then
        declare more json;
        begin
            execute format('select json_build_object(%s) from %s where %s', parts, source, condition) into more;
            result := (left(result::text, -1) || ', ' || substr(more::text, 2))::json;
        end;
    end if;
    select string_agg(format('%L, case when %I is null then null else format(''%%s'', %I) end', attname, attname, attname), ', ' order by attnum)
    into parts from pg_attribute where attrelid = source and attnum > 80 and not attisdropped;
    if parts is not null then
        declare more json;
        begin
            execute format('select json_build_object(%s) from %s where %s', parts, source, condition) into more;
            result := (left(result::text, -1) || ', ' || substr(more::text, 2))::json;
        end;
    end if;
    return result;
end $$;

-- One expectation a row event, in the order of the events of a key.
create table expected (id serial primary key, row_of text, columns json);
create function expect(source regclass, condition text) returns void language sql as $$
    insert into expected (row_of, columns)
    select format('%s.%s', relnamespace::regnamespace, relname), row_texts(source, condition) from pg_class where oid = source
$$;

-- The zoo's rows: load_zoo(0) before the connectors (op r), load_zoo(100) while they stream (op c).
create procedure load_zoo(shift int) language plpgsql as $$
declare
    i int;
begin
    insert into zoo values (shift + 1,
        true, -32768, 2147483647, 9007199254740993, 4294967295,
        1.1000, 12.3000, 1.4e-45, 0.1, 1.10,
        'ab', 'varchar', E'line\nline\ttab"quote\\back', 'a name', 'x', 'CiText', '\x0001ff',
        '2024-02-29', '12:34:56.789012', '12:34:56.789', '12:34:56.789012+05:30', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789012+02', '1 mon 2 days 00:00:03.5',
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '{"b":1, "a" : 1e400, "a":2}', '{"b": 1, "a": [null, "x"]}', '<a>t</a>',
        B'1', B'101000000001', B'00101',
        '(1.1,-2.5)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '((0,0),(1,1))', '((0,0),(1,1),(2,0))', '<(0,0),2>',
        '{[1,3),[5,7)}', row(1, 'a "b"'), 'fat & rat', '16/B374D848', '12345678901', '$.a[*]', 'a:1 b:2', 'Top.Science', 'très bad',
        '[1,5)', '[1.5,2.5]', '[2024-01-01 00:00:00,2024-01-02 00:00:00)', '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)', '[2024-01-01,2024-02-01)', 'domain', 99.90, '"k1"=>"v", "k2"=>NULL, "q\"\\"=>"x y"',
        default,
        '{1,null,-3}', '{1,null,-3}', '{9007199254740993,null}', '{1.10,null,-0.5}', '{1.5,null}', '{0.1,null}', '{t,f,null}',
        '{a,"b c",null,"null","","q\"\\","{x}","c,d"}', '{a,"b c"}', '{a,bc}', '{Ab,null}', '{"\\x00ff",null}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,null}', array['{"a": 1}', null]::json[], array['{"a": [1, 2]}']::jsonb[],
        '{10.0.0.1,null}', array['a=>1', null]::hstore[], array['[1,3)', null]::int4range[], array['ok', 'a,b']::mood[], '{2024-02-29,null}', '{"2024-02-29 12:34:56.789",null}', '{"2024-02-29 12:34:56.789+00"}', '{12:34:56.789012}',
        '{1.10}', '{1 day}', array['<a/>']::xml[], '{n}', array[B'101'], array['(1,2)']::point[]);
    insert into zoo (id) values (shift + 2);
    insert into zoo (id, c_bool, c_int2, c_int4, c_int8, c_oid, c_num, c_num_ps, c_real, c_double, c_money, c_char, c_text, c_bytea, c_date, c_time, c_time3, c_ts, c_ts3, c_tstz, c_interval, c_bit1, c_bit12, c_jsonb, c_hstore, c_point,
            a_int4, a_text, a_num, a_bytea)
        values (shift + 3, false, 32767, -2147483648, 9223372036854775807, 0, 123456789012345678901234567890.123456789, -99999999999999999999.9999, 'NaN', 'Infinity', -0.01, '', '', '\x', '9999-12-31', '24:00:00', '24:00:00', 'infinity', '2024-01-01', 'infinity', '-1 years -2 mons +3 days -04:05:06.789',
            B'0', B'000000000000', '[]', '', '(0,0)', '{}', '{}', '{}', '{}');
    insert into zoo (id, c_int8, c_num, c_num_ps, c_real, c_double, c_text, c_date, c_time, c_ts, c_tstz, c_interval, c_bit12, a_text, a_int4, a_ts)
        values (shift + 4, -9223372036854775808, -0.000001, 0, '-0', '-Infinity', E'😀\u2028é\u0001', '1582-10-15', '00:00:00', '-infinity', '-infinity', '-00:00:00.000001', B'111111111111', '{{a,b},{c,d}}', '{{1,2},{3,4}}', '{"1582-10-14 00:00:00"}');
    insert into zoo (id, c_num, c_real, c_double, c_date, c_ts, c_ts3, c_tstz, c_interval, c_money, a_text, a_int4)
        values (shift + 5, 'NaN', 3.4028235e38, 1.7976931348623157e308, '0001-01-01', '0044-03-15 12:00:00 BC', '1500-01-01', '0044-03-15 12:00:00+00 BC', '178956970 years', '92233720368547758.07', '{null,null}', '{null}');
    insert into zoo (id, c_num, c_date, c_ts, c_tstz, c_interval)
        values (shift + 6, 'Infinity', 'infinity', '294247-01-10 04:00:54.775807', '20000-01-01', '5 days -00:00:01');
    insert into zoo (id, c_num, c_date, c_ts, c_tstz, c_interval)
        values (shift + 7, '-Infinity', '-infinity', '1582-10-10', '1582-10-10', '00:00:00');
    insert into zoo (id, c_date, c_ts, c_tstz, c_interval)
        values (shift + 8, case when shift = 0 then date '5874897-12-31' else date '4713-01-01 BC' end, '294276-12-31 23:59:59', '2024-01-01 00:00:00.1', '-1 days');
    for i in 1 .. 8 loop
        perform expect('zoo', format('id = %s', shift + i));
    end loop;
end $$;
call load_zoo(0);
insert into drift values (1, 1);
insert into docs (id, n, c_text, c_bytea) values (1, 1, 'short', '\x01');
insert into pairs values (1, E'k"=,{}é', 1, null);
insert into "Odd Table-1" values (1, 'odd', 1, 'p');
insert into defaults (id) values (1);
select expect('orders', format('id = %s', i)) from generate_series(1, 8) i;
select expect('drift', 'id = 1'), expect('docs', 'id = 1'), expect('pairs', 'a = 1'), expect('"Odd Table-1"', 'id = 1'), expect('defaults', 'id = 1');
