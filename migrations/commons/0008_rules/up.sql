-- Rules for approving, conflicts of interest, certificates, and schemas that go on.

-- How many stewards have to approve, by how much harm can be done with what is shown: one rule became four.
alter table organizations rename column approval_rule to rule_public;
alter table organizations add column rule_internal text not null default '1' check (rule_internal in ('1', '2', 'all'));
alter table organizations add column rule_personal text not null default '1' check (rule_personal in ('1', '2', 'all'));
alter table organizations add column rule_special text not null default '1' check (rule_special in ('1', '2', 'all'));
update organizations set rule_internal = rule_public, rule_personal = rule_public, rule_special = rule_public;

-- Who declared a conflict of interest on an agreement: not counted on any version of it, for good.
create table recusals (
    agreement bigint not null references agreements (number),
    person text not null references people (id),
    side text not null check (side in ('provider', 'recipient')),
    reason text not null,
    at bigint not null,
    primary key (agreement, person)
);

-- What was declared in the end: that the copies are deleted, or kept under the terms; signed with the commons' key.
create table certificates (
    agreement bigint not null,
    version bigint not null,
    document text not null,
    signature text not null,
    key text not null,
    primary key (agreement, version),
    foreign key (agreement, version) references agreement_versions (agreement, version)
);

-- The commit since which agreements over a list are read as they are: it grows when a version of the schema is registered, and when
-- the list goes on to one. And the newest edition from before that.
alter table datasets add column ceiling bigint not null default 0;
alter table datasets add column schema_since bigint not null default 0;
