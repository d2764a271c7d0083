-- When the pass under way compared its first row: what it will have covered is no fresher than that.
alter table cdc_migrator.verification_table add column pass_began_at timestamptz;
