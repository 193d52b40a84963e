//! A restored commons is in a new era: nothing old is mistaken for something new.

use std::time::Duration;

use hayward_importers::Overrules;
use hayward_store::{Fresh, Seen, StoreError};
use hayward_tests::{TestDatabase, on_both};
use serde_json::json;

use crate::raw;
use crate::world::{World, backed_up, opened, restored};

fn number(db: &TestDatabase, sql: &str) -> i64 {
    raw::ask(db, sql)[0].parse().unwrap()
}

const NUMBERS: &[&str] = &[
    "select number as value from commit_counter",
    "select next as value from counters where name = 'record'",
    "select next as value from counters where name = 'record_row'",
    "select next as value from counters where name = 'shared_row'",
    "select next as value from counters where name = 'event'",
    "select next as value from counters where name = 'agreement'",
    "select max(named) as value from shares",
    "select max(head) as value from datasets",
    "select max(head) as value from shares",
];

on_both! {
    fn no_number_is_given_out_again_however_often_an_archive_is_restored(world: World) {
        let archive = backed_up(world.database());
        // What the commons gives out before it is lost.
        (0..3).for_each(|turn| drop(world.commons.import_csv(&world.list, &format!("identifier,name\n{turn}x,New\n"))));
        let lost: Vec<i64> = NUMBERS.iter().map(|sql| number(world.database(), sql)).collect();
        let db = TestDatabase::new(world.database().kind())?;
        restored(&archive, &db, Vec::new());
        let new: Vec<i64> = NUMBERS.iter().map(|sql| number(&db, sql)).collect();
        for (at, (lost, new)) in lost.iter().zip(&new).enumerate() {
            assert!(new > lost, "{}", NUMBERS[at]);
        }
        // A restored commons is backed up and restored in its turn.
        let again = TestDatabase::new(world.database().kind())?;
        restored(&backed_up(&db), &again, Vec::new());
        for (sql, new) in NUMBERS.iter().zip(&new) {
            assert!(number(&again, sql) > *new, "{sql}");
        }
        // Editions stay exact in JSON.
        assert!(number(&again, "select max(head) as value from datasets") < 1 << 53);
        assert_eq!(raw::count(&again, "eras"), 3);
    }
}

on_both! {
    fn a_restored_commons_goes_on(world: World) {
        let archive = backed_up(world.database());
        let db = TestDatabase::new(world.database().kind())?;
        restored(&archive, &db, Vec::new());
        let store = opened(&db);
        assert_eq!(store.commons_id(), world.commons.store.commons_id());
        assert_ne!(store.era(), world.commons.store.era());
        // What was there is shown under the same ids, and what comes next is shown too.
        let shown = |store: &hayward_store::Store| {
            store.view::<_, StoreError>(&world.b.viewer, |view| {
                let shares = view.shares("organizations", &hayward_store::ShareQuery::default(), view.commit)?;
                let page = view.list(&shares, &hayward_domain::condition::Condition::All(Vec::new()).into(), &hayward_store::Order::default(), None, 100)?;
                Ok(page.rows.into_iter().map(|row| (row.id, row.record.payload().to_owned(), row.edition)).collect::<Vec<_>>())
            })
            .unwrap()
        };
        let before = shown(&world.commons.store);
        assert_eq!((before.len(), &shown(&store)), (3, &before));
        let id = hayward_domain::id::ImportId::from_random([9; 15]);
        let new = hayward_store::NewImport { id: id.clone(), filename: "list.csv".to_owned(), overrules: Overrules::default() };
        store.begin_import(world.list.owner, "a test", &world.list.id, &new).unwrap();
        let id = store.keep_file(&id, &b"identifier,name,city\n9,Elm,York\n"[..]).unwrap();
        let import = store.import(world.list.owner, &id).unwrap();
        store.read_import(&import).unwrap();
        let import = store.import(world.list.owner, &id).unwrap();
        store.commit_import(&import, Seen::of(import.edition)).unwrap();
        let after = shown(&store);
        assert_eq!(after.len(), 4);
        let newest = after.iter().find(|(id, ..)| before.iter().all(|(old, ..)| old != id)).unwrap();
        assert!(newest.2 > before.iter().map(|(_, _, edition)| *edition).max().unwrap());
        // What was imported before can still be taken back.
        let first = raw::ask(&db, "select import as value from editions order by commit_number limit 1").remove(0);
        let first = store.import(world.list.owner, &hayward_domain::id::ImportId::parse(&first).unwrap()).unwrap();
        store.undo_import(&first, None).unwrap();
        // What another import had changed since stays, as it does without a restore.
        assert_eq!(shown(&store).len(), 2);
        let fresh = Fresh { id: hayward_domain::id::AgreementId::from_random([8; 15]), secret: [3; 32] };
        let terms = world.commons.terms(&world.list, hayward_tests::commons::To::Members, &json!({}));
        store.propose(&world.a.steward, &terms, &fresh).unwrap();
    }
}

on_both! {
    fn an_edition_from_before_is_no_edition_of_after(world: World) {
        // In the lost commons a draft was looked at against edition 4, which the archive does not have.
        let draft = world.commons.upload(&world.list, "identifier,name,city\n7,Fir,York\n");
        let archive = backed_up(world.database());
        world.commons.import_csv(&world.list, "identifier,name,city\n8,Gum,York\n");
        let seen = world.commons.edition(&world.list);
        let db = TestDatabase::new(world.database().kind())?;
        restored(&archive, &db, Vec::new());
        let store = opened(&db);
        let id = hayward_domain::id::ImportId::parse(&draft.id).unwrap();
        let import = || store.import(world.list.owner, &id).unwrap();
        for edition in [seen, draft.edition] {
            assert!(matches!(store.commit_import(&import(), Seen::of(edition)), Err(StoreError::Stale(_))));
        }
        let looked_at_again = import();
        store.commit_import(&looked_at_again, Seen::of(looked_at_again.edition)).unwrap();
    }
}

on_both! {
    fn a_version_that_was_seen_before_is_not_approved_as_another(world: World) {
        let archive = backed_up(world.database());
        let terms = |fields| world.commons.terms(&world.list, hayward_tests::commons::To::One(&world.b), &json!({"fields": fields}));
        let wider = terms(json!({"name": "exact", "city": "exact", "country": "exact"}));
        let (seen, _) = world.commons.store.propose_version(&world.a.steward, &world.agreement, 1, &wider).unwrap();
        let db = TestDatabase::new(world.database().kind())?;
        restored(&archive, &db, Vec::new());
        let store = opened(&db);
        let other = terms(json!({"name": "exact", "city": "exact", "email": "exact"}));
        let (new, _) = store.propose_version(&world.a.steward, &world.agreement, 1, &other).unwrap();
        assert!(new > seen);
        let approve = |version| store.decide(&world.b.steward, &world.agreement, version, hayward_store::Decision::Approve, None);
        assert!(matches!(approve(seen), Err(StoreError::NotFound)));
        approve(new).unwrap();
    }
}

on_both! {
    fn a_share_that_waits_for_its_rebuild_waits_on(world: World) {
        let terms = world.commons.terms(&world.list, hayward_tests::commons::To::One(&world.b), &json!({"fields": {"name": "exact"}}));
        assert_eq!(world.commons.store.propose_version(&world.a.steward, &world.agreement, 1, &terms).unwrap(), (2, true));
        let db = TestDatabase::new(world.database().kind())?;
        restored(&backed_up(world.database()), &db, Vec::new());
        let store = opened(&db);
        let shown = || {
            store.view::<_, StoreError>(&world.b.viewer, |view| {
                let shares = view.shares("organizations", &hayward_store::ShareQuery::default(), view.commit)?;
                Ok(shares.iter().count())
            })
            .unwrap()
        };
        assert_eq!(shown(), 0);
        store.build_due().unwrap();
        assert_eq!(shown(), 1);
        assert_eq!(raw::count(&db, "shared_records where payload like '%York%'"), 0);
    }
}

on_both! {
    fn a_cursor_from_before_a_restore_is_gone(db: TestDatabase) {
        let seed = 11;
        let first = hayward_tests::server::Server::start(db.url(), seed);
        let _world = hayward::demo::seed(first.store(), seed).unwrap();
        first.store().build_due().unwrap();
        let list = "/api/v1/organizations?limit=2";
        let page: serde_json::Value = first.get(list, None).json().unwrap();
        let feed: serde_json::Value = first.get("/api/v1/changes?limit=2", None).json().unwrap();
        let (cursor, seen) = (page["next"].as_str().unwrap().to_owned(), feed["next"].as_str().unwrap().to_owned());
        let keyring = first.commons.store.keyring().clone();
        let clock = first.clock.clone();
        drop(first);
        let archive = backed_up(&db);
        let new = TestDatabase::new(db.kind())?;
        clock.forward(Duration::from_secs(60));
        let url = crate::world::address(&new);
        let how = hayward_store::Restore { into: Some(&url), keyring, clock: clock.clock(), notes: Vec::new(), verify: None };
        hayward_store::restore(&mut std::io::Cursor::new(&archive), how, &|_, _| {}).unwrap();
        let second = hayward_tests::server::Server::start_again(new.url(), seed, seed + 1, clock);
        let again: serde_json::Value = second.get(list, None).json().unwrap();
        assert_eq!(again["items"], page["items"]);
        for path in [format!("{list}&cursor={cursor}"), format!("/api/v1/changes?limit=2&cursor={seen}")] {
            let answer = second.get(&path, None);
            assert_eq!(answer.status(), 410, "{path}");
            assert!(answer.text().unwrap().contains("/problems/gone"));
        }
        let next = again["next"].as_str().unwrap();
        assert_eq!(second.get(&format!("{list}&cursor={next}"), None).status(), 200);
    }
}
