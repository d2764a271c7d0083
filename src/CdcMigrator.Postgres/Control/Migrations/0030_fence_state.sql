-- Whether a side takes writes. The one row that decides a cutover is the one on the side that is left.
create table cdc_migrator.fence_state (
    migration text primary key,
    state text not null check (state in ('open', 'closed', 'sealed')),
    epoch bigint not null,
    token text not null default '',
    lease_until timestamptz not null default '-infinity',
    changed_at timestamptz not null default clock_timestamp()
);
comment on table cdc_migrator.fence_state is 'CdcMigrator: whether applications may write here; changed only with the fence itself, in one transaction';
