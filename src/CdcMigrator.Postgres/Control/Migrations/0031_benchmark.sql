-- The last result of each benchmark: queries of the application, timed on both sides.

create table cdc_migrator.benchmark_result (
    migration text not null,
    name text not null,
    fingerprint text not null,
    outcome text not null check (outcome in ('Passed', 'Slower', 'Different', 'Failed', 'Skipped')),
    reason text not null,
    results text not null,
    result_rows bigint not null,
    runs integer not null,
    source_p50 double precision not null,
    source_p95 double precision not null,
    target_p50 double precision not null,
    target_p95 double precision not null,
    ratio double precision not null,
    max_ratio numeric not null,
    at timestamptz not null,
    primary key (migration, name)
);
comment on table cdc_migrator.benchmark_result is 'CdcMigrator: the last result of each benchmark, in milliseconds; another fingerprint than the file''s counts for nothing';
