-- Which number a key had whose record is gone: it comes back under it.
create index records_former on records (dataset, key, record) where died < 9223372036854775807;
