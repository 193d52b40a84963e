//! The place that a commons is restored into: empty before, whole after, and nothing in between.

use hayward_store::{BackupError, DatabaseUrl, StoreError};
use hayward_tests::kept::kept;
use hayward_tests::{Kind, TestDatabase, on_both};

use crate::raw;
use crate::world::{World, address, backed_up, keyring, later, opened, restored, try_restore};

fn code(error: &BackupError) -> &'static str {
    error.code()
}

on_both! {
    fn a_place_with_something_in_it_is_refused(world: World) {
        let archive = backed_up(world.database());
        let before = raw::count(world.database(), "records");
        let refused = try_restore(&archive, Some(&address(world.database())), Vec::new());
        assert_eq!(refused.err().as_ref().map(code), Some("not-empty"));
        assert_eq!(raw::count(world.database(), "records"), before);
        // Anything at all.
        let db = TestDatabase::new(world.database().kind())?;
        match db.kind() {
            Kind::Sqlite => std::fs::write(db.folder().join("hayward.db"), "somebody's file").unwrap(),
            Kind::Postgres => raw::tell(&db, "create table somebodys (x text)"),
        }
        let refused = try_restore(&archive, Some(&address(&db)), Vec::new());
        assert_eq!(refused.err().as_ref().map(code), Some("not-empty"));
    }
}

on_both! {
    fn an_unfinished_restore_is_served_by_nobody_and_replaced_by_the_next(world: World) {
        let archive = backed_up(world.database());
        let db = TestDatabase::new(world.database().kind())?;
        restored(&archive, &db, Vec::new());
        // As it is left by a restore that was killed before its last step.
        raw::tell(&db, "create table unfinished_restore (only_row bigint primary key); delete from tokens");
        let refused = hayward_store::Store::open(&address(&db), keyring(), later());
        assert!(matches!(refused, Err(StoreError::Refused { code: "unfinished-restore", .. })));
        let mut nothing = Vec::new();
        let refused = hayward_store::back_up(&address(&db), "a test", later()(), &mut nothing, &|_, _| {});
        assert_eq!(refused.err().as_ref().map(code), Some("unfinished-restore"));
        restored(&archive, &db, Vec::new());
        opened(&db).ping().unwrap();
        assert_eq!(raw::count(&db, "tokens"), raw::count(world.database(), "tokens"));
    }
}

on_both! {
    fn two_restores_into_one_place_are_one(world: World) {
        world.disclose(1);
        let archive = backed_up(world.database());
        for _ in 0..4 {
            let db = TestDatabase::new(world.database().kind())?;
            let tries: Vec<_> = std::thread::scope(|scope| {
                let started: Vec<_> = (0..2).map(|_| scope.spawn(|| try_restore(&archive, Some(&address(&db)), Vec::new()))).collect();
                started.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let refused: Vec<_> = tries.iter().filter_map(|one| one.as_ref().err()).map(code).collect();
            assert!(matches!(refused[..], ["not-empty" | "being-restored"]), "{refused:?}");
            assert_eq!(kept(&db), kept(world.database()));
            opened(&db).ping().unwrap();
        }
    }
}

on_both! {
    fn an_archive_is_looked_at_without_a_place(world: World) {
        let looked = try_restore(&backed_up(world.database()), None, Vec::new()).unwrap();
        assert!(looked.faults.is_empty() && looked.tables.iter().any(|table| table.table == "records" && table.rows > 0));
    }
}

on_both! {
    fn other_keys_are_refused(world: World) {
        let archive = backed_up(world.database());
        let how = hayward_store::Restore {
            into: None, keyring: hayward_store::Keyring::from_random(&[1; 128]), clock: later(), notes: Vec::new(), verify: None,
        };
        let refused = hayward_store::restore(&mut std::io::Cursor::new(&archive), how, &|_, _| {});
        assert_eq!(refused.err().as_ref().map(code), Some("other-keys"));
    }
}

on_both! {
    fn faults_are_found_and_keep_a_commons_out_of_its_place(world: World) {
        world.disclose(3);
        let faults = [
            ("update agreement_versions set hash = 'other'", "update agreement_versions set hash = (select hash from approvals limit 1)"),
            ("update shares set open = 0", "update shares set open = 1"),
            ("update counters set next = 1 where name = 'never'", "update counters set next = next where name = 'event'"),
        ];
        for (at, (breaks, mends)) in faults.iter().enumerate() {
            raw::tell(world.database(), breaks);
            let db = TestDatabase::new(world.database().kind())?;
            let restored = try_restore(&backed_up(world.database()), Some(&address(&db)), Vec::new()).unwrap();
            assert_eq!(restored.faults.is_empty(), at == 2, "{breaks}: {:?}", restored.faults);
            if !restored.faults.is_empty() {
                match db.kind() {
                    Kind::Sqlite => assert_eq!(std::fs::read_dir(db.folder()).unwrap().count(), 0),
                    Kind::Postgres => assert!(hayward_store::Store::open(&address(&db), keyring(), later()).is_err()),
                }
            }
            raw::tell(world.database(), mends);
        }
    }
}

on_both! {
    fn a_ledger_that_was_changed_is_found_out(world: World) {
        world.disclose(3);
        raw::ledger::tell(world.database(), "update entries set disclosed = replace(disclosed, '1-3', '1-2') where row = 2");
        let looked = try_restore(&backed_up(world.database()), None, Vec::new()).unwrap();
        assert_eq!(looked.faults.len(), 1, "{:?}", looked.faults);
        raw::ledger::tell(world.database(), "update entries set disclosed = replace(disclosed, '1-2', '1-3') where row = 2");
        raw::ledger::tell(world.database(), "update checkpoints set at = at + 1");
        let looked = try_restore(&backed_up(world.database()), None, Vec::new()).unwrap();
        assert!(!looked.faults.is_empty());
    }
}

#[test]
fn there_is_no_backup_of_what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("hayward.db"));
    let mut nothing = Vec::new();
    let refused = hayward_store::back_up(&url, "a test", later()(), &mut nothing, &|_, _| {});
    assert_eq!(refused.err().as_ref().map(code), Some("no-commons"));
    // And none is made by looking.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
