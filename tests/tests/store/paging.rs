//! Pages of one moment: whatever happens meanwhile, they add up to what was there when the first was asked for.

use hayward_domain::condition::Condition;
use hayward_importers::Absent;
use hayward_store::{Decision, Order, ShareQuery, StoreError};
use hayward_tests::commons::{Commons, Member, To};
use hayward_tests::{Kind, on_both};
use serde_json::{Value, json};

/// One page as of commit `at`: ids with payloads, and where the next begins.
fn page(commons: &Commons, to: &Member, at: i64, order: &Order, after: Option<i64>) -> (Vec<(String, String)>, Option<i64>) {
    let page = commons.store.view::<_, StoreError>(&to.viewer, |view| {
        view.honours(at)?;
        let shares = view.shares("organizations", &ShareQuery::default(), at)?;
        view.list(&shares, &Condition::All(Vec::new()).into(), order, after, 3)
    });
    let page = page.unwrap();
    (page.rows.into_iter().map(|row| (row.id, row.record.payload().to_owned())).collect(), page.after)
}

fn all(commons: &Commons, to: &Member, at: i64, order: &Order, mut between: impl FnMut(usize)) -> Vec<(String, String)> {
    let (mut rows, mut after, mut number) = (Vec::new(), None, 0);
    loop {
        let (found, next) = page(commons, to, at, order, after);
        rows.extend(found);
        let Some(next) = next else { return rows };
        after = Some(next);
        number += 1;
        between(number);
    }
}

const ORDERS: [&str; 7] = ["", "name", "-name", "city", "-city,name", "member_count,-city", "-member_count"];

fn order(text: &str) -> Order {
    if text.is_empty() { Order::default() } else { Order::parse(text).unwrap() }
}

/// A dozen records with ties, empty cells and texts that sort otherwise than their alphabet.
fn file(salt: usize) -> String {
    let cities = ["", "Łódź", "leeds", "Leeds", "Zürich", "Ávila"];
    let row = |at: usize| {
        let count = if at.is_multiple_of(4) { String::new() } else { (at * 7 % 5 * 11).to_string() };
        format!("{at},Co-op {},{},{count}\n", (at + salt) % 5, cities[(at * (salt + 1)) % cities.len()])
    };
    format!("identifier,name,city,member_count\n{}", (0..14).map(row).collect::<String>())
}

on_both! {
    fn pages_pinned_at_a_commit_are_stable_under_writes(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        let fields = json!({"fields": {"identifier": "exact", "name": "exact", "city": "exact", "member_count": "exact"}});
        commons.agree(&a, To::One(&b), &list, &fields);
        commons.agree(&a, To::Members, &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        for (salt, text) in ORDERS.into_iter().enumerate() {
            commons.import_with(&list, &file(salt), |matching| matching.absent = Absent::Delete);
            let (at, order) = (commons.store.newest_commit().unwrap(), order(text));
            let before = all(&commons, &b, at, &order, |_| {});
            assert_eq!(before.len(), 28);
            let (mut last, mut public) = (None, None);
            let during = all(&commons, &b, at, &order, |number| match number {
                1 => last = Some(commons.import_csv(&list, &file(salt + 1))),
                2 => drop(
                    commons
                        .import_with(&list, "identifier,name\n1,Yew\n99,Zelkova\n", |matching| matching.absent = Absent::Delete),
                ),
                3 => drop(commons.undo(&list, &last.take().unwrap())),
                4 => drop(commons.import_csv(&list, &file(salt + 2))),
                5 => public = Some(commons.agree(&a, To::Public, &list, &json!({}))),
                _ => {}
            });
            assert_eq!(during, before, "sorted by `{text}`");
            assert_ne!(all(&commons, &b, commons.store.newest_commit().unwrap(), &order, |_| {}), before);
            if let Some(public) = public {
                commons.decide(&a.steward, &public, 1, Decision::End).unwrap();
            }
        }
    }
}

on_both! {
    fn text_is_sorted_by_its_bytes_and_what_is_empty_comes_last(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name,city\n1,a,Zürich\n2,b,\n3,c,leeds\n4,d,Ávila\n5,e,Leeds\n6,f,Łódź\n7,g,\n");
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let cities = |text: &str| {
            let items =
                commons.list_by(&b.viewer, "organizations", &ShareQuery::default(), &Condition::All(Vec::new()), &order(text));
            items.iter().map(|item| item["city"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cities("city"), ["Leeds", "Zürich", "leeds", "Ávila", "Łódź", "-", "-"]);
        assert_eq!(cities("-city"), ["Łódź", "Ávila", "leeds", "Zürich", "Leeds", "-", "-"]);
    }
}

on_both! {
    fn own_records_are_paged_as_of_one_edition(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, &file(0));
        for text in ORDERS {
            let order = order(text);
            let whole = |edition: Option<i64>| {
                let page = commons.store.own_records(a.number, &list.id, &order, edition.map(|edition| (edition, 0)), 100);
                page.map(|page| page.records.iter().map(|record| record.id.clone()).collect::<Vec<_>>())
            };
            let expected = whole(None).unwrap();
            let (mut ids, mut from) = (Vec::new(), None);
            loop {
                let page = commons.store.own_records(a.number, &list.id, &order, from, 4).unwrap();
                ids.extend(page.records.iter().map(|record| record.id.clone()));
                let Some(after) = page.after else { break };
                if from.is_none() {
                    commons.import_with(&list, &file(commons.edition(&list) as usize + 3), |matching| {
                        matching.absent = Absent::Delete
                    });
                }
                from = Some((page.edition, after));
            }
            assert_eq!(ids, expected, "sorted by `{text}`");
        }
    }
}

on_both! {
    fn a_commit_that_never_was_is_not_honoured(commons: Commons) {
        let a = commons.organization("a");
        let newest = commons.store.newest_commit().unwrap();
        let honours = |at: i64| commons.store.view::<_, StoreError>(&a.viewer, |view| view.honours(at));
        assert!(honours(newest).is_ok());
        assert!(matches!(honours(newest + 1), Err(StoreError::Stale(_))));
        assert!(matches!(honours(-1), Err(StoreError::Stale(_))));
    }
}

on_both! {
    fn as_of_a_commit_during_a_suspension_nothing_is_shown(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, &file(0));
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        let newest = || commons.store.newest_commit().unwrap();
        let opened = newest();
        commons.decide(&a.steward, &agreement, 1, Decision::Suspend).unwrap();
        let closed = newest();
        commons.decide(&a.steward, &agreement, 1, Decision::Resume).unwrap();
        let shown = [opened - 1, opened, closed, newest()].map(|at| all(&commons, &b, at, &order(""), |_| {}).len());
        assert_eq!(shown, [0, 14, 0, 14]);
    }
}

/// Everything that a small world answers, ids and order included.
fn answers(kind: Kind) -> Vec<Value> {
    let commons = Commons::new(kind).unwrap();
    let (a, b) = (commons.organization("a"), commons.organization("b"));
    let list = commons.dataset(&a, "organization");
    let fields = json!({"fields": {"identifier": "pseudonym", "name": "exact", "city": "exact", "member_count": "exact"}});
    commons.agree(&a, To::One(&b), &list, &fields);
    commons.import_csv(&list, &file(0));
    commons.agree(&a, To::Members, &list, &json!({"record_id": "pseudonym", "fields": {"city": "exact"}}));
    let import = commons.import_csv(&list, &file(1));
    commons.import_with(&list, &file(2), |matching| matching.absent = Absent::Delete);
    commons.undo(&list, &import);
    let everything = Condition::All(Vec::new());
    let lists = ORDERS
        .map(|text| Value::Array(commons.list_by(&b.viewer, "organizations", &ShareQuery::default(), &everything, &order(text))));
    lists.into_iter().chain(commons.own(&list)).collect()
}

#[test]
fn both_databases_give_the_same_answers_in_the_same_order() {
    assert_eq!(answers(Kind::Sqlite), answers(Kind::Postgres));
}
