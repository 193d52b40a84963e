-- See the note on widths in the commons' own `postgres.sql`.
alter table entries alter column row type bigint;
