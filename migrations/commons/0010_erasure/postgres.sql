-- See the note on roles in `0001_commons`: nothing of this is for other organizations.
revoke all on editions, erasures, suppressed_keys, erased_shares, erased_files, erasure_acks from hayward_reader;
