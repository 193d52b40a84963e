-- What makes reading cost what is read, however much was replaced before and whatever is being written.

-- How far an edition reaches: its rows, how many, and between which row numbers they lie. Readers never look beyond.
alter table share_editions add column live bigint not null default 0;
alter table share_editions add column first_row bigint not null default 0;
alter table share_editions add column last_row bigint not null default 0;
update share_editions set
    live = (select count(*) from shared_records r
        where r.share = share_editions.share and r.born <= share_editions.edition and r.died > share_editions.edition),
    first_row = (select coalesce(min(r.row), 0) from shared_records r
        where r.share = share_editions.share and r.born <= share_editions.edition and r.died > share_editions.edition),
    last_row = (select coalesce(max(r.row), 0) from shared_records r
        where r.share = share_editions.share and r.born <= share_editions.edition);

-- Live rows have indexes of their own, so that dead versions lie in no reader's way. A schema's first two filters are often used
-- together, and have an index together.
drop index shared_records_by_shelf;
drop index shared_records_index_1;
drop index shared_records_index_2;
drop index shared_records_index_3;
create index shared_records_live on shared_records (shelf, row) where died = 9223372036854775807;
create index shared_records_live_1 on shared_records (shelf, index_1, row)
    where died = 9223372036854775807 and index_1 is not null;
create index shared_records_live_2 on shared_records (shelf, index_2, row)
    where died = 9223372036854775807 and index_2 is not null;
create index shared_records_live_1_2 on shared_records (shelf, index_1, index_2, row)
    where died = 9223372036854775807 and index_1 is not null and index_2 is not null;
create index shared_records_live_3 on shared_records (shelf, index_3, row)
    where died = 9223372036854775807 and index_3 is not null;

-- What an older edition still shows: the rows that died since, in the order of the rows.
drop index shared_records_dead;
create index shared_records_dead on shared_records (share, died, row) where died < 9223372036854775807;

-- A record is found in all shares of a shelf at once.
drop index shared_records_by_record;
create unique index shared_records_by_record on shared_records (shelf, record, share, born);

-- Which datasets are being written: nearly always none.
create index claims_dirty on claims (dataset) where dirty = 1;
