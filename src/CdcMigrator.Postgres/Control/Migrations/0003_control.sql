-- What a side needs to be written to: who owns which lane, how far it is, what happened.

create table cdc_migrator.migration (
    name text primary key,
    phase text not null default 'Replicating',
    leader text,
    leader_until timestamptz,
    source_system text,
    source_timeline int,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp()
);
comment on table cdc_migrator.migration is 'CdcMigrator: one row a migration into this database';

create table cdc_migrator.progress (
    migration text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    commit_lsn pg_lsn not null default '0/0',
    lsn pg_lsn not null default '0/0',
    xid bigint not null default 0,
    epoch bigint not null default 1,
    backend_pid int,
    backend_start timestamptz,
    cluster_id text not null,
    topic_id text not null default '',
    partition_count int not null,
    frozen boolean not null default false,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (migration, topic, partition)
) with (fillfactor = 50);
comment on table cdc_migrator.progress is 'CdcMigrator: committed with the rows it describes; an owner with an older epoch cannot write';

-- First statement of every apply transaction: takes the row lock a new owner waits for, and ends the transaction if the lane is no longer ours.
create function cdc_migrator.advance(
    p_migration text, p_topic text, p_partition int, p_epoch bigint, p_from bigint, p_to bigint, p_commit_lsn pg_lsn, p_lsn pg_lsn, p_xid bigint)
returns void language plpgsql as $body$
declare
    v_now cdc_migrator.progress;
begin
    update cdc_migrator.progress
    set next_offset = p_to, commit_lsn = p_commit_lsn, lsn = p_lsn, xid = p_xid, backend_pid = pg_catalog.pg_backend_pid(), updated_at = pg_catalog.clock_timestamp()
    where migration = p_migration and topic = p_topic and partition = p_partition and next_offset = p_from and epoch = p_epoch and not frozen;
    if not found then
        select * into v_now from cdc_migrator.progress where migration = p_migration and topic = p_topic and partition = p_partition;
        if v_now.frozen then
            raise exception 'lane %[%] of migration % is frozen', p_topic, p_partition, p_migration using errcode = 'CDM02';
        end if;
        raise exception 'lane %[%] of migration % belongs to epoch % at offset %, not to epoch % at offset %',
            p_topic, p_partition, p_migration, v_now.epoch, v_now.next_offset, p_epoch, p_from using errcode = 'CDM01';
    end if;
end $body$;

create table cdc_migrator.journal (
    id bigint generated always as identity primary key,
    migration text not null,
    at timestamptz not null default clock_timestamp(),
    actor text not null,
    event text not null,
    evidence jsonb not null default '{}'
);
create index on cdc_migrator.journal (migration, id);
comment on table cdc_migrator.journal is 'CdcMigrator: append-only record of what was done, by whom, on what evidence';

create table cdc_migrator.dead_letter (
    id bigint generated always as identity primary key,
    migration text not null,
    topic text not null,
    partition int not null,
    record_offset bigint not null,
    table_name text not null,
    row_key text not null,
    code text not null,
    message text not null,
    record_key bytea,
    record_value bytea,
    headers jsonb not null default '[]',
    parked_at timestamptz not null default clock_timestamp(),
    unique (migration, topic, partition, record_offset)
);
comment on table cdc_migrator.dead_letter is 'CdcMigrator: records that could not be applied, with every later record of their keys';

create table cdc_migrator.verification_run (
    id uuid primary key,
    migration text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    verdict text,
    evidence jsonb not null default '{}'
);
create index on cdc_migrator.verification_run (migration, started_at);

create table cdc_migrator.verification_table (
    run_id uuid not null references cdc_migrator.verification_run on delete cascade,
    source_table text not null,
    target_table text not null,
    verdict text not null,
    rows_source bigint,
    rows_target bigint,
    rows_compared bigint,
    in_flight bigint not null default 0,
    mismatches jsonb not null default '[]',
    verified_at timestamptz not null default clock_timestamp(),
    primary key (run_id, source_table)
);
