//! What was closed or narrowed after an archive was made is closed and narrowed after it is restored.

use hayward_domain::id::AgreementId;
use hayward_store::{Again, Closing, Decision, Note, Restored, Store, StoreError};
use hayward_tests::commons::To;
use hayward_tests::{TestDatabase, on_both};
use serde_json::{Value, json};

use crate::raw;
use crate::world::{World, backed_up, opened, restored};

/// Payloads that the recipient gets.
fn shown(world: &World, store: &Store) -> Vec<Value> {
    let payloads = store.view::<_, StoreError>(&world.b.viewer, |view| {
        let shares = view.shares("organizations", &hayward_store::ShareQuery::default(), view.commit)?;
        let all = hayward_domain::condition::Condition::All(Vec::new());
        let page = view.list(&shares, &all.clone().into(), &hayward_store::Order::default(), None, 100)?;
        Ok(page.rows.iter().map(|row| serde_json::from_str(row.record.payload()).unwrap()).collect())
    });
    payloads.unwrap()
}

fn state(world: &World, store: &Store, agreement: &AgreementId, version: i64) -> String {
    let shown = store.agreement(&world.a.steward, agreement, Some(version)).unwrap();
    if shown["version"] == version { shown["state"].as_str().unwrap().to_owned() } else { "none".to_owned() }
}

/// The commons restored from `archive` with everything that was noted, built as far as it goes.
fn back(world: &World, archive: &[u8]) -> (TestDatabase, std::sync::Arc<Store>, Restored) {
    let db = TestDatabase::new(world.database().kind()).unwrap();
    let restored = restored(archive, &db, world.noted());
    let store = opened(&db);
    store.build_due().unwrap();
    (db, store, restored)
}

fn outcomes(restored: &Restored) -> Vec<Again> {
    restored.replayed.iter().map(|one| one.outcome).collect()
}

fn narrower(world: &World, over: &Value) -> (i64, bool) {
    let versions = world.commons.store.agreement(&world.a.steward, &world.agreement, None).unwrap();
    let from = i64::try_from(versions["versions"].as_array().unwrap().len()).unwrap();
    let terms = world.commons.terms(&world.list, To::One(&world.b), over);
    world.commons.store.propose_version(&world.a.steward, &world.agreement, from, &terms).unwrap()
}

on_both! {
    fn who_was_erased_stays_erased_and_is_not_added_again(world: World) {
        let archive = backed_up(world.database());
        let records = world.commons.own(&world.list);
        let box_ = records.iter().find(|record| record["identifier"] == "2").unwrap()["id"].as_str().unwrap().to_owned();
        let id = hayward_domain::id::ErasureId::from_random([9; 15]);
        world.commons.store.erase(&world.a.steward, &box_, &id, "asked by letter").unwrap();
        world.commons.store.finish_erasures().unwrap();
        // A note holds no value.
        assert!(!serde_json::to_string(&world.noted()).unwrap().contains("Box"));
        let (db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Closed]);
        assert!(store.is_erased(&id).unwrap());
        let names = |store: &Store| {
            let page = store.own_records(world.a.number, &world.list.id, &hayward_store::Order::default(), None, 100).unwrap();
            page.records.iter().map(|record| record.to_json(&page.schema)["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&store), ["Ash é", "Cedar"]);
        assert!(shown(&world, &store).iter().all(|item| item["name"] != "Box"));
        for table in ["records where body like '%Box%'", "shared_records where payload like '%Box%'", "import_chunks"] {
            assert_eq!(raw::count(&db, table), 0, "{table}");
        }
        // The next file is told so, here too.
        let import = hayward_domain::id::ImportId::from_random([9; 15]);
        let new = hayward_store::NewImport {
            id: import.clone(),
            filename: "next.csv".to_owned(),
            overrules: hayward_importers::Overrules::default(),
        };
        store.begin_import(world.a.number, "a test", &world.list.id, &new).unwrap();
        let import = store.keep_file(&import, &b"identifier,name,city\n2,Box,Hull\n6,Fir,York\n"[..]).unwrap();
        let import = store.import(world.a.number, &import).unwrap();
        store.import_at_once(&import, None, hayward_store::Seen::default()).unwrap();
        assert_eq!(names(&store), ["Ash é", "Cedar", "Fir"]);
        // Restored once more from an archive of after it, there is nothing to do again.
        let after = backed_up(&db);
        let third = TestDatabase::new(world.database().kind()).unwrap();
        assert_eq!(outcomes(&crate::world::restored(&after, &third, world.noted())), Vec::<Again>::new());
        assert!(opened(&third).is_erased(&id).unwrap());
    }
}

on_both! {
    fn who_came_after_the_archive_and_was_erased_is_remembered(world: World) {
        let archive = backed_up(world.database());
        world.commons.import_csv(&world.list, "identifier,name,city\n7,Gorse,York\n");
        let records = world.commons.own(&world.list);
        let gorse = records.iter().find(|record| record["identifier"] == "7").unwrap()["id"].as_str().unwrap().to_owned();
        let id = hayward_domain::id::ErasureId::from_random([9; 15]);
        world.commons.store.erase(&world.a.steward, &gorse, &id, "asked by letter").unwrap();
        let (db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Closed]);
        assert_eq!(raw::count(&db, "suppressed_keys"), 1);
        let import = hayward_domain::id::ImportId::from_random([9; 15]);
        let new = hayward_store::NewImport {
            id: import.clone(),
            filename: "next.csv".to_owned(),
            overrules: hayward_importers::Overrules::default(),
        };
        store.begin_import(world.a.number, "a test", &world.list.id, &new).unwrap();
        let import = store.keep_file(&import, &b"identifier,name,city\n7,Gorse,York\n"[..]).unwrap();
        store.import_at_once(&store.import(world.a.number, &import).unwrap(), None, hayward_store::Seen::default()).unwrap();
        assert_eq!(raw::count(&db, "records where body like '%Gorse%'"), 0);
    }
}

on_both! {
    fn suspended_stays_suspended_by_the_same_side(world: World) {
        let archive = backed_up(world.database());
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Suspend).unwrap();
        let (_db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Closed]);
        assert_eq!((state(&world, &store, &world.agreement, 1).as_str(), shown(&world, &store).len()), ("suspended", 0));
        // Whoever suspended it can lift that, and nobody else.
        assert!(store.decide(&world.a.steward, &world.agreement, 1, Decision::Resume, None).is_err());
        store.decide(&world.b.steward, &world.agreement, 1, Decision::Resume, None).unwrap();
        assert_eq!(shown(&world, &store).len(), 3);
    }
}

on_both! {
    fn who_left_is_gone_and_everything_with_it(world: World) {
        let archive = backed_up(world.database());
        let left = world.commons.store.leave(&world.a.steward, world.a.id.as_str(), "We merge.").unwrap();
        assert_eq!(left.agreements, [world.agreement.to_string()]);
        let (_db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Closed]);
        assert_eq!((state(&world, &store, &world.agreement, 1).as_str(), shown(&world, &store).len()), ("ended", 0));
        let again = store.leave(&world.a.steward, world.a.id.as_str(), "Once more.");
        assert!(matches!(again, Err(StoreError::Refused { code: "left-already", .. })));
    }
}

on_both! {
    fn ended_is_ended_with_what_was_to_come_after_it(world: World) {
        let wider = world.commons.terms(&world.list, To::One(&world.b), &json!({"fields": {"name": "exact", "city": "exact", "country": "exact"}}));
        world.commons.store.propose_version(&world.b.steward, &world.agreement, 1, &wider).unwrap();
        let archive = backed_up(world.database());
        world.commons.decide(&world.a.steward, &world.agreement, 1, Decision::End).unwrap();
        let (_db, store, _) = back(&world, &archive);
        assert_eq!(state(&world, &store, &world.agreement, 1), "ended");
        assert_eq!(state(&world, &store, &world.agreement, 2), "terminated");
        assert!(shown(&world, &store).is_empty());
    }
}

on_both! {
    fn narrowed_is_narrowed_to_the_same_terms(world: World) {
        let archive = backed_up(world.database());
        assert_eq!(narrower(&world, &json!({"fields": {"name": "exact"}})), (2, true));
        assert_eq!(narrower(&world, &json!({"fields": {"name": "exact"}, "rows": {"name": {"eq": "Box"}}})), (3, true));
        let hash = world.commons.store.agreement(&world.a.steward, &world.agreement, Some(3)).unwrap()["hash"].clone();
        let (db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Closed, Again::Closed]);
        assert_eq!(store.agreement(&world.a.steward, &world.agreement, Some(3)).unwrap()["hash"], hash);
        assert_eq!(shown(&world, &store), [json!({"name": "Box"})]);
        assert_eq!(raw::count(&db, "shared_records where payload like '%York%'"), 0);
    }
}

on_both! {
    fn until_it_is_rebuilt_a_narrowed_share_answers_nothing(world: World) {
        let archive = backed_up(world.database());
        narrower(&world, &json!({"fields": {"name": "exact"}}));
        let db = TestDatabase::new(world.database().kind())?;
        restored(&archive, &db, world.noted());
        assert!(shown(&world, &opened(&db)).is_empty());
    }
}

on_both! {
    fn what_cannot_be_narrowed_as_it_was_is_suspended_by_its_provider(world: World) {
        let archive = backed_up(world.database());
        // After the backup the terms got wider, and then narrower again: still wider than what the archive holds.
        let wider = json!({"fields": {"name": "exact", "city": "exact", "country": "exact"}});
        let terms = world.commons.terms(&world.list, To::One(&world.b), &wider);
        world.commons.store.propose_version(&world.a.steward, &world.agreement, 1, &terms).unwrap();
        world.commons.approve(&world.a, To::One(&world.b), &world.agreement, 2);
        assert_eq!(narrower(&world, &json!({"fields": {"name": "exact", "country": "exact"}})), (3, true));
        let (_db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Instead]);
        assert_eq!(state(&world, &store, &world.agreement, 1), "suspended");
        assert!(shown(&world, &store).is_empty());
    }
}

on_both! {
    fn what_was_closed_under_a_later_version_closes_the_one_in_the_archive(world: World) {
        for (how, becomes) in [(Decision::Suspend, "suspended"), (Decision::End, "ended")] {
            let archive = backed_up(world.database());
            let newest = world.commons.store.agreement(&world.a.steward, &world.agreement, None).unwrap();
            let before = newest["version"].as_i64().unwrap();
            let fields = if before == 1 { json!({"name": "exact", "country": "exact"}) } else { json!({"name": "exact", "region": "exact"}) };
            let terms = world.commons.terms(&world.list, To::One(&world.b), &json!({"fields": fields}));
            world.commons.store.propose_version(&world.a.steward, &world.agreement, before, &terms).unwrap();
            world.commons.approve(&world.a, To::One(&world.b), &world.agreement, before + 1);
            world.commons.decide(&world.b.steward, &world.agreement, before + 1, how).unwrap();
            let (_db, store, _) = back(&world, &archive);
            assert_eq!(state(&world, &store, &world.agreement, before), becomes);
            assert!(shown(&world, &store).is_empty());
            if how == Decision::Suspend {
                world.commons.decide(&world.b.steward, &world.agreement, before + 1, Decision::Resume).unwrap();
            }
        }
    }
}

on_both! {
    fn what_was_agreed_and_then_taken_back_or_halted_does_not_come_into_force(world: World) {
        let commons = &world.commons;
        let settings = hayward_store::Settings { grace: std::time::Duration::from_secs(86_400 * 5), ..commons.store.read_settings().unwrap() };
        commons.store.write_settings(&settings).unwrap();
        let agreed = || commons.agree(&world.a, To::Members, &world.list, &json!({}));
        let (taken_back, halted) = (agreed(), agreed());
        let archive = backed_up(world.database());
        commons.decide(&world.a.steward, &taken_back, 1, Decision::Withdraw).unwrap();
        commons.pass_days(6);
        commons.store.build_due().unwrap();
        assert_eq!(commons.state(&world.a, &halted, 1), "active");
        commons.decide(&world.a.steward, &halted, 1, Decision::Suspend).unwrap();
        let (_db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Closed, Again::Instead]);
        for agreement in [&taken_back, &halted] {
            assert_eq!(state(&world, &store, agreement, 1), "terminated");
        }
    }
}

on_both! {
    fn certified_is_certified_and_the_secret_is_gone(world: World) {
        world.commons.decide(&world.a.steward, &world.agreement, 1, Decision::End).unwrap();
        let archive = backed_up(world.database());
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Certify).unwrap();
        let (db, store, _) = back(&world, &archive);
        assert_eq!(state(&world, &store, &world.agreement, 1), "closed");
        assert_eq!(raw::count(&db, "agreements where secret is not null"), 0);
    }
}

on_both! {
    fn a_revoked_token_stays_revoked(world: World) {
        let archive = backed_up(world.database());
        let hayward_store::Viewer::Token(hash) = world.b.viewer.clone() else { unreachable!("a member holds a token") };
        world.commons.store.revoke_token(&hash).unwrap();
        let (_db, store, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Closed]);
        assert!(matches!(store.caller(&hash), Err(StoreError::NotFound)));
    }
}

on_both! {
    fn what_is_in_the_archive_is_not_closed_again(world: World) {
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Suspend).unwrap();
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Resume).unwrap();
        let (_db, store, restored) = back(&world, &backed_up(world.database()));
        assert!(restored.replayed.is_empty());
        assert_eq!(shown(&world, &store).len(), 3);
    }
}

on_both! {
    fn notes_of_another_commons_close_nothing_here(world: World) {
        let archive = backed_up(world.database());
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Suspend).unwrap();
        let strange = |note: Note| Note { commons: "another".to_owned(), ..note };
        let notes = world.noted().into_iter().map(strange).collect();
        let db = TestDatabase::new(world.database().kind())?;
        assert!(restored(&archive, &db, notes).replayed.is_empty());
        assert_eq!(shown(&world, &opened(&db)).len(), 3);
    }
}

on_both! {
    fn notes_of_what_the_archive_does_not_know_are_nothing_to_do(world: World) {
        let archive = backed_up(world.database());
        let later = world.commons.agree(&world.a, To::Members, &world.list, &json!({}));
        world.commons.decide(&world.a.steward, &later, 1, Decision::Suspend).unwrap();
        let (_db, _, restored) = back(&world, &archive);
        assert_eq!(outcomes(&restored), [Again::Nothing]);
    }
}

on_both! {
    fn an_archive_restored_twice_closes_what_both_lost_commons_closed(world: World) {
        let archive = backed_up(world.database());
        let other = world.commons.agree(&world.a, To::Members, &world.list, &json!({}));
        let both = backed_up(world.database());
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Suspend).unwrap();
        // The first restored commons closes something too, and is lost in its turn.
        let first = TestDatabase::new(world.database().kind())?;
        restored(&both, &first, world.noted());
        let store = opened(&first);
        let kept = std::sync::Arc::clone(&world.notes);
        store.note_in(Box::new(move |note| {
            kept.lock().unwrap().push(note.clone());
            Ok(())
        }));
        store.decide(&world.a.steward, &other, 1, Decision::End, None).unwrap();
        drop(store);
        let (_db, store, _) = back(&world, &both);
        assert_eq!(state(&world, &store, &world.agreement, 1), "suspended");
        assert_eq!(state(&world, &store, &other, 1), "ended");
        let (_db, store, _) = back(&world, &archive);
        assert_eq!(state(&world, &store, &world.agreement, 1), "suspended");
    }
}

on_both! {
    fn what_cannot_be_noted_stands_and_is_not_acknowledged(world: World) {
        let store = world.commons.another_store().unwrap();
        store.note_in(Box::new(|_| Err(std::io::Error::other("full"))));
        let refused = store.decide(&world.b.steward, &world.agreement, 1, Decision::Suspend, None);
        assert!(matches!(refused, Err(StoreError::Refused { code: "journal-unavailable", .. })));
        assert!(shown(&world, &store).is_empty());
    }
}

on_both! {
    fn nothing_that_opens_is_noted(world: World) {
        let before = world.noted().len();
        world.commons.agree(&world.a, To::Members, &world.list, &json!({}));
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Suspend).unwrap();
        world.commons.decide(&world.b.steward, &world.agreement, 1, Decision::Resume).unwrap();
        let noted: Vec<Closing> = world.noted().into_iter().skip(before).map(|note| note.closing).collect();
        assert!(matches!(noted.as_slice(), [Closing::Stopped { .. }]));
    }
}
