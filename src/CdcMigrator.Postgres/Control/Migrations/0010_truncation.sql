-- Tables truncated in the source whose changes come through several lanes: what lies below the LSN was truncated away, whichever lane brings it.
create table cdc_migrator.truncation (
    migration text not null,
    topic text not null,
    source_table text not null,
    lsn pg_lsn not null,
    primary key (migration, topic, source_table)
);
comment on table cdc_migrator.truncation is 'CdcMigrator: latest TRUNCATE applied to a table in several lanes';
