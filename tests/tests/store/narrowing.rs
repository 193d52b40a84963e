//! Narrower terms: in force at once, and nothing of what was wider is left, not even for who stood in the middle of it.

use hayward_domain::condition::Condition;
use hayward_domain::id::AgreementId;
use hayward_store::{ChangesFrom, Decision, Order, ShareQuery, StoreError};
use hayward_tests::commons::{Commons, List, Member, To};
use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::agreements::{parties, shown};
use crate::raw;

fn narrow(commons: &Commons, a: &Member, b: &Member, list: &List, agreement: &AgreementId, over: &Value) -> (i64, bool) {
    let from = commons.store.agreement(&a.steward, agreement, None).unwrap()["versions"].as_array().unwrap().len();
    let terms = commons.terms(list, To::One(b), over);
    commons.store.propose_version(&a.steward, agreement, i64::try_from(from).unwrap(), &terms).unwrap()
}

/// The names and cities that are listed as of commit `at`.
fn listed_at(commons: &Commons, b: &Member, at: i64) -> Vec<String> {
    let rows = commons.store.view::<_, StoreError>(&b.viewer, |view| {
        let shares = view.shares("organizations", &ShareQuery::default(), at)?;
        view.list(&shares, &Condition::All(Vec::new()).into(), &Order::default(), None, 100)
    });
    rows.unwrap().rows.iter().map(|row| row.record.payload().to_owned()).collect()
}

/// How many of the payloads that the database holds for recipients have `canary` in them.
fn held(commons: &Commons, canary: &str) -> i64 {
    raw::count(commons.database(), &format!("shared_records where payload like '%{canary}%' or index_1 like '%{canary}%'"))
}

on_both! {
    fn a_narrower_version_is_in_force_at_once(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let before = commons.store.newest_commit().unwrap();
        assert_eq!(narrow(&commons, &a, &b, &list, &agreement, &json!({"fields": {"name": "exact"}})), (2, true));
        assert_eq!(
            (commons.state(&b, &agreement, 1).as_str(), commons.state(&b, &agreement, 2).as_str()),
            ("superseded", "active")
        );
        // Nothing is answered until the share is rebuilt: not now, and not as of then.
        assert_eq!((shown(&commons, &b), listed_at(&commons, &b, before)), (0, Vec::new()));
        commons.store.build_due().unwrap();
        let items = commons.list(&b.viewer, "organizations");
        assert!(items.len() == 2 && items.iter().all(|item| item.get("city").is_none()));
        assert!(listed_at(&commons, &b, before).is_empty());
    }
}

on_both! {
    fn what_was_wider_is_erased(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let fields = json!({"fields": {"name": "exact", "country": "exact", "city": "exact"}});
        commons.import_csv(&list, "identifier,name,city,country\n1,Alder,Canaryville,FR\n");
        let agreement = commons.agree(&a, To::One(&b), &list, &fields);
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Canaryton\n");
        assert_eq!((held(&commons, "Canary"), held(&commons, "FR")), (2, 2));
        narrow(&commons, &a, &b, &list, &agreement, &json!({"fields": {"name": "exact"}}));
        commons.store.build_due().unwrap();
        assert_eq!((held(&commons, "Canary"), held(&commons, "FR")), (0, 0));
        assert_eq!(shown(&commons, &b), 2);
        // The provider's own is untouched.
        assert_eq!(commons.own(&list)[0]["city"], "Canaryton");
    }
}

on_both! {
    fn rows_that_leave_a_narrower_condition_are_erased_too(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let over = json!({"fields": {"name": "exact"}, "rows": {"city": {"eq": "York"}}});
        assert_eq!(narrow(&commons, &a, &b, &list, &agreement, &over), (2, true));
        commons.store.build_due().unwrap();
        assert_eq!((held(&commons, "Alder"), held(&commons, "Birch"), shown(&commons, &b)), (0, 1, 1));
    }
}

on_both! {
    fn a_narrower_version_that_shows_the_same_still_cuts_off_the_past(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let before = commons.store.newest_commit().unwrap();
        narrow(&commons, &a, &b, &list, &agreement, &json!({"fields": {"name": "exact"}, "ending": {"delete_within_days": 3}}));
        commons.store.build_due().unwrap();
        assert_eq!((shown(&commons, &b), listed_at(&commons, &b, before).len()), (2, 0));
    }
}

on_both! {
    fn a_wider_version_that_waits_is_void(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let wider = json!({"fields": {"name": "exact", "city": "exact", "email": "exact"}, "starts_on": "2026-12-05"});
        assert_eq!(narrow(&commons, &a, &b, &list, &agreement, &wider), (2, false));
        commons.approve(&a, To::One(&b), &agreement, 2);
        assert_eq!(commons.state(&b, &agreement, 2), "agreed");
        assert_eq!(narrow(&commons, &a, &b, &list, &agreement, &json!({"fields": {"name": "exact"}})), (3, true));
        assert_eq!(commons.state(&b, &agreement, 2), "terminated");
        commons.pass_days(10);
        commons.store.build_due().unwrap();
        assert_eq!(commons.state(&b, &agreement, 3), "active");
        assert!(
            commons.list(&b.viewer, "organizations").iter().all(|item| item.get("city").is_none() && item.get("email").is_none())
        );
    }
}

on_both! {
    fn the_recipient_narrows_nothing_alone(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let narrower = commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact"}}));
        assert_eq!(commons.store.propose_version(&b.steward, &agreement, 1, &narrower).unwrap(), (2, false));
        assert_eq!(
            (commons.state(&a, &agreement, 1).as_str(), commons.state(&a, &agreement, 2).as_str()),
            ("active", "requested")
        );
        assert!(commons.list(&b.viewer, "organizations").iter().all(|item| item.get("city").is_some()));
    }
}

on_both! {
    fn narrowing_a_suspended_version_leaves_it_suspended(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        commons.decide(&b.steward, &agreement, 1, Decision::Suspend).unwrap();
        narrow(&commons, &a, &b, &list, &agreement, &json!({"fields": {"name": "exact"}}));
        assert_eq!(commons.state(&b, &agreement, 2), "suspended");
        commons.store.build_due().unwrap();
        assert_eq!(shown(&commons, &b), 0);
        commons.decide(&b.steward, &agreement, 2, Decision::Resume).unwrap();
        let items = commons.list(&b.viewer, "organizations");
        assert!(items.len() == 2 && items.iter().all(|item| item.get("city").is_none()));
    }
}

on_both! {
    fn a_narrower_version_of_a_later_day_shows_nothing_until_then(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let later = json!({"fields": {"name": "exact"}, "starts_on": "2026-12-05"});
        assert_eq!(narrow(&commons, &a, &b, &list, &agreement, &later), (2, true));
        assert_eq!((commons.store.build_due().unwrap(), shown(&commons, &b)), (0, 0));
        commons.pass_days(4);
        assert_eq!((commons.store.build_due().unwrap(), shown(&commons, &b)), (1, 2));
    }
}

on_both! {
    fn a_successor_that_shows_less_of_something_cuts_off_the_past(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let before = commons.store.newest_commit().unwrap();
        let other = json!({"fields": {"name": "exact", "country": "exact"}});
        assert_eq!(narrow(&commons, &a, &b, &list, &agreement, &other), (2, false));
        commons.approve(&a, To::One(&b), &agreement, 2);
        assert_eq!((shown(&commons, &b), listed_at(&commons, &b, before).len(), held(&commons, "Leeds")), (2, 0, 0));
    }
}

on_both! {
    fn a_version_that_begins_after_a_pause_cuts_off_what_came_before_it(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let first = json!({"fields": {"name": "exact", "city": "exact"}, "ends_on": "2026-12-10"});
        let agreement = commons.agree(&a, To::One(&b), &list, &first);
        let before = commons.store.newest_commit().unwrap();
        let second = json!({"fields": {"name": "exact", "country": "exact"}, "starts_on": "2026-12-20"});
        narrow(&commons, &a, &b, &list, &agreement, &second);
        commons.approve(&a, To::One(&b), &agreement, 2);
        commons.pass_days(12);
        commons.store.expire_due().unwrap();
        assert_eq!((commons.state(&b, &agreement, 1).as_str(), shown(&commons, &b)), ("expired", 0));
        commons.pass_days(12);
        commons.store.build_due().unwrap();
        assert_eq!((shown(&commons, &b), listed_at(&commons, &b, before).len(), held(&commons, "Leeds")), (2, 0, 0));
    }
}

on_both! {
    fn the_feed_says_nothing_of_what_was_wider(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let feed = |from: ChangesFrom| {
            let page = commons.store.view::<_, StoreError>(&b.viewer, |view| {
                view.changes(&["organizations".to_owned()], &ShareQuery::default(), from, 1)
            });
            page.unwrap()
        };
        let half = feed(ChangesFrom::default());
        assert_eq!(half.items.len(), 1);
        narrow(&commons, &a, &b, &list, &agreement, &json!({"fields": {"name": "exact"}}));
        assert!(feed(half.next).items.is_empty());
        commons.store.build_due().unwrap();
        // The window that was under way ends; the next one gives everything anew.
        let mut from = half.next;
        let mut payloads = Vec::new();
        for _ in 0..10 {
            let page = feed(from);
            from = page.next;
            payloads.extend(page.items.into_iter().filter_map(|(_, item)| match item {
                hayward_store::ChangeItem::Upserted(row) => Some(row.record.payload().to_owned()),
                hayward_store::ChangeItem::Removed { .. } => None,
            }));
        }
        payloads.sort();
        assert_eq!(payloads, [r#"{"name":"Alder"}"#, r#"{"name":"Birch"}"#]);
    }
}
