-- What running a commons needs: people who may no longer sign in, invitations, secrets that are exchanged, keys that were retired.

alter table people add column disabled_at bigint;

-- While a program's secret is exchanged, the former one goes on working until then.
alter table clients add column former_hash text;
alter table clients add column former_until bigint;

-- Somebody who may become a person here, once. Only a hash of the key is kept, as with tokens.
create table invites (
    id text primary key,
    hash text not null unique,
    email text not null,
    organization bigint not null references organizations (number),
    -- Words with spaces between.
    roles text not null,
    made_at bigint not null,
    expires_at bigint not null,
    accepted_at bigint,
    person text references people (id),
    revoked_at bigint,
    check ((accepted_at is null) = (person is null)),
    check (accepted_at is null or revoked_at is null)
);
create index invites_by_organization on invites (organization);

-- Public halves of keys that signed checkpoints once: what they signed still verifies. The retired key signed its successor.
create table retired_keys (
    key text primary key,
    successor text not null,
    signature text not null,
    retired_at bigint not null
);

-- What the operator did, and to what. Never a value of a record.
create table acts (
    number integer primary key,
    at bigint not null,
    act text not null,
    subject text not null
);
