-- What is checked beside the rows: counts, rules, constraints, schemas, sequences.

create table cdc_migrator.verification_check (
    migration text not null,
    kind text not null,
    at timestamptz not null,
    took interval not null,
    run bigint not null,
    evidence text,
    fault text,
    results json not null,
    more int not null,
    primary key (migration, kind)
);
comment on table cdc_migrator.verification_check is 'CdcMigrator: what each kind of check found when it was last made';
