-- Who reads the source's slot, and when that was first seen: what a connector lost when it stopped is in no log, so that what was compared before counts no more.
alter table cdc_migrator.source_slot add column reader text not null default '', add column reader_since timestamptz;
