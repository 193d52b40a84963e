-- What an undo did: how many records it put back, how many it left as they were, and to whom they had been given. JSON.
alter table imports add column undone text;
