-- What a side needs to be read from: markers and the heartbeat travel through this table, so it is captured with the others.
create table if not exists cdc_migrator.fence (
    id text primary key,
    v text
);
comment on table cdc_migrator.fence is 'CdcMigrator: markers and heartbeat, captured by the connector';
