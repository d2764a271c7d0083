-- What is known of tables' equality, and the runs that found it out. The tables made before it for this were never written.

drop table cdc_migrator.verification_table;
drop table cdc_migrator.verification_run;

create table cdc_migrator.verification_run (
    migration text not null,
    run bigint generated always as identity,
    requested_by text not null,
    requested_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    state text not null default 'running' check (state in ('running', 'finished', 'stopped')),
    primary key (migration, run)
);
comment on table cdc_migrator.verification_run is 'CdcMigrator: full comparisons that were asked for';

create table cdc_migrator.verification_result (
    migration text not null,
    run bigint not null,
    source_table text not null,
    target_table text not null,
    verdict text,
    reason text,
    rows_source bigint not null default 0,
    rows_target bigint not null default 0,
    wrong bigint not null default 0,
    in_flight bigint not null default 0,
    evidence text,
    finished_at timestamptz,
    primary key (migration, run, source_table),
    foreign key (migration, run) references cdc_migrator.verification_run on delete cascade
);
comment on table cdc_migrator.verification_result is 'CdcMigrator: what a run found of each of its tables; without a verdict while it is under way';

create table cdc_migrator.verification_table (
    migration text not null,
    source_table text not null,
    run bigint not null,
    phase text not null,
    cursor text[],
    rows_source bigint not null,
    rows_target bigint not null,
    estimated_rows bigint not null,
    shape text not null,
    key_columns text[] not null,
    covered boolean not null,
    covered_at timestamptz,
    equal_at timestamptz,
    wrong_truncated boolean not null,
    dirty_keys integer not null,
    verified_offsets jsonb not null,
    verdict text not null,
    reason text,
    evidence text,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (migration, source_table)
);
comment on table cdc_migrator.verification_table is 'CdcMigrator: what is known of each table; a change that is not verified lies at or behind verified_offsets';

create table cdc_migrator.verification_row (
    migration text not null,
    source_table text not null,
    key text[] not null,
    kind text check (kind in ('missing', 'extra', 'different')),
    columns text[] not null default '{}',
    since timestamptz not null,
    primary key (migration, source_table, key)
);
comment on table cdc_migrator.verification_row is 'CdcMigrator: rows that are wrong, and, without a kind, rows that were on their way when they were compared';

create table cdc_migrator.verification_beat (
    migration text primary key,
    at timestamptz not null,
    behind bigint not null,
    fault text
);
comment on table cdc_migrator.verification_beat is 'CdcMigrator: the last sign of life of what compares, and how many records it had still to read';
