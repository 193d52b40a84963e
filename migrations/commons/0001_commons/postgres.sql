-- PostgreSQL's side of `up.sql`. SQLite numbers rows by `integer primary key`, which is 64 bits wide there and 32 here.
alter table records alter column row type bigint;
alter table shared_records alter column row type bigint;
alter table agreement_events alter column number type bigint;

-- Text sorts by bytes on both databases.
alter table records alter column key type text collate "C";
alter table shared_records alter column index_1 type text collate "C";
alter table shared_records alter column index_2 type text collate "C";
alter table shared_records alter column index_3 type text collate "C";

-- Whoever serves another organization's rows does it under this role: a mistake in the program is then not yet a leak.
do $$ begin
    create role hayward_reader nologin;
exception when duplicate_object or unique_violation then null;
end $$;
do $$ begin
    execute format('grant hayward_reader to %I', current_user);
exception when others then null; -- a superuser needs no grant; without either, `set role` fails and nothing is served
end $$;
grant select on settings, commit_counter, schemas, organizations, positions, clients, tokens, agreements, agreement_versions,
    shelves, shares, share_editions, share_openings, shared_records to hayward_reader;
-- What terms are read against. How a list is called and how often it changed is its owner's.
grant select (number, id, organization, schema_name, schema_version) on datasets to hayward_reader;
