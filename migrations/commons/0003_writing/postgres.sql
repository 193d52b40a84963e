-- A recipient asks for a record by its number; which row that is, `share_names` tells.
grant select on share_names to hayward_reader;
