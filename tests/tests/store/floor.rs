//! What the database itself keeps from whoever serves a recipient, whatever mistake the program may make.

use hayward_domain::condition::Condition;
use hayward_store::{ChangesFrom, Order, ShareQuery, StoreError};
use hayward_tests::commons::{Commons, To};
use hayward_tests::{Kind, on_both};
use serde_json::json;

use crate::agreements::parties;
use crate::raw;

/// Tables that say something about originals, people or decisions, and that no recipient's answer needs.
const KEPT_BACK: [&str; 10] = [
    "records",
    "editions",
    "imports",
    "import_chunks",
    "import_problems",
    "people",
    "approvals",
    "agreement_events",
    "counters",
    "migrations",
];

on_both! {
    fn a_recipients_answer_is_made_without_an_original(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.agree(&a, To::One(&b), &list, &json!({"record_id": "pseudonym"}));
        commons.agree(&a, To::Public, &list, &json!({}));
        // One that has read nothing yet.
        let store = commons.another_store().unwrap();
        for table in KEPT_BACK {
            raw::tell(commons.database(), &format!("alter table {table} rename to gone_{table}"));
        }
        let read = store.view::<_, StoreError>(&b.viewer, |view| {
            let shares = view.shares("organizations", &ShareQuery::default(), view.commit)?;
            let (all, order) = (Condition::All(Vec::new()).into(), Order::parse("-name").unwrap());
            let page = view.list(&shares, &all, &order, None, 10)?;
            assert_eq!(view.count(&shares, &all)?, Some(4));
            view.get(&shares, &page.rows[0].id)?;
            let changes = view.changes(&["organizations".to_owned()], &ShareQuery::default(), ChangesFrom::default(), 10)?;
            view.honours(view.commit)?;
            view.anything_expired()?;
            Ok((page.rows.len(), changes.items.len()))
        });
        assert_eq!(read.unwrap(), (4, 4));
    }
}

on_both! {
    fn the_recipients_role_can_read_shares_and_nothing_kept_back(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.agree(&a, To::One(&b), &list, &json!({}));
        let tried = |sql: &str| match commons.database().kind() {
            Kind::Postgres => raw::try_tell(commons.database(), &format!("set role hayward_reader; {sql}")),
            // SQLite knows no roles. A connection for reading is told to be one, and that is all there is to try.
            Kind::Sqlite => raw::try_tell(commons.database(), &format!("pragma query_only = on; {sql}")),
        };
        assert_eq!(tried("select payload from shared_records"), Ok(()));
        for table in ["shared_records", "shares", "tokens", "records", "agreements"] {
            assert!(tried(&format!("delete from {table}")).is_err(), "{table}");
        }
        if commons.database().kind() == Kind::Postgres {
            for table in KEPT_BACK.into_iter().chain(["datasets", "claims"]) {
                let refused = tried(&format!("select * from {table}")).unwrap_err();
                assert!(refused.contains("permission denied"), "{table}: {refused}");
            }
            assert!(tried("select * from ledger.entries").is_err());
        }
    }
}
