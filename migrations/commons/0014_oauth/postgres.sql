-- See the note on roles in `0001_commons`. A token is looked up in the snapshot that is read, and with it whether its consent stands.
grant select on tokens to hayward_reader;
grant select (id, ended_at) on consents to hayward_reader;
