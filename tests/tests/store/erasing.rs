//! Taking a person out for good: out of every place that there is, whatever happened before and whatever happens after.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hayward_domain::id::ErasureId;
use hayward_importers::{Absent, Fix};
use hayward_store::{Import, ImportState, Note, Seen, Store, StoreError};
use hayward_tests::commons::{Commons, List, Member, To};
use hayward_tests::{Kind, TestDatabase, on_both};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::claims::{settled, watched};
use crate::feed::{Copy, anew};
use crate::imports::counts;
use crate::{chance, raw};

/// Stands in every value of the person who is erased, and nowhere else.
const MARK: &str = "Quetzalmark";

/// Everywhere that a text stands: every column of every table of both databases, and on SQLite every byte of every file.
fn found(db: &TestDatabase, text: &str) -> Vec<String> {
    let mut places = Vec::new();
    match db.kind() {
        Kind::Sqlite => {
            for file in std::fs::read_dir(db.folder()).unwrap() {
                let file = file.unwrap();
                let bytes = std::fs::read(file.path()).unwrap();
                if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                    places.push(file.file_name().into_string().unwrap());
                }
            }
        }
        Kind::Postgres => {
            let tables = "select table_schema || '.' || table_name as value from information_schema.tables
                where table_schema in ('public', 'ledger') and table_type = 'BASE TABLE'";
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            for table in raw::ask(db, tables) {
                if raw::count(db, &format!("{table} t where t::text like '%{text}%' or t::text like '%{hex}%'")) > 0 {
                    places.push(table);
                }
            }
        }
    }
    places
}

fn file(rows: &[(u32, &str)]) -> String {
    let rows = rows.iter().map(|(key, name)| format!("{key},{name},{name} City,{name} kept apart\n"));
    std::iter::once("identifier,name,city,Notes\n".to_owned()).chain(rows).collect()
}

fn private(matching: &mut hayward_importers::Matching) {
    for column in matching.columns.iter_mut().filter(|column| column.field.is_none()) {
        column.field = Some(hayward_importers::Decision::Private);
    }
}

fn record(commons: &Commons, list: &List, key: &str) -> String {
    let own = commons.own(list);
    own.iter().find(|one| one["identifier"] == key).unwrap()["id"].as_str().unwrap().to_owned()
}

fn names(commons: &Commons, list: &List) -> Vec<Value> {
    commons.own(list).iter().map(|one| one["name"].clone()).collect()
}

fn id(byte: u8) -> ErasureId {
    ErasureId::from_random([byte; 15])
}

fn erased(commons: &Commons, of: &Member, list: &List, key: &str) -> ErasureId {
    let id = id(1);
    commons.store.erase(&of.steward, &record(commons, list, key), &id, "asked by letter").unwrap();
    commons.store.finish_erasures().unwrap();
    assert!(commons.store.is_erased(&id).unwrap());
    id
}

/// Agreements of every shape about one list.
fn share(commons: &Commons, a: &Member, b: &Member, list: &List) {
    commons.agree(a, To::One(b), list, &json!({"fields": {"name": "exact", "city": "exact"}}));
    let some = json!({"fields": {"name": "exact"}, "rows": {"identifier": {"gte": "2"}}, "record_id": "pseudonym"});
    commons.agree(a, To::Members, list, &some);
    commons.agree(a, To::Public, list, &json!({"fields": {"city": "exact"}}));
}

on_both! {
    fn an_erased_value_is_nowhere(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        share(&commons, &a, &b, &list);
        let (old, new) = (format!("{MARK} Old"), format!("{MARK} New"));
        // Enough rows for the pages of an index to split around the person's.
        let many: Vec<(u32, String)> = (10..400).map(|key| (key, format!("Co-op {key}"))).collect();
        let mut rows: Vec<(u32, &str)> = many.iter().map(|(key, name)| (*key, name.as_str())).collect();
        rows.insert(200, (2, &old));
        commons.import_with(&list, &file(&rows), private);
        let update = commons.import_with(&list, &file(&[(2, &new), (3, "Cedar")]), private);
        // One whose file is kept for a row that did not go in.
        let rejected = format!("{}x,,,{MARK} in a bad row\n", file(&[(4, "Dogwood")]));
        let kept = commons.import_with(&list, &rejected, private);
        // One that waits, with a correction, and is called after the person.
        let draft = commons.keep(&list, &format!("{}.csv", new.to_lowercase()), &file(&[(2, &new), (5, "Elm")]));
        commons.store.read_import(&draft).unwrap();
        let draft = commons.again(&list, &draft);
        let fix = Fix { column: "B".to_owned(), row: Some(2), from: None, to: Some(format!("{MARK} Corrected")) };
        assert!(commons.store.fix_import(&draft, vec![fix]).unwrap().is_empty());
        // One without a header, so that the person stands where headings do.
        commons.upload(&list, &format!("2,{new},{MARK} City\n"));
        assert!(!found(commons.database(), MARK).is_empty());

        let id = erased(&commons, &a, &list, "2");
        assert_eq!(found(commons.database(), MARK), Vec::<String>::new());
        assert_eq!(found(commons.database(), &MARK.to_lowercase()), Vec::<String>::new());
        assert!(!names(&commons, &list).contains(&json!(new)));
        settled(&commons, &a, &list);
        assert_eq!(commons.again(&list, &draft).state, ImportState::Cancelled);
        assert_eq!(commons.again(&list, &kept).state, ImportState::Committed);
        // Again is nothing new, and nobody can say who it was.
        assert!(commons.store.finish_erasures().unwrap() == 0);
        // What came before can be taken back, and does not bring it back.
        assert_eq!(commons.undo(&list, &update), 0);
        assert!(!names(&commons, &list).iter().any(|name| name.to_string().contains(MARK)));
        settled(&commons, &a, &list);
        assert_eq!(found(commons.database(), MARK), Vec::<String>::new());
        assert!(id.as_str().starts_with("era_"));
    }
}

fn problem(commons: &Commons, import: &Import) -> Vec<Value> {
    commons.store.problems(import, 0, 10).unwrap()
}

on_both! {
    fn an_erased_key_is_reported_and_not_added_until_that_is_lifted(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_with(&list, &file(&[(1, "Alder"), (2, MARK)]), private);
        let id = erased(&commons, &a, &list, "2");
        // As text, with blanks around it, twice, and in a file that replaces the list.
        let again = format!("identifier,name,city,Notes\n1,Alder,York,\n \" 2 \" ,{MARK},,\n3,Cedar,,\n");
        let import = commons.import_with(&list, &again.replace('"', ""), |matching| {
            private(matching);
            matching.absent = Absent::Delete;
        });
        assert_eq!(counts(&import), [3, 1, 1, 0, 1, 0, 0, 0]);
        let told = problem(&commons, &import);
        assert_eq!((told.len(), &told[0]["code"], &told[0]["row"]), (1, &json!("erased-on-request"), &json!(3)));
        assert_eq!(told[0]["message"], "erased on request on 2026-12-01, not added again");
        assert!(told[0]["value"].is_null());
        assert_eq!(names(&commons, &list), ["Alder", "Cedar"]);
        // The same file once more takes the short way, and says the same.
        let import = commons.import_with(&list, &again.replace('"', ""), |matching| {
            private(matching);
            matching.absent = Absent::Delete;
        });
        assert_eq!((counts(&import), problem(&commons, &import).len()), ([3, 0, 0, 2, 1, 0, 0, 0], 1));
        assert_eq!(found(commons.database(), MARK).iter().filter(|place| !place.ends_with("-wal")).count(), 0);

        // One that was counted before it is lifted is counted anew.
        let waiting = commons.rematch(&list, &commons.upload(&list, &file(&[(2, MARK)])), private);
        assert_eq!(counts(&waiting), [1, 0, 0, 0, 1, 0, 0, 0]);
        let refused = |done: Result<(), StoreError>, code: &str| {
            assert!(matches!(done, Err(StoreError::Refused { code: said, .. }) if said == code));
        };
        refused(commons.store.lift_erasure(&a.steward, &id, " "), "empty-reason");
        let b = commons.organization("b");
        assert!(matches!(commons.store.lift_erasure(&b.steward, &id, "mine"), Err(StoreError::NotFound)));
        commons.store.lift_erasure(&a.steward, &id, "she came back").unwrap();
        refused(commons.store.lift_erasure(&a.steward, &id, "twice"), "wrong-state");
        commons.store.commit_import(&commons.again(&list, &waiting), Seen::default()).unwrap();
        let waiting = commons.again(&list, &waiting);
        assert_eq!((counts(&waiting), problem(&commons, &waiting).len()), ([1, 1, 0, 0, 0, 0, 0, 0], 0));
        assert_eq!(names(&commons, &list), ["Alder", "Cedar", MARK]);
    }
}

on_both! {
    fn an_empty_list_does_not_forget_by_what_its_erased_keys_were_told(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_with(&list, &file(&[(2, MARK)]), private);
        erased(&commons, &a, &list, "2");
        let import = commons.upload(&list, &file(&[(2, MARK)]));
        let mut matching: hayward_importers::Matching = serde_json::from_value(import.matching.clone().unwrap()).unwrap();
        private(&mut matching);
        matching.key = Some(vec!["name".to_owned()]);
        let faults = commons.store.rematch_import(&import, matching).unwrap();
        assert!(faults.iter().any(|fault| fault.code == "other-key"), "{faults:?}");
    }
}

on_both! {
    fn whose_the_record_is_decides(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name\n1,Alder\n2,Birch\n");
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let record = record(&commons, &list, "1");
        let erase = |who, record: &str| commons.store.erase(who, record, &id(7), "why");
        assert!(matches!(erase(&b.steward, &record), Err(StoreError::NotFound)));
        assert!(matches!(erase(&a.steward, "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa"), Err(StoreError::NotFound)));
        let mut program = a.steward.clone();
        program.person = None;
        assert!(matches!(erase(&program, &record), Err(StoreError::Refused { code: "people-only", .. })));
        assert_eq!((commons.own(&list).len(), commons.edition(&list)), (2, 1));
        erase(&a.steward, &record).unwrap();
        // It is not there any more, for anybody.
        assert!(matches!(erase(&a.steward, &record), Err(StoreError::NotFound)));
        assert_eq!((commons.own(&list).len(), commons.edition(&list)), (1, 2));
    }
}

on_both! {
    fn a_recipient_is_told_as_of_any_removal(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        share(&commons, &a, &b, &list);
        commons.import_csv(&list, "identifier,name,city\n1,Alder,X\n2,Birch,Y\n3,Cedar,Z\n4,Dogwood,Z\n");
        let (mut up_to_date, mut new) = (Copy::default(), Copy::default());
        up_to_date.catch_up(&commons, &b, 10);
        // In the middle of its first reading.
        assert_eq!(new.turn(&commons, &b, 2), 2);
        erased(&commons, &a, &list, "2");
        // One item for each share that showed it: three, as b is a member of the public and of all members too.
        assert_eq!(up_to_date.catch_up(&commons, &b, 10), 3);
        new.catch_up(&commons, &b, 2);
        assert_eq!(up_to_date.items, anew(&commons, &b));
        assert_eq!(new.items, anew(&commons, &b));
        commons.import_csv(&list, "identifier,name,city\n1,Ash,X\n5,Elm,X\n");
        for copy in [&mut up_to_date, &mut new] {
            copy.catch_up(&commons, &b, 3);
            assert_eq!(copy.items, anew(&commons, &b));
        }
    }
}

on_both! {
    fn who_cannot_see_a_record_notices_nothing_of_its_erasure(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}, "rows": {"city": {"in": ["Bath"]}}}));
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Bath\n2,Birch,York\n");
        let mut copy = Copy::default();
        copy.catch_up(&commons, &b, 10);
        let shares = "shares order by number";
        let look = |commons: &Commons| {
            let share = raw::ask(commons.database(), &format!("select head || ' ' || floor || ' ' || open as value from {shares}"));
            (share, commons.list(&b.viewer, "organizations"))
        };
        let before = look(&commons);
        erased(&commons, &a, &list, "2");
        assert_eq!((look(&commons), copy.catch_up(&commons, &b, 10)), (before, 0));
    }
}

on_both! {
    fn an_erasure_does_not_wait_for_a_long_import(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        share(&commons, &a, &b, &list);
        commons.import_with(&list, &file(&[(1, "Alder"), (2, MARK)]), private);
        let rows: Vec<(u32, String)> = (10..900).map(|key| (key, format!("Co-op {key}"))).collect();
        let mut rows: Vec<(u32, &str)> = rows.iter().map(|(key, name)| (*key, name.as_str())).collect();
        rows.push((2, "Quetzalmark again"));
        let import = commons.rematch(&list, &commons.upload(&list, &file(&rows)), private);
        let (bystander, steward, record) = (commons.another_store().unwrap(), a.steward.clone(), record(&commons, &list, "2"));
        let store = watched(&commons, move |asked| {
            if asked == 5 {
                bystander.erase(&steward, &record, &id(1), "asked by letter").unwrap();
            }
        });
        let refused = store.commit_import(&import, Seen::default());
        assert!(matches!(refused, Err(StoreError::Refused { code: "cancelled", .. })), "{refused:?}");
        drop(store);
        commons.store.finish_erasures().unwrap();
        assert_eq!(names(&commons, &list), ["Alder"]);
        settled(&commons, &a, &list);
        assert_eq!(found(commons.database(), MARK), Vec::<String>::new());
    }
}

/// A store that stops for good where its clock is asked for the `at`-th time, as a killed program does.
fn doomed(commons: &Commons, at: usize, notes: &Arc<Mutex<Vec<Note>>>) -> Arc<Store> {
    let store = watched(commons, move |asked| assert!(asked != at, "killed here"));
    let kept = Arc::clone(notes);
    store.note_in(Box::new(move |note| {
        kept.lock().unwrap().push(note.clone());
        Ok(())
    }));
    store
}

on_both! {
    fn a_program_that_stops_anywhere_leaves_all_of_it_or_what_the_next_one_finishes(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let (mut before, mut after, mut whole) = (0, 0, 0);
        for at in 1..40 {
            let list = commons.dataset(&a, "organization");
            share(&commons, &a, &b, &list);
            commons.import_with(&list, &file(&[(1, "Alder"), (2, MARK)]), private);
            commons.upload(&list, &file(&[(2, MARK)]));
            let record = record(&commons, &list, "2");
            let notes = Arc::default();
            let order = id(u8::try_from(at).unwrap());
            let ended = catch_unwind(AssertUnwindSafe(|| {
                let store = doomed(&commons, at, &notes);
                store.erase(&a.steward, &record, &order, "asked by letter").unwrap();
                store.finish_erasures().unwrap();
            }));
            raw::tell(commons.database(), "update claims set until = 0 where purpose is not null");
            let next = commons.another_store().unwrap();
            let kept = Arc::clone(&notes);
            next.note_in(Box::new(move |note| {
                kept.lock().unwrap().push(note.clone());
                Ok(())
            }));
            next.finish_erasures().unwrap();
            let is_gone = next.is_erased(&order).unwrap();
            assert_eq!(names(&commons, &list).len(), if is_gone { 1 } else { 2 });
            assert_eq!(notes.lock().unwrap().is_empty(), !is_gone);
            if !is_gone {
                before += 1;
                next.erase(&a.steward, &record, &order, "asked by letter").unwrap();
                next.finish_erasures().unwrap();
            } else if ended.is_err() {
                after += 1;
            }
            settled(&commons, &a, &list);
            assert_eq!(found(commons.database(), MARK), Vec::<String>::new());
            if ended.is_ok() {
                whole += 1;
                break;
            }
        }
        assert!(before > 0 && after > 0 && whole == 1, "met before {before} times, after {after} times");
    }
}

/// What may happen to a list.
#[derive(Clone, Debug)]
enum Step {
    Import(Vec<(u32, u8)>, bool),
    Draft(Vec<(u32, u8)>),
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let rows = || prop::collection::vec((1u32..6, any::<u8>()), 1..6);
    prop_oneof![
        4 => (rows(), any::<bool>()).prop_map(|(rows, deletes)| Step::Import(rows, deletes)),
        1 => rows().prop_map(Step::Draft),
        2 => (0usize..4).prop_map(Step::Undo),
    ]
}

/// The rows as a file: whatever is about the person with the key 3 bears the mark.
fn marked(rows: &[(u32, u8)]) -> String {
    let names: Vec<(u32, String)> = rows
        .iter()
        .map(|(key, byte)| (*key, if *key == 3 { format!("{MARK} {byte}") } else { format!("Co-op {byte}") }))
        .collect();
    file(&names.iter().map(|(key, name)| (*key, name.as_str())).collect::<Vec<_>>())
}

on_both! {
    fn whatever_happens_before_and_after_nobody_reads_of_the_person_again(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let mut runner = chance::runner(10);
        let all = (prop::collection::vec(step(), 1..5), prop::collection::vec(step(), 0..5));
        let orders = std::cell::Cell::new(0u8);
        runner
            .run(&all, |(before, after)| {
                let list = commons.dataset(&a, "organization");
                share(&commons, &a, &b, &list);
                let mut copy = Copy::default();
                let mut imports = vec![commons.import_with(&list, &marked(&[(1, 1), (3, 3), (4, 4)]), private)];
                let record = record(&commons, &list, "3");
                let go = |step: &Step, imports: &mut Vec<Import>| match step {
                    Step::Import(rows, deletes) => imports.push(commons.import_with(&list, &marked(rows), |matching| {
                        private(matching);
                        matching.absent = if *deletes { Absent::Delete } else { Absent::Keep };
                    })),
                    Step::Draft(rows) => drop(commons.upload(&list, &marked(rows))),
                    Step::Undo(at) => {
                        let import = imports.get(*at).map(|import| commons.again(&list, import));
                        if let Some(import) = import.filter(|import| import.state == ImportState::Committed) {
                            commons.store.undo_import(&import, None).unwrap();
                        }
                    }
                };
                for step in &before {
                    go(step, &mut imports);
                }
                copy.catch_up(&commons, &b, 3);
                orders.set(orders.get() + 1);
                commons.store.erase(&a.steward, &record, &id(100 + orders.get()), "asked").unwrap();
                commons.store.finish_erasures().unwrap();
                prop_assert_eq!(found(commons.database(), MARK), Vec::<String>::new());
                for step in &after {
                    go(step, &mut imports);
                    commons.pass(Duration::from_secs(60));
                    let own = json!(commons.own(&list)).to_string();
                    let theirs = json!(commons.list(&b.viewer, "organizations")).to_string();
                    prop_assert!(!own.contains(MARK) && !theirs.contains(MARK));
                    settled(&commons, &a, &list);
                }
                copy.catch_up(&commons, &b, 3);
                prop_assert_eq!(&copy.items, &anew(&commons, &b));
                prop_assert_eq!(raw::count(commons.database(), &format!("shared_records where payload like '%{MARK}%'")), 0);
                prop_assert_eq!(raw::count(commons.database(), &format!("records where body like '%{MARK}%'")), 0);
                // Drafts of after are the co-op's own to keep or give up.
                let of = format!("select id from imports where dataset = (select number from datasets where id = '{}')", list.id);
                for import in raw::ask(commons.database(), &of.replace("select id", "select id as value")) {
                    let import = commons.store.import(list.owner, &hayward_domain::id::ImportId::parse(&import).unwrap()).unwrap();
                    drop(commons.store.cancel_import(&import));
                }
                let discreet = if commons.database().kind() == Kind::Sqlite { "pragma secure_delete = on; " } else { "" };
                raw::tell(commons.database(), &format!("{discreet}delete from import_problems where import in ({of})"));
                raw::tell(commons.database(), &format!("{discreet}delete from imports where id in ({of})"));
                Ok(())
            })
            .unwrap();
    }
}
