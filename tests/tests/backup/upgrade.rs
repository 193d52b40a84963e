//! A database of the released program, opened by this one.

use hayward_tests::{TestDatabase, on_both};

use crate::world::{World, backed_up, opened, restored};
use crate::{raw, tables};

/// Takes a commons back to the steps of the first release: what was added since is dropped.
fn as_released(db: &TestDatabase) {
    raw::tell(
        db,
        "drop table eras; delete from settings where name = 'commons'; delete from migrations where name <> '0001_commons'",
    );
    tables::tell(
        db,
        "alter table entries drop column era; alter table checkpoints drop column era;
        delete from migrations where name <> '0001_ledger'",
    );
}

on_both! {
    fn a_database_of_the_first_release_goes_on_under_this_program(world: World) {
        world.disclose_without_an_era(2);
        let World { commons, a, b, list, agreement, .. } = world;
        let before = commons.list(&b.viewer, "organizations");
        as_released(commons.database());
        let store = commons.another_store().unwrap();
        assert!(!store.commons_id().is_empty());
        assert_eq!(raw::count(commons.database(), "eras"), 1);
        assert_eq!((before.len(), commons.list(&b.viewer, "organizations")), (3, before));
        // Its chain holds on: old entries have no era, new ones have.
        let ledger = hayward_store::LedgerStore::open(&crate::world::address(commons.database())).unwrap();
        ledger.begin_in(store.era());
        let page = ledger.entries(a.id.as_str(), None, 10).unwrap();
        assert!(page.items.iter().all(|(entry, _)| entry.get("era").is_none()));
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
