-- Readers look whether a commit under way has closed rows that they still see. What it is for is not theirs to know.
grant select (dataset, dirty) on claims to hayward_reader;
