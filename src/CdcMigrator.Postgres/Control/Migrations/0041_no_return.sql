-- Whether a sealed side was left without a way back: nothing that the other side commits is applied here, ever.
alter table cdc_migrator.fence_state add column no_return boolean not null default false;
