-- The source's next transaction when a reader was first seen: until all before it are over reader_since stays null and no comparison counts, for of one that was open then the connector may have lost what it had written.
alter table cdc_migrator.source_slot add column reader_xid bigint;
