-- Programs that act for people: where their answers go, what was allowed to them, and what they hold for it.

-- A public program (one on people's own machines) can keep no secret; its `secret_hash` is empty and fits nothing.
alter table clients add column kind text not null default 'confidential' check (kind in ('confidential', 'public'));
alter table clients add column contact text;
-- To the hour.
alter table clients add column used_at bigint;

-- Where a browser may be sent back to. Compared letter by letter.
create table redirect_uris (
    client text not null references clients (id),
    uri text not null,
    primary key (client, uri)
);

-- What a person allowed a program to do for their organization. Whatever the program was given for it works while this stands.
create table consents (
    id text primary key,
    client text not null references clients (id),
    person text not null references people (id),
    organization bigint not null references organizations (number),
    scopes text not null,
    given_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
);
create index consents_by_person on consents (person);
create index consents_by_client on consents (client);
create index consents_by_organization on consents (organization);

-- Of codes and tokens only hashes are kept.
create table authorization_codes (
    hash text primary key,
    consent text not null references consents (id),
    redirect_uri text not null,
    challenge text not null,
    expires_at bigint not null,
    used_at bigint
);
create index authorization_codes_by_consent on authorization_codes (consent);

-- Used ones are kept: one that is shown again ends the consent.
create table refresh_tokens (
    hash text primary key,
    consent text not null references consents (id),
    issued_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index refresh_tokens_by_consent on refresh_tokens (consent);

create table device_codes (
    hash text primary key,
    -- A hash, too, of what a person types.
    user_code text not null unique,
    client text not null references clients (id),
    scopes text not null,
    expires_at bigint not null,
    -- Seconds between two questions of the program; more, each time it asks too soon.
    pause bigint not null check (pause > 0),
    asked_at bigint,
    denied_at bigint,
    consent text references consents (id),
    used_at bigint,
    check (denied_at is null or consent is null)
);
create index device_codes_by_consent on device_codes (consent);

-- How many codes a person typed in an hour that were none.
create table code_guesses (
    person text not null references people (id),
    hour bigint not null,
    wrong bigint not null check (wrong > 0),
    primary key (person, hour)
);

-- A token is a person's, a program's, or a program's by a person's consent. Neither database changes a check in place.
create table tokens_next (
    hash text primary key,
    organization bigint not null references organizations (number),
    person text references people (id),
    client text references clients (id),
    consent text references consents (id),
    scopes text not null,
    issued_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,
    check (person is not null or client is not null),
    check ((consent is not null) = (person is not null and client is not null))
);
insert into tokens_next (hash, organization, person, client, scopes, issued_at, expires_at, revoked_at)
    select hash, organization, person, client, scopes, issued_at, expires_at, revoked_at from tokens;
drop table tokens;
alter table tokens_next rename to tokens;
create index tokens_by_consent on tokens (consent);
create index tokens_by_client on tokens (client);
