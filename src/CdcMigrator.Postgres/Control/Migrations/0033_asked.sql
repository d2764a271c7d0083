-- What the migration file asked when a check was made: a fingerprint of each thing, by name. What it asks otherwise now has no answer.
alter table cdc_migrator.verification_check add column asked jsonb not null default '{}';
