-- Rows that became wrong although no change of them was read.
alter table cdc_migrator.verification_row add column unlogged boolean not null default false;
