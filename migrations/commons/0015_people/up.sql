-- How people prove who they are, and what they have open.

-- A browser in which somebody is signed in. Only a hash of its cookie is kept.
create table page_sessions (
    id text primary key,
    hash text not null unique,
    person text not null references people (id),
    -- For which member co-op they act; null where they have none, or have not said yet which of several.
    organization bigint references organizations (number),
    -- The browser, in words of ours.
    program text not null,
    began_at bigint not null,
    used_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
);
create index page_sessions_by_person on page_sessions (person);

-- A person's bearer token has a name by which they can end it.
alter table tokens add column session text;
alter table tokens add column program text;
alter table tokens add column used_at bigint;
create unique index tokens_by_session on tokens (session) where session is not null;
create index tokens_by_person on tokens (person) where person is not null;

-- Guesses that failed, by whom they were made or at whom: a keyed hash, never an address.
create table attempts (
    who text primary key,
    failures bigint not null check (failures >= 0),
    last_at bigint not null,
    -- Before this nothing is tried.
    until bigint not null,
    -- When somebody last proved from here who they are.
    passed_at bigint
);
create index attempts_by_time on attempts (last_at);

-- The second step of signing in (RFC 6238): its secret is wrapped by the commons' key under `id`.
create table second_steps (
    person text primary key references people (id),
    id text not null unique,
    secret text not null,
    made_at bigint not null,
    confirmed_at bigint,
    -- The newest time step whose code was taken: no code works twice.
    last_step bigint not null default 0
);

create table recovery_codes (
    person text not null references people (id),
    hash text not null,
    used_at bigint,
    primary key (person, hash)
);

-- As whom an outside provider knows a person.
create table outside_identities (
    issuer text not null,
    subject text not null,
    person text not null references people (id),
    linked_at bigint not null,
    primary key (issuer, subject)
);
create index outside_identities_by_person on outside_identities (person);

-- A visit to an outside provider from which somebody may yet come back, once.
create table outside_visits (
    state text primary key,
    -- The hash of the cookie of the browser that left.
    browser text not null,
    issuer text not null,
    -- Who links, or whose invitation it is; neither where somebody signs in.
    person text references people (id),
    invite text,
    next text not null,
    expires_at bigint not null
);

-- What people are in the commons, beside operators.
create table offices (
    person text not null references people (id),
    role text not null check (role in ('facilitator', 'auditor')),
    primary key (person, role)
);
