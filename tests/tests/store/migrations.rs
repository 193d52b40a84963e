//! Opening a database: brought up to date once, whoever comes first, and never by an older program.

use std::sync::Arc;
use std::thread;

use hayward_domain::moment::Moment;
use hayward_store::{DatabaseUrl, Keyring, LedgerStore, Result, Store, StoreError};
use hayward_tests::{TestDatabase, on_both};

use crate::raw;

fn open(db: &TestDatabase) -> Result<Arc<Store>> {
    Store::open(&DatabaseUrl::parse(db.url()).unwrap(), Keyring::from_random(&[7; 128]), Arc::new(|| Moment(0)))
}

fn open_ledger(db: &TestDatabase) -> Result<Arc<LedgerStore>> {
    LedgerStore::open(&DatabaseUrl::parse(db.url()).unwrap())
}

on_both! {
    fn migrating_twice_is_migrating_once(db: TestDatabase) {
        drop((open(&db).unwrap(), open_ledger(&db).unwrap()));
        let once = raw::shape(&db);
        assert!(once.len() > 20);
        let (store, _ledger) = (open(&db).unwrap(), open_ledger(&db).unwrap());
        assert_eq!(raw::shape(&db), once);
        store.ping().unwrap();
    }
}

on_both! {
    fn programs_that_open_an_empty_database_at_once_all_succeed(db: TestDatabase) {
        thread::scope(|scope| {
            let opened: Vec<_> = (0..6).map(|_| scope.spawn(|| (open(&db), open_ledger(&db)))).collect();
            for one in opened {
                let (store, ledger) = one.join().unwrap();
                store.unwrap().ping().unwrap();
                assert!(ledger.unwrap().entries("org", None, 1).unwrap().items.is_empty());
            }
        });
        assert_eq!(raw::count(&db, "migrations where version = 1"), 1);
    }
}

on_both! {
    fn a_database_of_a_newer_program_is_refused(db: TestDatabase) {
        drop(open(&db).unwrap());
        raw::tell(&db, "insert into migrations (version, name) values (9999, 'from the future')");
        assert!(matches!(open(&db), Err(StoreError::Refused { code: "newer-database", .. })));
    }
}
