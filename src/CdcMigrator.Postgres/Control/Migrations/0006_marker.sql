-- Markers met in the log, by whichever process met them: any process can prove a drain.

create table cdc_migrator.marker (
    migration text not null,
    id text not null,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (migration, id)
);
comment on table cdc_migrator.marker is 'CdcMigrator: fence markers met in the log; written before progress moves past them';
