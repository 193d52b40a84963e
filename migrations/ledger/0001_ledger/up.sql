-- The ledger: a database of its own beside the commons (SQLite: a second file; PostgreSQL: the schema `ledger`), so that an entry never
-- waits for an import. Rows are only ever added.

create table entries (
    row integer primary key,
    -- One answer may be written in several chunks, each durable before its bytes leave.
    id text not null,
    chunk bigint not null,
    at bigint not null,
    recipient text not null,
    client text not null,
    channel text not null,
    request text not null,
    -- For each agreement: version, purpose, edition, fields, which records. JSON, never a value of a record.
    disclosed text not null
);

-- Who may read an entry: its recipient, and every provider whose agreement stands in it.
create table entry_parties (
    organization text not null,
    row bigint not null references entries (row),
    primary key (organization, row)
);
create unique index entries_by_id on entries (id, chunk);

-- Tokenless reads of public shares, counted by the hour.
create table public_reads (
    hour bigint not null,
    agreement text not null,
    version bigint not null,
    provider text not null,
    id text not null unique,
    purpose text not null,
    fields text not null,
    reads bigint not null,
    records bigint not null,
    primary key (hour, agreement, version, fields)
);
create index public_reads_by_provider on public_reads (provider, hour);

-- One hash chain a provider: `line` is the entry as that provider reads it, `hash` covers `previous` and `line`.
create table chain (
    provider text not null,
    position bigint not null check (position > 0),
    id text not null,
    chunk bigint not null,
    line text not null,
    previous text not null,
    hash text not null,
    primary key (provider, position)
);
create unique index chain_by_id on chain (provider, id, chunk);

create table checkpoints (
    provider text not null,
    position bigint not null,
    hash text not null,
    at bigint not null,
    signature text not null,
    primary key (provider, position)
);

-- How far the sealer has come: entries up to `row`, public hours before `hour`.
create table sealed (
    only_row bigint primary key check (only_row = 1),
    row bigint not null,
    hour bigint not null
);
insert into sealed (only_row, row, hour) values (1, 0, 0);

create table counters (
    name text primary key,
    next bigint not null
);
insert into counters (name, next) values ('entry', 1);
