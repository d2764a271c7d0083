-- Whether anything is applied for now: claims lock this row, so that a pause either waits for them and shuts them out, or is seen by them.
alter table cdc_migrator.migration add column paused_at timestamptz, add column paused_by text, add column pause_reason text;
