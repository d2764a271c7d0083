-- What the source looked like when it was last seen, so that what changes while nobody looks is noticed too.

create table cdc_migrator.source_table (
    migration text not null,
    source_table text not null,
    shape jsonb not null,
    resync_reason text,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (migration, source_table)
);
comment on table cdc_migrator.source_table is 'CdcMigrator: tables of the source as last seen; resync_reason: why rows here may differ without an event';

create table cdc_migrator.source_slot (
    migration text primary key,
    slot text not null,
    pulse bigint not null default 0,
    pulse_lsn pg_lsn,
    pulsed_at timestamptz not null default clock_timestamp(),
    seen bigint not null default 0,
    broken text
) with (fillfactor = 50);
comment on table cdc_migrator.source_slot is 'CdcMigrator: the last pulse written to the source, and the last one met in the log; broken: the log lost changes';
