-- Which process compares, as a number that grows with each: one that lost its lease without noticing can write no more.

alter table cdc_migrator.verification_beat add column owner bigint not null default 0;
