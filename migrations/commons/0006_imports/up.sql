-- What importing at depth needs.

-- What somebody said about how the file is to be read, where the guess was wrong.
alter table imports add column overrules text;
-- The problems, those that are one mistake told once.
alter table imports add column problem_groups text;
-- How far the work on it is, while somebody is at work.
alter table imports add column progress text;
-- Which counting of its rows was begun last: what an earlier one has still to say is not written down.
alter table imports add column counting bigint not null default 0;
