-- The end of a migration: in the row that decides, so that no attempt can close a side that was told so.
alter table cdc_migrator.fence_state add column completed_at timestamptz, add column completed_by text;
