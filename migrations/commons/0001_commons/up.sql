-- The whole commons but the ledger. One text for both databases: times are microseconds since 1970 (bigint), truth is 0 or 1,
-- 9223372036854775807 as `died` or `closed` means "not yet". What PostgreSQL needs besides stands in `postgres.sql` beside this file.

create table settings (
    name text primary key,
    value text not null
);

-- Numbers that never go back, whatever is deleted or rolled back.
create table counters (
    name text primary key,
    next bigint not null check (next > 0)
);
insert into counters (name, next) values
    ('organization', 1), ('dataset', 1), ('agreement', 1), ('shelf', 1),
    ('record', 1), ('record_row', 1), ('shared_row', 1), ('event', 1);

-- One row, updated first in every transaction that changes what can be read: number order is commit order.
create table commit_counter (
    only_row bigint primary key check (only_row = 1),
    number bigint not null,
    -- Editions that older commits could see are gone.
    pruned bigint not null default 0
);
insert into commit_counter (only_row, number) values (1, 0);

create table schemas (
    name text not null,
    version bigint not null check (version > 0),
    collection text not null,
    document text not null,
    registered_at bigint not null,
    primary key (name, version)
);

create table organizations (
    number bigint primary key check (number > 0),
    id text not null unique,
    slug text not null unique,
    name text not null,
    approval_rule text not null default '1' check (approval_rule in ('1', '2', 'all')),
    created_at bigint not null
);

create table people (
    id text primary key,
    email text not null unique,
    name text not null,
    password_hash text not null,
    operator bigint not null default 0 check (operator in (0, 1)),
    created_at bigint not null
);

create table positions (
    person text not null references people (id),
    organization bigint not null references organizations (number),
    role text not null check (role in ('owner', 'steward', 'editor', 'developer', 'viewer')),
    primary key (person, organization, role)
);
create index positions_by_organization on positions (organization);

create table clients (
    id text primary key,
    organization bigint not null references organizations (number),
    name text not null,
    secret_hash text not null,
    scopes text not null,
    created_at bigint not null,
    revoked_at bigint
);
create index clients_by_organization on clients (organization);

-- Only a hash of a token is kept: who reads this table can use none of them.
create table tokens (
    hash text primary key,
    organization bigint not null references organizations (number),
    person text references people (id),
    client text references clients (id),
    scopes text not null,
    issued_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,
    check ((person is null) <> (client is null))
);

create table datasets (
    number bigint primary key check (number > 0),
    id text not null unique,
    organization bigint not null references organizations (number),
    schema_name text not null,
    schema_version bigint not null,
    name text not null,
    head bigint not null default 0 check (head >= 0),
    created_at bigint not null,
    unique (organization, name),
    foreign key (schema_name, schema_version) references schemas (name, version)
);

-- Who may write a dataset now. `token` grows with every claim and fences off a claimer that was thought dead.
create table claims (
    dataset bigint primary key references datasets (number),
    token bigint not null default 0,
    purpose text,
    until bigint not null default 0,
    -- 1 from before the first staged row until nothing staged is left.
    dirty bigint not null default 0 check (dirty in (0, 1))
);

-- Originals. Live at edition e when born <= e < died.
create table records (
    row integer primary key,
    dataset bigint not null references datasets (number),
    record bigint not null,
    key text not null,
    body text not null,
    born bigint not null,
    died bigint not null default 9223372036854775807,
    check (born < died)
);
create unique index records_live on records (dataset, key) where died = 9223372036854775807;
create unique index records_by_record on records (dataset, record, born);

create table editions (
    dataset bigint not null references datasets (number),
    edition bigint not null check (edition > 0),
    commit_number bigint not null,
    kind text not null check (kind in ('import', 'undo')),
    import text,
    at bigint not null,
    primary key (dataset, edition)
);

create table imports (
    id text primary key,
    dataset bigint not null references datasets (number),
    state text not null check (state in
        ('reading', 'draft', 'checked', 'committing', 'committed', 'undone', 'interrupted', 'failed', 'cancelled')),
    filename text not null,
    file_hash text not null,
    size bigint not null,
    reading text,
    profile text,
    columns text,
    matching text,
    counts text,
    problem_count bigint not null default 0,
    -- The dataset's edition that the counts and the diff were made against.
    edition bigint not null default 0,
    committed_edition bigint,
    -- Why it failed: a code and a sentence without values.
    failure text,
    made_by text not null,
    made_at bigint not null,
    changed_at bigint not null
);
create index imports_by_dataset on imports (dataset, made_at);

create table import_chunks (
    import text not null references imports (id) on delete cascade,
    position bigint not null,
    bytes bytea not null,
    primary key (import, position)
);

create table import_problems (
    import text not null references imports (id) on delete cascade,
    position bigint not null,
    problem text not null,
    primary key (import, position)
);

create table agreements (
    number bigint primary key check (number > 0),
    id text not null unique,
    provider bigint not null references organizations (number),
    -- Null where the audience is all member co-ops or the public.
    recipient bigint references organizations (number),
    -- An organization's number, 0 for all member co-ops, -1 for the public.
    audience bigint not null,
    dataset bigint not null references datasets (number),
    -- The agreement's own secret, wrapped by the commons' key: pseudonyms and pseudonymous ids hang on it. Gone once closed.
    secret text,
    created_at bigint not null,
    check ((recipient is null) = (audience <= 0)),
    check (recipient is null or recipient <> provider)
);
create index agreements_by_provider on agreements (provider);
create index agreements_by_recipient on agreements (recipient);
create index agreements_by_dataset on agreements (dataset);

create table agreement_versions (
    agreement bigint not null references agreements (number),
    version bigint not null check (version > 0),
    state text not null check (state in ('requested', 'offered', 'agreed', 'active', 'suspended',
        'superseded', 'expired', 'ended', 'closed', 'terminated')),
    terms text not null,
    hash text not null,
    proposed_by text not null check (proposed_by in ('provider', 'recipient')),
    -- The person who proposed; null where a program did.
    proposer text references people (id),
    suspended_by text not null default '',
    -- Instants of the first and after the last day, in the commons' time zone.
    starts_at bigint not null,
    ends_at bigint not null,
    agreed_at bigint,
    created_at bigint not null,
    primary key (agreement, version),
    check (starts_at < ends_at)
);
create unique index agreement_versions_in_force on agreement_versions (agreement) where state in ('active', 'suspended');
create unique index agreement_versions_open on agreement_versions (agreement) where state in ('requested', 'offered', 'agreed');
create index agreement_versions_due on agreement_versions (ends_at)
    where state in ('requested', 'offered', 'agreed', 'active', 'suspended');

create table approvals (
    agreement bigint not null,
    version bigint not null,
    person text not null references people (id),
    side text not null check (side in ('provider', 'recipient')),
    -- What was approved, to the byte.
    hash text not null,
    at bigint not null,
    primary key (agreement, version, person),
    foreign key (agreement, version) references agreement_versions (agreement, version)
);

-- Every transition, with who did it. A state without its event cannot be written.
create table agreement_events (
    number integer primary key,
    agreement bigint not null,
    version bigint not null,
    event text not null,
    state text not null,
    side text,
    actor text,
    reason text,
    at bigint not null,
    foreign key (agreement, version) references agreement_versions (agreement, version)
);
create index agreement_events_by_agreement on agreement_events (agreement);

-- An audience's rows of one collection lie together.
create table shelves (
    number bigint primary key check (number > 0),
    audience bigint not null,
    collection text not null,
    unique (audience, collection)
);

-- What one agreement shows. Its number is the agreement's.
create table shares (
    number bigint primary key references agreements (number),
    shelf bigint not null references shelves (number),
    dataset bigint not null references datasets (number),
    -- The version whose terms the rows were made under.
    version bigint not null,
    head bigint not null default 0 check (head >= 0),
    -- Editions below it answer nothing to anyone.
    floor bigint not null default 0,
    -- 1 while it answers: in force, built, and not suspended.
    open bigint not null default 0 check (open in (0, 1)),
    -- The highest ledger name given out; see share_names.
    named bigint not null default 0
);
create index shares_by_shelf on shares (shelf);
create index shares_by_dataset on shares (dataset);

create table share_editions (
    share bigint not null references shares (number),
    edition bigint not null check (edition > 0),
    commit_number bigint not null,
    primary key (share, edition)
);

-- When a share answered: from commit `opened` on, until commit `closed`.
create table share_openings (
    share bigint not null references shares (number),
    opened bigint not null,
    closed bigint not null default 9223372036854775807,
    primary key (share, opened),
    check (opened < closed)
);

-- What recipients read, and all they read. Live at share edition e when born <= e < died.
create table shared_records (
    row integer primary key,
    shelf bigint not null references shelves (number),
    share bigint not null references shares (number),
    record bigint not null,
    -- The name of this record in the ledger, within its share.
    name bigint not null,
    -- The very bytes that are sent; null once narrowing took them back.
    payload text,
    -- The values of the schema's indexed fields, as text.
    index_1 text,
    index_2 text,
    index_3 text,
    born bigint not null,
    died bigint not null default 9223372036854775807,
    check (born < died)
);
create index shared_records_by_shelf on shared_records (shelf, row);
create unique index shared_records_by_record on shared_records (share, record, born);
create index shared_records_dead on shared_records (share, died) where died < 9223372036854775807;
create index shared_records_born on shared_records (share, born);
create index shared_records_index_1 on shared_records (shelf, index_1, row) where index_1 is not null;
create index shared_records_index_2 on shared_records (shelf, index_2, row) where index_2 is not null;
create index shared_records_index_3 on shared_records (shelf, index_3, row) where index_3 is not null;

-- Which record a ledger name stands for: given once, never reused, never pruned.
create table share_names (
    share bigint not null references shares (number),
    name bigint not null,
    record bigint not null,
    primary key (share, record)
);
create unique index share_names_by_name on share_names (share, name);
