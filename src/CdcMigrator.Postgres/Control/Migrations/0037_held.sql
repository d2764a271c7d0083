-- An attempt that has told applications to wait and has not closed the side yet: its token and number, until when that holds without being renewed, and whether somebody is letting them go again in its stead.
alter table cdc_migrator.fence_state
    add column held text not null default '',
    add column held_epoch bigint not null default 0,
    add column held_until timestamptz not null default '-infinity',
    add column releasing boolean not null default false;
