-- Where in the log each lane was last taken over: rows that changed about there are the first to be looked at.

create table cdc_migrator.lane_claim (
    migration text not null,
    topic text not null,
    partition int not null,
    epoch bigint not null,
    next_offset bigint not null,
    cluster_id text not null,
    at timestamptz not null default clock_timestamp(),
    primary key (migration, topic, partition, epoch),
    foreign key (migration, topic, partition) references cdc_migrator.progress on delete cascade
);
comment on table cdc_migrator.lane_claim is 'CdcMigrator: the last claims of each lane; written with the claim';
