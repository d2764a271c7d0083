-- Tables that are being copied again, and the last time each was.

create table cdc_migrator.resync (
    migration text not null,
    source_table text not null,
    signal_id text not null,
    phase text not null default 'requested' check (phase in ('requested', 'copying', 'removing', 'done', 'failed')),
    marker text,
    marker_lsn pg_lsn,
    removed bigint not null default 0,
    fault text,
    requested_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (migration, source_table)
);
comment on table cdc_migrator.resync is 'CdcMigrator: tables copied again by the connector, after which rows the source no longer has are removed';
