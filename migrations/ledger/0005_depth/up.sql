-- What an entry is: a disclosure, a preview or a refusal. Null for what was written before there was a difference: disclosures.
alter table entries add column kind text;

-- Requests under an agreement that did not answer them, counted by the hour: however often a program asks, a row an hour.
create table refusals (
    hour bigint not null,
    agreement text not null,
    version bigint not null,
    provider text not null,
    recipient text not null,
    client text not null,
    id text not null unique,
    purpose text not null,
    times bigint not null,
    primary key (hour, agreement, client)
);
create index refusals_by_provider on refusals (provider, hour);
create index refusals_by_recipient on refusals (recipient, hour);

-- In which entries an agreement stands, and between which numbers the records lie that were given: so that a record, or an
-- agreement, is found among millions of entries. Filled behind the sealer; only entries after `indexed_to` are looked through.
create table entry_agreements (
    agreement text not null,
    row bigint not null references entries (row),
    low bigint not null,
    high bigint not null,
    primary key (agreement, row)
);

-- What recipients were given under each version, added up. The field '' stands for the answers as a whole.
create table given_fields (
    agreement text not null,
    recipient text not null,
    version bigint not null,
    channel text not null,
    field text not null,
    answers bigint not null,
    records bigint not null,
    first_at bigint not null,
    last_at bigint not null,
    primary key (agreement, recipient, version, channel, field)
);

-- How far the two have come.
create table indexed_to (
    only_row bigint primary key check (only_row = 1),
    row bigint not null
);
insert into indexed_to (only_row, row) values (1, 0);
