-- What a dead letter needs to be decoded again, to be counted without being read, and to be told from one of another life of the embedded log.

alter table cdc_migrator.dead_letter
    add column cluster_id text not null default '',
    add column record_ms bigint not null default 0,
    add column bytes bigint not null default 0;

do $body$
declare
    v_name name;
begin
    select conname into v_name from pg_catalog.pg_constraint where conrelid = 'cdc_migrator.dead_letter'::regclass and contype = 'u';
    execute pg_catalog.format('alter table cdc_migrator.dead_letter drop constraint %I', v_name);
end $body$;

alter table cdc_migrator.dead_letter add constraint dead_letter_record unique (migration, topic, partition, cluster_id, record_offset);
