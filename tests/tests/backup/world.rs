//! A commons with a bit of everything, and backing it up and restoring it in one line each.

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use hayward::ledger::seal;
use hayward_domain::id::{AgreementId, DisclosureId};
use hayward_domain::moment::Moment;
use hayward_store::{
    BackupError, Clock, DatabaseUrl, Disclosed, Entry, EntryKind, Era, Keyring, LedgerEyes, LedgerStore, Note, Point, PublicRead,
    Restore, Restored, Store,
};
use hayward_tests::commons::{Commons, List, Member, START, To};
use hayward_tests::{Kind, TestDatabase, raw};
use serde_json::json;

/// The keys that [`Commons`] is made with.
pub fn keyring() -> Keyring {
    Keyring::from_random(&std::array::from_fn(|at| u8::try_from(at).unwrap()))
}

pub fn address(db: &TestDatabase) -> DatabaseUrl {
    DatabaseUrl::parse(db.url()).unwrap()
}

/// The clock of a restored commons: ten days after the other began.
pub fn later() -> Clock {
    Arc::new(|| Moment(START.0 + 10 * 86_400_000_000))
}

/// An archive of what is in `db` now.
pub fn backed_up(db: &TestDatabase) -> Vec<u8> {
    let mut archive = Vec::new();
    hayward_store::back_up(&address(db), "a test", START, &mut archive, &|_, _| {}).unwrap();
    archive
}

pub fn try_restore(archive: &[u8], into: Option<&DatabaseUrl>, notes: Vec<Note>) -> Result<Restored, BackupError> {
    let key = seal::public_key(&keyring().signing());
    let signed = |point: &Point| {
        let at = point.at.to_rfc3339();
        seal::signed_by(&key, &point.provider, point.position, &point.hash, &at, point.era.as_deref(), &point.signature)
    };
    let eyes = LedgerEyes { hash: &seal::hash, signed: &signed };
    let how = Restore { into, keyring: keyring(), clock: later(), notes, verify: Some(&eyes) };
    hayward_store::restore(&mut Cursor::new(archive), how, &|_, _| {})
}

/// Restores into `db`, and finds nothing wrong with it.
pub fn restored(archive: &[u8], db: &TestDatabase, notes: Vec<Note>) -> Restored {
    let restored = try_restore(archive, Some(&address(db)), notes).unwrap();
    assert_eq!(restored.faults, Vec::<String>::new());
    restored
}

/// The store of a restored commons.
pub fn opened(db: &TestDatabase) -> Arc<Store> {
    Store::open(&address(db), keyring(), later()).unwrap()
}

pub fn other(kind: Kind) -> Kind {
    match kind {
        Kind::Sqlite => Kind::Postgres,
        Kind::Postgres => Kind::Sqlite,
    }
}

/// A commons of two co-ops with a list, an agreement, editions, an undo, a draft and a ledger.
pub struct World {
    pub commons: Commons,
    pub a: Member,
    pub b: Member,
    pub list: List,
    pub agreement: AgreementId,
    pub notes: Arc<Mutex<Vec<Note>>>,
}

impl World {
    pub fn new(kind: Kind) -> Result<Self, hayward_tests::cluster::ClusterError> {
        let commons = Commons::new(kind)?;
        let notes: Arc<Mutex<Vec<Note>>> = Arc::default();
        let kept = Arc::clone(&notes);
        commons.store.note_in(Box::new(move |note| {
            kept.lock().unwrap().push(note.clone());
            Ok(())
        }));
        assert_eq!(commons.store.note_once("key_print", &keyring().print()).unwrap(), keyring().print());
        let (a, b) = (commons.organization("alder"), commons.organization("birch"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name,city\n1,Ash é,York\n2,Box,Hull\n3,Cedar,York\n");
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let second = commons.import_csv(&list, "identifier,name,city\n2,Box,Leeds\n4,Dogwood,York\n");
        commons.undo(&list, &second);
        commons.upload(&list, "identifier,name,city\n5,\"a \"\" quote\",\nbad\n");
        Ok(Self { commons, a, b, list, agreement, notes })
    }

    pub fn database(&self) -> &TestDatabase {
        self.commons.database()
    }

    /// What was noted so far.
    pub fn noted(&self) -> Vec<Note> {
        self.notes.lock().unwrap().clone()
    }

    /// Writes `count` entries into the ledger, and seals them.
    pub fn disclose(&self, count: u8) {
        self.disclose_in(Some(self.commons.store.era()), count);
    }

    /// The same as a program did it that knew of no eras, nor of kinds of entries.
    pub fn disclose_without_an_era(&self, count: u8) {
        self.disclose_in(None, count);
    }

    fn disclose_in(&self, era: Option<Era>, count: u8) {
        let ledger = LedgerStore::open(&address(self.database())).unwrap();
        let early = era.is_none();
        era.into_iter().for_each(|era| ledger.begin_in(era));
        let disclosed = |records: &str| Disclosed {
            agreement: self.agreement.to_string(),
            provider: self.a.id.to_string(),
            version: 1,
            purpose: "directory".to_owned(),
            edition: 1,
            fields: vec!["name".to_owned()],
            count: 1,
            records: records.to_owned(),
        };
        for byte in 0..count {
            let entry = Entry {
                kind: EntryKind::Disclosure,
                id: DisclosureId::from_random([byte; 15]).to_string(),
                chunk: 0,
                at: START,
                recipient: self.b.id.to_string(),
                client: "cli_x".to_owned(),
                channel: "list".to_owned(),
                request: "r".to_owned(),
                disclosed: vec![disclosed("1-3")],
            };
            ledger.append(&[entry], &[], &[]).unwrap();
        }
        let id = DisclosureId::from_random([200; 15]).to_string();
        ledger.append(&[], &[PublicRead { id, at: START, first: true, disclosed: disclosed("") }], &[]).unwrap();
        if early {
            raw::ledger::tell(self.database(), "update entries set kind = null");
        }
        seal::all(&ledger, &keyring().signing(), START).unwrap();
    }
}
