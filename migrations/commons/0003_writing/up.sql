-- What a large import needs to be fast, and a half-done one to be cleared away quickly.

-- The first 16 bytes of the SHA-256 of `body`: what a file does not change is known without reading the body. Null where an older
-- program wrote the row, whose body is then read.
alter table records add column hash bytea;

-- What one edition made, and what it closed: undoing it, showing it, clearing it away. Only closed rows pay for the second.
create index records_born on records (dataset, born, row);
create index records_dead on records (dataset, died, row) where died < 9223372036854775807;

-- A share's rows are found by their ledger names. Names are given in the order of the rows, so that a million new rows are added
-- at this index's end, and not at a million random places as under their records: that took five times as long. `share_names`,
-- written in the order of the records, leads from the one to the other, for all shares at once.
drop index shared_records_by_record;
create unique index shared_records_by_name on shared_records (share, name, born);
create index share_names_by_record on share_names (record, share, name);
-- A counter gives the names, so none can come twice.
drop index share_names_by_name;

-- How many transactions of the present claim have staged something: one that a crash of the database took back is noticed.
alter table claims add column staged bigint not null default 0;

-- The version of the program that read the file: the same file is not read again by the same program.
alter table imports add column read_by text;
