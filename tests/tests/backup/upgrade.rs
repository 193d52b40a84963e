//! A database of the released program, opened by this one.

use hayward_domain::agreement::{ApprovalRule, Rules};
use hayward_tests::{Kind, TestDatabase, on_both};

use crate::raw;
use crate::world::{World, backed_up, opened, restored};

/// What every later step has made is unmade, the newest first.
const BACK: &str = "
    alter table share_editions drop column at;
    drop table kept_answers; alter table clients drop column rate_limit; alter table editions drop column made_by;
    drop index tokens_by_session; drop index tokens_by_person; alter table tokens drop column session;
    alter table tokens drop column program; alter table tokens drop column used_at;
    drop table page_sessions; drop table attempts; drop table second_steps; drop table recovery_codes;
    drop table offices;
    create table tokens_before (
        hash text primary key, organization bigint not null references organizations (number), person text references people (id),
        client text references clients (id), scopes text not null, issued_at bigint not null, expires_at bigint not null,
        revoked_at bigint, check ((person is null) <> (client is null)));
    insert into tokens_before select hash, organization, person, client, scopes, issued_at, expires_at, revoked_at from tokens;
    drop table tokens; alter table tokens_before rename to tokens;
    drop table code_guesses; drop table device_codes; drop table refresh_tokens; drop table authorization_codes;
    drop table consents; drop table redirect_uris;
    alter table clients drop column kind; alter table clients drop column contact; alter table clients drop column used_at;
    drop index records_former;
    drop table certificates; drop table recusals;
    alter table datasets drop column ceiling; alter table datasets drop column schema_since;
    alter table organizations drop column rule_internal; alter table organizations drop column rule_personal;
    alter table organizations drop column rule_special; alter table organizations rename column rule_public to approval_rule;
    drop table erasure_acks; drop table erased_files; drop table erased_shares; drop table suppressed_keys; drop table erasures;
    alter table organizations drop column left_at; alter table organizations drop column dropped_at;
    alter table imports drop column undone;
    alter table imports drop column overrules; alter table imports drop column problem_groups;
    alter table imports drop column progress; alter table imports drop column counting;
    drop table invites; drop table retired_keys; drop table acts;
    alter table people drop column disabled_at;
    alter table clients drop column former_hash; alter table clients drop column former_until;
    drop table eras; delete from settings where name = 'commons';
    create unique index share_names_by_name on share_names (share, name);
    drop index share_names_by_record; drop index shared_records_by_name;
    drop index records_born; drop index records_dead; alter table records drop column hash;
    create unique index shared_records_by_record on shared_records (share, record, born);
    drop index claims_dirty; alter table claims drop column staged; alter table imports drop column read_by; drop index shared_records_dead;
    drop index shared_records_live; drop index shared_records_live_1; drop index shared_records_live_2;
    drop index shared_records_live_1_2; drop index shared_records_live_3;
    create index shared_records_dead on shared_records (share, died) where died < 9223372036854775807;
    create index shared_records_by_shelf on shared_records (shelf, row);
    create index shared_records_index_1 on shared_records (shelf, index_1, row) where index_1 is not null;
    create index shared_records_index_2 on shared_records (shelf, index_2, row) where index_2 is not null;
    create index shared_records_index_3 on shared_records (shelf, index_3, row) where index_3 is not null;
    alter table share_editions drop column live; alter table share_editions drop column first_row;
    alter table share_editions drop column last_row;
    delete from migrations where name <> '0001_commons'";

/// What each database has besides.
const NO_WORDS: &str = "drop trigger shared_words_gone; drop trigger shared_words_erased; drop table shared_words";
const NO_WORDS_ON_POSTGRES: &str = "
    drop trigger shared_words_gone on shared_records; drop trigger shared_words_erased on shared_records;
    drop function forget_shared_words; drop table shared_words";

/// The same for the ledger, whose chains were a table of their own.
const LEDGER_BACK: &str = "
    drop table refusals; drop table entry_agreements; drop table given_fields; drop table indexed_to;
    alter table entries drop column kind;
    alter table entries drop column era; alter table checkpoints drop column era;
    create table chain (
        provider text not null, position bigint not null check (position > 0), id text not null, chunk bigint not null,
        line text not null, previous text not null, hash text not null, primary key (provider, position));
    create unique index chain_by_id on chain (provider, id, chunk);
    insert into chain (provider, position, id, chunk, line, previous, hash)
        select p.organization, p.position, e.id, e.chunk, '', coalesce(q.hash, ''), p.hash from entry_parties p
        join entries e on e.row = p.row
        left join entry_parties q on q.organization = p.organization and q.position = p.position - 1
        where p.position is not null;
    drop index entry_parties_by_position;
    alter table entry_parties drop column position; alter table entry_parties drop column hash;
    delete from migrations where name <> '0001_ledger'";

/// Takes a commons back to the steps of the first release.
fn as_released(db: &TestDatabase) {
    raw::tell(db, if db.kind() == Kind::Postgres { NO_WORDS_ON_POSTGRES } else { NO_WORDS });
    raw::tell(db, BACK);
    raw::ledger::tell(db, LEDGER_BACK);
}

on_both! {
    fn a_database_of_the_first_release_goes_on_under_this_program(world: World) {
        world.disclose_without_an_era(2);
        let World { commons, a, b, list, agreement, .. } = world;
        let before = commons.list(&b.viewer, "organizations");
        commons.store.set_approval_rule(b.number, "2").unwrap();
        as_released(commons.database());
        let store = commons.another_store().unwrap();
        assert!(!store.commons_id().is_empty());
        let rules = [store.approval_rules(a.number).unwrap(), store.approval_rules(b.number).unwrap()];
        assert_eq!(rules, [Rules::all(ApprovalRule::One), Rules::all(ApprovalRule::Two)], "one rule holds for everything");
        assert_eq!(raw::count(commons.database(), "eras"), 1);
        assert_eq!((before.len(), commons.list(&b.viewer, "organizations")), (3, before));
        // Its chain holds on: old entries have no era, new ones have.
        let ledger = hayward_store::LedgerStore::open(&crate::world::address(commons.database())).unwrap();
        ledger.begin_in(store.era());
        let page = ledger.entries(a.id.as_str(), None, 10).unwrap();
        // The hour that is not over yet becomes an entry of today.
        let sealed: Vec<_> = page.items.iter().filter(|(_, link)| link.is_some()).collect();
        assert_eq!(sealed.len(), 2);
        assert!(sealed.iter().all(|(entry, _)| entry.get("era").is_none() && entry.get("kind").is_none()));
        let notes = std::sync::Arc::default();
        let world = World { commons, a, b, list, agreement, notes };
        let db = TestDatabase::new(world.database().kind())?;
        restored(&backed_up(world.database()), &db, Vec::new());
    }
}

on_both! {
    fn an_archive_of_the_first_release_becomes_a_commons_of_this_one(world: World) {
        world.disclose_without_an_era(1);
        as_released(world.database());
        let archive = backed_up(world.database());
        let db = TestDatabase::new(world.database().kind())?;
        restored(&archive, &db, Vec::new());
        assert!(!opened(&db).commons_id().is_empty());
        // Backing up changed nothing: the other program may go on serving.
        assert_eq!(raw::count(world.database(), "migrations where name <> '0001_commons'"), 0);
    }
}
