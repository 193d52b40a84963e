//! A backup while others write: one moment of the commons, whole.

use std::sync::atomic::{AtomicBool, Ordering};

use hayward_store::{Decision, StoreError};
use hayward_tests::commons::Commons;
use hayward_tests::{TestDatabase, on_both};
use serde_json::Value;

use crate::raw;
use crate::world::{World, backed_up, opened, restored};

/// Rows of one import: more than one staging transaction writes.
const ROWS: usize = 700;

fn file(turn: usize) -> String {
    let rows: String = (0..ROWS).map(|row| format!("{},Turn {turn},York\n", row + 10)).collect();
    format!("identifier,name,city\n{rows}")
}

/// Imports and takes back, suspends and resumes, until told to stop.
fn busy(world: &World, commons: &Commons, stop: &AtomicBool) {
    for turn in 0..500 {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let import = commons.import_csv(&world.list, &file(turn));
        if turn % 3 == 2 {
            commons.undo(&world.list, &import);
        }
        for decision in [Decision::Suspend, Decision::Resume] {
            commons.decide(&world.a.steward, &world.agreement, 1, decision).unwrap();
        }
        world.commons.store.build_due().unwrap();
    }
}

on_both! {
    fn a_backup_under_load_holds_one_moment(world: World) {
        let stop = AtomicBool::new(false);
        let archives: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let writer = scope.spawn(|| busy(&world, &world.commons, &stop));
            let archives = (0..6).map(|_| backed_up(world.database())).collect();
            stop.store(true, Ordering::SeqCst);
            writer.join().unwrap();
            archives
        });
        let mut moments = std::collections::BTreeSet::new();
        for archive in archives {
            let db = TestDatabase::new(world.database().kind())?;
            restored(&archive, &db, Vec::new());
            let store = opened(&db);
            let page = store.own_records(world.list.owner, &world.list.id, &hayward_store::Order::default(), None, 10_000).unwrap();
            let names: Vec<Value> = page.records.iter().map(|record| record.to_json(&page.schema)["name"].clone()).collect();
            // All rows of an import, or none.
            let turns: std::collections::BTreeSet<String> =
                names.iter().filter_map(Value::as_str).filter(|name| name.starts_with("Turn")).map(str::to_owned).collect();
            assert!(turns.len() <= 1, "{turns:?}");
            assert!(names.len() == 3 || names.len() == 3 + ROWS, "{}", names.len());
            assert_eq!(raw::count(&db, "claims where dirty = 1 or purpose is not null"), 0);
            // And it goes on from there.
            let shown = store.view::<_, StoreError>(&world.b.viewer, |view| {
                let shares = view.shares("organizations", &hayward_store::ShareQuery::default(), view.commit)?;
                Ok(shares.iter().count())
            });
            assert!(shown.unwrap() <= 1);
            moments.insert(page.edition);
        }
        assert!(!moments.is_empty());
    }
}

on_both! {
    fn what_a_running_commit_had_staged_is_not_restored(world: World) {
        // As a writer leaves it that is in the middle of its work: a row that is not visible yet, and one that is about to die.
        raw::tell(
            world.database(),
            "insert into records (row, dataset, record, key, body, born)
                select 900, number, 900, 'staged', '{\"fields\":{}}', head + 1 from datasets;
            update records set died = (select head + 1 from datasets) where key = (select min(key) from records where died > 100);
            update claims set dirty = 1, purpose = 'import', until = 9000000000000000, token = 7",
        );
        let db = TestDatabase::new(world.database().kind())?;
        let live = "records where died = 9223372036854775807";
        let before = raw::count(world.database(), live);
        restored(&backed_up(world.database()), &db, Vec::new());
        assert_eq!(raw::count(&db, "records where key = 'staged'"), 0);
        // One was staged, one was dying: the first is gone and the second stays.
        assert_eq!(raw::count(&db, live), before);
        assert_eq!(raw::count(&db, "claims where dirty = 1 or purpose is not null"), 0);
    }
}
