-- What lanes of tables without a key remember, so that nothing they write is written twice: such rows cannot be upserted.

create table cdc_migrator.keyless_snapshot (
    migration text not null,
    topic text not null,
    partition int not null,
    lsn pg_lsn not null,
    run bigint not null,
    primary key (migration, topic, partition),
    foreign key (migration, topic, partition) references cdc_migrator.progress on delete cascade
);
comment on table cdc_migrator.keyless_snapshot is 'CdcMigrator: the snapshot whose rows a keyless table was filled with';

create table cdc_migrator.keyless_transaction (
    id bigint generated always as identity,
    migration text not null,
    topic text not null,
    partition int not null,
    xid bigint not null,
    lsn pg_lsn not null,
    run bigint not null,
    seen int not null,
    applied int not null,
    primary key (migration, topic, partition, xid),
    foreign key (migration, topic, partition) references cdc_migrator.progress on delete cascade
);
create index on cdc_migrator.keyless_transaction (migration, topic, partition, id);
comment on table cdc_migrator.keyless_transaction is 'CdcMigrator: how far the latest source transactions were applied to keyless tables, committed with their rows';
