-- Which life of the connector sent the rows of a table's initial snapshot, and when another one was seen to begin it again: what was deleted in between is in no log.

create table cdc_migrator.snapshot_run (
    migration text not null,
    source_table text not null,
    run bigint not null,
    begun_again_at timestamptz,
    primary key (migration, source_table)
);
comment on table cdc_migrator.snapshot_run is 'CdcMigrator: who sent the initial snapshot of a table; begun_again_at: rows of two snapshots are in the target';
