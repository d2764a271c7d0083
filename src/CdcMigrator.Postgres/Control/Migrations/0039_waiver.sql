-- Criteria of the gate that need not pass, by the word of a person: each for what was found of it then, and for nothing else.

create table cdc_migrator.waiver (
    migration text not null,
    criterion text not null,
    finding text not null,
    measured text not null,
    reason text not null check (reason <> ''),
    waived_by text not null check (waived_by <> ''),
    at timestamptz not null default clock_timestamp(),
    until timestamptz,
    primary key (migration, criterion)
);
comment on table cdc_migrator.waiver is 'CdcMigrator: criteria of the gate that a person waived; the journal keeps those that were revoked or replaced';
