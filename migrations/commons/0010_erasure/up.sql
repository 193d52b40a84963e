-- People who were taken out of a list for good, because they asked for it.

-- An erasure makes an edition too. What a column may hold cannot be changed: the table is made anew.
create table editions_and_erasures (
    dataset bigint not null references datasets (number),
    edition bigint not null check (edition > 0),
    commit_number bigint not null,
    kind text not null check (kind in ('import', 'undo', 'erasure')),
    import text,
    at bigint not null,
    primary key (dataset, edition)
);
insert into editions_and_erasures (dataset, edition, commit_number, kind, import, at)
    select dataset, edition, commit_number, kind, import, at from editions;
drop table editions;
alter table editions_and_erasures rename to editions;

-- Never a value of the record: its number, which nothing has any more, and who said so.
create table erasures (
    id text primary key,
    dataset bigint not null references datasets (number),
    record bigint not null,
    -- The edition that it made, and its commit.
    edition bigint not null,
    commit_number bigint not null,
    at bigint not null,
    ordered_by text not null,
    reason text not null,
    -- Whether it stands in the journal.
    noted bigint not null default 0 check (noted in (0, 1)),
    -- When the last of what it reaches was gone.
    done_at bigint,
    lifted_at bigint,
    lifted_by text,
    lift_reason text,
    check ((lifted_at is null) = (lifted_by is null))
);
create index erasures_by_dataset on erasures (dataset, commit_number);
create index erasures_unfinished on erasures (id) where done_at is null or noted = 0;

-- Keys that a file does not bring back, as hashes under a key of the commons: see `keys.rs`.
create table suppressed_keys (
    dataset bigint not null references datasets (number),
    hash text not null,
    erasure text not null references erasures (id),
    primary key (dataset, hash, erasure)
);

-- The shares that showed the record, and the edition of each that no longer does.
create table erased_shares (
    erasure text not null references erasures (id),
    share bigint not null references shares (number),
    name bigint not null,
    gone_in bigint not null,
    commit_number bigint not null,
    primary key (erasure, share)
);

-- The imports that the erasure reached, and whether the file of each was kept until then.
create table erased_files (
    erasure text not null references erasures (id),
    import text not null,
    had_file bigint not null check (had_file in (0, 1)),
    primary key (erasure, import)
);

-- Who said that the removal is applied.
create table erasure_acks (
    erasure text not null references erasures (id),
    share bigint not null references shares (number),
    organization bigint not null references organizations (number),
    at bigint not null,
    said_by text not null,
    primary key (erasure, share, organization)
);
