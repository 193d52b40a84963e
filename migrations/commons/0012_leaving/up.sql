-- When a member co-op left the commons, and when what it had put in was dropped.
alter table organizations add column left_at bigint;
alter table organizations add column dropped_at bigint;
