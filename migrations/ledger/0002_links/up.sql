-- An answer writes one row. Whom it concerns, and its place in the chains, the sealer writes down within seconds: until then the
-- few newest entries are looked through one by one. The sealer comes to those that it has not sealed yet.
delete from entry_parties where row > (select row from sealed where only_row = 1);
alter table entry_parties add column position bigint;
alter table entry_parties add column hash text;
update entry_parties set
    position = (select c.position from chain c join entries e on e.id = c.id and e.chunk = c.chunk
        where c.provider = entry_parties.organization and e.row = entry_parties.row),
    hash = (select c.hash from chain c join entries e on e.id = c.id and e.chunk = c.chunk
        where c.provider = entry_parties.organization and e.row = entry_parties.row);
-- It held every entry a second time, as its provider reads it.
drop table chain;
create unique index entry_parties_by_position on entry_parties (organization, position) where position is not null;
