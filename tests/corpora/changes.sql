-- What happens while the connectors stream. Each statement is a transaction; expect() notes what the row then is.
call load_zoo(100);
update zoo set c_int4 = 8, c_text = 'changed' where id = 101;
select expect('zoo', 'id = 101');
delete from zoo where id = 102;

insert into docs
select 2, 1, t, left(t, 9000), to_jsonb(t), ('<a>' || t || '</a>')::xml, t, decode(t || t, 'hex'), hstore('k', t), t,
    array[t], array[to_jsonb(t)], array[decode(t || t, 'hex')], (select array_agg(i) from generate_series(1, 900) i), (select array_agg(i) from generate_series(1, 600) i),
    (select array_agg(md5(i::text)::uuid) from generate_series(1, 200) i)
from (select string_agg(md5(i::text), '') as t from generate_series(1, 85) i) x;
select expect('docs', 'id = 2');
update docs set n = 2 where id = 2;
select expect('docs', 'id = 2');
update docs set id = 3 where id = 2;
select expect('docs', 'id = 3');

insert into pairs select 2, 'x', 1, string_agg(md5(i::text), '') from generate_series(1, 85) i;
select expect('pairs', 'a = 2');
update pairs set b = 'y' where a = 2;
select expect('pairs', 'a = 2');
delete from pairs where a = 1;

insert into "Odd Table-1" values (2, null, null, null);
select expect('"Odd Table-1"', 'id = 2');
update "Odd Table-1" set "Weird Col-é" = 'ü', "1st" = 3 where id = 2;
select expect('"Odd Table-1"', 'id = 2');

insert into defaults values (2, null, null, null, null, 1);
select expect('defaults', 'id = 2');
insert into defaults values (3, 'other', 6, '2024-01-01', false, 1);
select expect('defaults', 'id = 3');

insert into truncated values (1, 'a'), (2, 'b');
select expect('truncated', 'id = 1'), expect('truncated', 'id = 2');
truncate truncated;

insert into keyless values ('k');

insert into drift values (2, 2);
select expect('drift', 'id = 2');
alter table drift add column late text default 'then';
insert into drift values (3, 3, 'now');
select expect('drift', 'id = 3');
update drift set n = 4 where id = 1;
select expect('drift', 'id = 1');

insert into cdc_migrator.fence values ('marker:1', '{"a": "ü"}');
update cdc_migrator.fence set v = null where id = 'marker:1';
delete from cdc_migrator.fence where id = 'marker:1';
select pg_logical_emit_message(true, 'cdcm', '{"a":1}');
select pg_logical_emit_message(false, 'cdcm', 'b');

begin;
update orders set total = total + 1 where id = 1;
select expect('orders', 'id = 1');
update orders set customer = 'both' where id in (1, 2);
select expect('orders', 'id = 1'), expect('orders', 'id = 2');
commit;
select expect('orders', format('id = %s', i)) from generate_series(1, 8) i;
insert into debezium_signal_faithful values ('one', 'execute-snapshot', '{"data-collections": ["public.orders"], "type": "incremental"}');
insert into debezium_signal_avro values ('one', 'execute-snapshot', '{"data-collections": ["public.orders"], "type": "incremental"}');
