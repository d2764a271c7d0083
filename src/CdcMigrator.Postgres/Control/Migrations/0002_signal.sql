-- Debezium's signal table: what is inserted here tells the connector to copy a table again, in between its changes.
create table if not exists cdc_migrator.signal (
    id varchar(64) primary key,
    type varchar(32) not null,
    data varchar(2048)
);
comment on table cdc_migrator.signal is 'CdcMigrator: signals to the connector, captured by it';
