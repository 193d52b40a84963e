-- The era of the commons in which it was written; null for what was written before there were eras.
alter table entries add column era text;
alter table checkpoints add column era text;
