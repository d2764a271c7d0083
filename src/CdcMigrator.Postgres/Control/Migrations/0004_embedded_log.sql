-- Where the embedded log of a migration into this database stands. It lives with the rows, so that it is lost and restored with them.

create table cdc_migrator.embedded_log (
    migration text primary key,
    incarnation text not null,
    phase text not null check (phase in ('snapshot', 'streaming', 'passive')),
    slot text not null,
    system_identifier text not null,
    timeline bigint not null,
    tables text[] not null,
    confirmed_lsn pg_lsn,
    active_from pg_lsn not null default '0/0',
    updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
comment on table cdc_migrator.embedded_log is 'CdcMigrator: the in-process log of a migration; only its current incarnation may claim lanes';
