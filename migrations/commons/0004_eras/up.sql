-- Restoring a backup starts an era. What came after commit `since` belongs to it, until the next one begins: so every edition has
-- its era through its commit number.
create table eras (
    mark text primary key,
    since bigint not null unique,
    began_at bigint not null
);
