-- What terms are read against, as in the first step.
grant select (ceiling) on datasets to hayward_reader;
