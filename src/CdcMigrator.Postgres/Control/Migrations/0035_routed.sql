-- Whether applications were told of the side that takes writes: the last attempt whose hooks have all been run.
alter table cdc_migrator.fence_state add column routed text not null default '';
