//! Files in: every row is accounted for, and an edition is made only where something changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use hayward_importers::{Absent, Blank, Fix, Matching};
use hayward_store::{Import, ImportState, Seen, StoreError};
use hayward_tests::commons::{Commons, To};
use hayward_tests::{Kind, on_both};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::claims::watched;
use crate::{chance, raw};

const THREE: &str = "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n3,Cedar,Hull\n";

/// `[rows, created, updated, unchanged, skipped, rejected, blank, removed]`.
pub fn counts(import: &Import) -> [u64; 8] {
    ["rows", "created", "updated", "unchanged", "skipped", "rejected", "blank", "removed"]
        .map(|name| import.counts.as_ref().unwrap()[name].as_u64().unwrap())
}

on_both! {
    fn a_file_creates_updates_and_leaves_alone(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let first = commons.import_csv(&list, THREE);
        assert_eq!(first.state, ImportState::Committed);
        assert_eq!(counts(&first), [3, 3, 0, 0, 0, 0, 0, 0]);
        let second = commons
            .import_csv(&list, "identifier,name,city\n2,Birch,Bath\n3,Cedar,Hull\n4,Dogwood,Ripon\n,,\n3,Cedar,Hull\nx,,\n");
        assert_eq!(counts(&second), [6, 1, 1, 1, 1, 1, 1, 0]);
        assert_eq!(commons.edition(&list), 2);
        let cities: Vec<Value> = commons.own(&list).iter().map(|record| record["city"].clone()).collect();
        assert_eq!(cities, ["Leeds", "Bath", "Hull", "Ripon"]);
    }
}

on_both! {
    fn what_a_check_counts_a_commit_does(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, THREE);
        let checked = commons.upload(&list, "identifier,name,city\n2,Birch,Bath\n5,Elm,Leeds\n");
        assert_eq!(checked.state, ImportState::Checked);
        let foreseen = counts(&checked);
        commons.store.commit_import(&checked, Seen::default()).unwrap();
        assert_eq!(counts(&commons.again(&list, &checked)), foreseen);
        assert_eq!(commons.store.import_diff(&commons.again(&list, &checked), 0, 100).unwrap().len(), 2);
    }
}

on_both! {
    fn the_same_file_again_writes_no_edition(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, THREE);
        let before = commons.own(&list);
        let commit = commons.store.newest_commit().unwrap();
        let again = commons.import_csv(&list, THREE);
        assert_eq!(counts(&again), [3, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!((again.committed_edition, commons.edition(&list)), (None, 1));
        assert_eq!((commons.own(&list), commons.store.newest_commit().unwrap()), (before, commit));
    }
}

on_both! {
    fn a_blank_cell_keeps_what_was_there_unless_it_is_to_clear_it(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, THREE);
        let blank = "identifier,name,city\n1,Alder,\n";
        assert_eq!(counts(&commons.import_csv(&list, blank)), [1, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(commons.own(&list)[0]["city"], "Leeds");
        let cleared = commons.import_with(&list, blank, |matching| matching.blank = Blank::Clear);
        assert_eq!(counts(&cleared), [1, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(commons.own(&list)[0]["city"], Value::Null);
    }
}

on_both! {
    fn what_a_file_lacks_stays_unless_it_is_to_go(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, THREE);
        let two = "identifier,name,city\n2,Birch,York\n4,Dogwood,Ripon\n";
        commons.import_csv(&list, two);
        assert_eq!(commons.own(&list).len(), 4);
        let import = commons.import_with(&list, two, |matching| matching.absent = Absent::Delete);
        assert_eq!(counts(&import), [2, 0, 0, 2, 0, 0, 0, 2]);
        let keys: Vec<Value> = commons.own(&list).iter().map(|record| record["identifier"].clone()).collect();
        assert_eq!(keys, ["2", "4"]);
    }
}

on_both! {
    fn a_row_with_a_mistake_does_not_remove_its_record(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name,founded_on\n1,Alder,2001-02-03\n2,Birch,2001-02-03\n");
        let file = "identifier,name,founded_on\n1,Alder,2001-02-30\n3,Cedar,2001-02-03\n";
        let import = commons.import_with(&list, file, |matching| matching.absent = Absent::Delete);
        assert_eq!(counts(&import), [2, 1, 0, 0, 0, 1, 0, 1]);
        let keys: Vec<Value> = commons.own(&list).iter().map(|record| record["identifier"].clone()).collect();
        assert_eq!(keys, ["1", "3"]);
    }
}

on_both! {
    fn a_difference_made_against_an_older_edition_is_not_committed(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let early = commons.upload(&list, "identifier,name\n9,Yew\n");
        commons.import_csv(&list, THREE);
        let refused = commons.store.commit_import(&early, Seen::of(early.edition));
        assert!(matches!(refused, Err(StoreError::Stale(_))));
        assert_eq!(commons.own(&list).len(), 3);
        // Nobody is left holding the dataset.
        commons.store.commit_import(&commons.again(&list, &early), Seen::of(1)).unwrap();
        assert_eq!(commons.own(&list).len(), 4);
    }
}

on_both! {
    fn an_import_is_committed_once(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let import = commons.import_csv(&list, THREE);
        assert!(matches!(commons.store.commit_import(&import, Seen::default()), Err(StoreError::Refused { code: "wrong-state", .. })));
        assert_eq!(commons.edition(&list), 1);
    }
}

on_both! {
    fn a_column_without_a_decision_is_not_committed(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let import = commons.upload(&list, "identifier,name,Something of our own\n1,Alder,x\n");
        assert_eq!(import.state, ImportState::Draft);
        assert_eq!(counts(&import), [1, 1, 0, 0, 0, 0, 0, 0]);
        let refused = commons.store.commit_import(&import, Seen::default());
        assert!(matches!(refused, Err(StoreError::Refused { code: "undecided-columns", .. })));
    }
}

on_both! {
    fn an_import_of_another_organization_is_not_found(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        let import = commons.import_csv(&list, THREE);
        let id = hayward_domain::id::ImportId::parse(&import.id).unwrap();
        assert!(matches!(commons.store.import(b.number, &id), Err(StoreError::NotFound)));
        assert!(matches!(commons.store.private_headers(b.number, &list.id), Err(StoreError::NotFound)));
        let own = commons.store.own_records(b.number, &list.id, &Default::default(), None, 10);
        assert!(matches!(own, Err(StoreError::NotFound)));
    }
}

/// A row of a random file: mostly few keys and few values, so that rows meet.
fn row() -> impl Strategy<Value = String> {
    let key = prop_oneof![8 => "[1-6]", 1 => Just(String::new()), 1 => Just("\"a\"\"b, c\"".to_owned())];
    let name = prop_oneof![6 => "[A-C]", 1 => Just(String::new()), 1 => Just("\"two\nlines\"".to_owned())];
    let day = prop_oneof![4 => "200[1-3]-0[1-9]-1[0-9]", 1 => Just("2001-02-30".to_owned()), 2 => Just(String::new())];
    let members =
        prop_oneof![4 => "[0-9]{1,3}", 1 => Just("-4".to_owned()), 1 => Just("many".to_owned()), 2 => Just(String::new())];
    (key, name, day, members).prop_map(|(key, name, day, members)| format!("{key},{name},{day},{members}\n"))
}

/// A file over the fields `identifier`, `name`, `founded_on` and `member_count`.
pub fn file() -> impl Strategy<Value = String> {
    prop::collection::vec(row(), 1..12)
        .prop_map(|rows| format!("identifier,name,founded_on,member_count\n0,Zelkova,2001-01-31,7\n{}", rows.concat()))
}

on_both! {
    fn every_row_of_every_file_is_accounted_for(commons: Commons) {
        let a = commons.organization("a");
        let mut runner = chance::runner(40);
        let files = (prop::collection::vec((file(), any::<bool>(), any::<bool>()), 1..4),);
        runner
            .run(&files, |(files,)| {
                let list = commons.dataset(&a, "organization");
                let mut records: BTreeMap<String, Value> = BTreeMap::new();
                for (file, deletes, clears) in files {
                    let import = commons.import_with(&list, &file, |matching| {
                        matching.absent = if deletes { Absent::Delete } else { Absent::Keep };
                        matching.blank = if clears { Blank::Clear } else { Blank::Keep };
                    });
                    let [rows, created, updated, unchanged, skipped, rejected, blank, removed] = counts(&import);
                    prop_assert_eq!(rows, created + updated + unchanged + skipped + rejected + blank);
                    let now: BTreeMap<String, Value> =
                        commons.own(&list).into_iter().map(|record| (record["id"].to_string(), record)).collect();
                    prop_assert_eq!(created as usize, now.keys().filter(|id| !records.contains_key(*id)).count());
                    prop_assert_eq!(removed as usize, records.keys().filter(|id| !now.contains_key(*id)).count());
                    prop_assert_eq!(
                        updated as usize,
                        records.iter().filter(|(id, was)| now.get(*id).is_some_and(|is| is != *was)).count()
                    );
                    records = now;
                }
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn a_draft_that_was_overtaken_is_counted_again(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let draft = commons.upload(&list, "identifier,name\n1,Alder\n");
        commons.import_csv(&list, "identifier,name\n1,Alder\n2,Birch\n");
        let stale = commons.store.commit_import(&draft, Seen::of(draft.edition));
        assert!(matches!(stale, Err(StoreError::Stale(_))));
        let again = commons.again(&list, &draft);
        assert_eq!((again.edition, &again.counts.as_ref().unwrap()["unchanged"]), (1, &json!(1)));
        commons.store.commit_import(&again, Seen::of(again.edition)).unwrap();
    }
}

on_both! {
    fn a_file_that_goes_by_another_key_is_refused(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name,registration_number\n101,Alder,7\n102,Birch,101\n");
        let other = commons.upload(&list, "identifier,name,registration_number\n102,Birch Two,101\n");
        let mut matching: Matching = serde_json::from_value(other.matching.clone().unwrap()).unwrap();
        matching.key = Some(vec!["registration_number".to_owned()]);
        let faults = commons.store.rematch_import(&other, matching).unwrap();
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["other-key"]);
    }
}

on_both! {
    fn a_database_knows_how_much_it_was_given(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        let rows: String = (0..6_000).map(|at| format!("{at},Co-op {at},Bath\n")).collect();
        commons.import_csv(&list, &format!("identifier,name,city\n{rows}"));
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        for table in ["records", "shared_records", "share_names"] {
            // PostgreSQL plans by what it last counted; SQLite by its indexes.
            let known = match commons.database().kind() {
                Kind::Postgres => format!("(select reltuples as n from pg_class where oid = '{table}'::regclass) c where c.n = 6000"),
                Kind::Sqlite => format!("(select count(*) as n from {table}) c where c.n = 6000"),
            };
            assert_eq!(raw::count(commons.database(), &known), 1, "{table}");
        }
    }
}

on_both! {
    fn of_two_who_decide_at_once_neither_writes_over_the_other(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let rows: String = (0..40).map(|at| format!("{at},Co-op {at},{}\n", ["Untied States", "Span"][at % 2])).collect();
        let draft = commons.upload(&list, &format!("identifier,name,country\n{rows}"));
        let fix = |from: &str, to: &str| {
            vec![Fix { column: "C".to_owned(), from: Some(from.to_owned()), row: None, to: Some(to.to_owned()) }]
        };
        // Both looked at the same draft.
        assert!(commons.store.fix_import(&draft, fix("Untied States", "US")).unwrap().is_empty());
        assert!(matches!(commons.store.fix_import(&draft, fix("Span", "ES")), Err(StoreError::Stale(_))));
        let now = commons.again(&list, &draft);
        assert_eq!((counts(&now)[1], now.problem_count, commons.store.problems(&now, 0, 100).unwrap().len()), (20, 20, 20));

        // And both count at once: the one who began last is heard.
        let other = commons.another_store().unwrap();
        for at in 0..12 {
            let (world, copy) = (Arc::clone(&other), commons.again(&list, &now));
            let store = watched(&commons, move |asked| {
                if asked == at {
                    drop(world.fix_import(&copy, fix("Span", "ES")));
                }
            });
            let before = commons.again(&list, &now);
            let done = store.fix_import(&before, fix("Span", "FR"));
            let after = commons.again(&list, &now);
            let kept = commons.store.problems(&after, 0, 100).unwrap();
            assert_eq!(i64::try_from(kept.len()).unwrap(), after.problem_count, "{done:?}");
            let said = after.matching.clone().unwrap().to_string();
            assert_eq!(done.is_ok(), said.contains("\"to\":\"FR\""), "{done:?}");
            assert!(commons.store.fix_import(&after, fix("Span", "Span")).unwrap().is_empty());
        }
    }
}
