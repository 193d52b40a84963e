-- When an edition of a share came: what has changed since a moment is found by it. Where no edition of the list came with the same
-- commit, it was building that made it, and that followed when the agreement last began to be in force.
alter table share_editions add column at bigint not null default 0;
update share_editions set at = coalesce(
    (select max(e.at) from shares s join editions e on e.dataset = s.dataset
        where s.number = share_editions.share and e.commit_number = share_editions.commit_number),
    (select max(v.at) from agreement_events v where v.agreement = share_editions.share and v.state = 'active'),
    0);
