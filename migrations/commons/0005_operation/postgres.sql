-- See the note on widths in 0001's `postgres.sql`.
alter table acts alter column number type bigint;
