-- Records written one by one, requests that may be sent again, and how often a program may ask.

-- A single edit makes an edition too. What a column may hold cannot be changed: the table is made anew.
create table editions_and_edits (
    dataset bigint not null references datasets (number),
    edition bigint not null check (edition > 0),
    commit_number bigint not null,
    kind text not null check (kind in ('import', 'undo', 'erasure', 'edit')),
    import text,
    at bigint not null,
    -- Who edited; an import has its own.
    made_by text,
    primary key (dataset, edition)
);
insert into editions_and_edits (dataset, edition, commit_number, kind, import, at)
    select dataset, edition, commit_number, kind, import, at from editions;
drop table editions;
alter table editions_and_edits rename to editions;

-- Requests a second that a program may make; as many as every other where there is none.
alter table clients add column rate_limit bigint check (rate_limit > 0);

-- What was answered to a request that named an Idempotency-Key, for a day. Of the key and the request only hashes are kept; a body
-- may hold a cell of a list, and is gone with whoever is erased from a list of the organization.
create table kept_answers (
    caller text not null,
    key text not null,
    organization bigint not null references organizations (number),
    state text not null check (state in ('under_way', 'done', 'unknown')),
    request text,
    status bigint,
    headers text,
    body text,
    at bigint not null,
    primary key (caller, key),
    check ((state = 'done') = (request is not null and status is not null))
);
create index kept_answers_by_age on kept_answers (at);
create index kept_answers_by_organization on kept_answers (organization);
