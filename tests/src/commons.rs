//! A small commons to test with: a database of its own, a clock that stands still until it is moved, and member co-ops that are
//! made, import and agree in one line each.
//!
//! Everything goes through the store's public functions, as the program's own handlers do it; what a test wants to see of the
//! tables themselves it asks the database. Ids are counted, so that a test that fails once fails the same way again.

#![expect(clippy::unwrap_used, reason = "a world that cannot be made is a test that failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hayward_domain::id::{AgreementId, DatasetId, ImportId, OrganizationId, PersonId, base32};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::schema::built_in;
use hayward_domain::scope::{Role, Scopes};
use hayward_importers::{Matching, Overrules};
use hayward_store::{
    Caller, Clock, DatabaseUrl, Decision, Fresh, Import, Keyring, NewDataset, NewImport, NewOrganization, NewPerson, NewToken,
    Outcome, ProposalError, Result, Seen, Settings, Store, Viewer,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::cluster::ClusterError;
use crate::{Kind, TestDatabase};

mod reading;

pub use reading::item;

/// Says yes to whatever goes: a test that lets absent records go means it.
pub const DELETES: Seen = Seen { edition: None, removals: Some(u64::MAX) };

/// Where the clock stands at first: 2026-12-01, noon. Agreements begin that day and end with 2027-11-30 unless told otherwise.
pub const START: Moment = Moment(1_796_126_400_000_000);

/// Every scope there is, over the collections of the built-in schemas.
const EVERY_SCOPE: &str = "directory:read opportunities:read memberships:read measurements:read datasets:read datasets:write \
    imports:write agreements:read agreements:propose agreements:approve ledger:read clients:manage";

/// One commons, gone when it is dropped.
pub struct Commons {
    /// Its store. Before the database, which is dropped after it.
    pub store: Arc<Store>,
    database: TestDatabase,
    clock: Arc<AtomicI64>,
    ids: AtomicI64,
}

/// A member co-op.
#[derive(Clone)]
pub struct Member {
    /// Its row number.
    pub number: OrganizationNumber,
    /// Its id.
    pub id: OrganizationId,
    /// Its first steward, with every scope. The only one, so that it may approve what it proposed itself.
    pub steward: Caller,
    /// The steward's bearer token, for tests over HTTP.
    pub token: String,
    /// The holder of that token: reads what is shared with the co-op.
    pub viewer: Viewer,
}

/// A dataset of a member co-op.
#[derive(Clone)]
pub struct List {
    /// Its id.
    pub id: DatasetId,
    /// Whose it is.
    pub owner: OrganizationNumber,
    /// The name of its schema.
    pub schema: String,
}

/// For whom an agreement is.
#[derive(Clone, Copy)]
pub enum To<'a> {
    /// One member co-op.
    One(&'a Member),
    /// All of them.
    Members,
    /// Everyone.
    Public,
}

impl Commons {
    /// An empty commons with the built-in schemas, in UTC, without a grace period.
    ///
    /// # Errors
    /// If there is no database to be had.
    pub fn new(kind: Kind) -> std::result::Result<Self, ClusterError> {
        let clock = Arc::new(AtomicI64::new(START.0));
        let database = TestDatabase::from_template(kind, |url| {
            let store = open(url, &Arc::new(AtomicI64::new(START.0))).unwrap();
            built_in().unwrap().iter().for_each(|schema| store.register_schema(schema).unwrap());
            let settings = Settings { grace: Duration::ZERO, ..store.read_settings().unwrap() };
            store.write_settings(&settings).unwrap();
        })?;
        let store = open(database.url(), &clock).unwrap();
        Ok(Self { store, database, clock, ids: AtomicI64::new(1) })
    }

    /// Which database it lies in, and where.
    #[must_use]
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The database alone, for a program of its own to serve.
    #[must_use]
    pub fn into_database(self) -> TestDatabase {
        self.database
    }

    /// A second program on the same database, with the same clock and nothing else in common.
    ///
    /// # Errors
    /// The store's.
    pub fn another_store(&self) -> Result<Arc<Store>> {
        open(self.database.url(), &self.clock)
    }

    /// The clock itself, in microseconds: for a test that opens a store of its own.
    #[must_use]
    pub fn clock(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.clock)
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(self.clock.load(Ordering::SeqCst))
    }

    /// Moves the clock on.
    pub fn pass(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap();
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    /// Moves the clock on by whole days.
    pub fn pass_days(&self, days: u64) {
        self.pass(Duration::from_secs(days * 86_400));
    }

    /// Fifteen bytes that no other id of this commons is made of.
    fn fresh(&self) -> [u8; 15] {
        let number = self.ids.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        std::array::from_fn(|at| if at < 7 { 0x5a } else { number.get(at - 7).copied().unwrap_or_default() })
    }

    /// A new member co-op with one steward.
    pub fn organization(&self, slug: &str) -> Member {
        let id = OrganizationId::from_random(self.fresh());
        let new = NewOrganization { id: id.clone(), slug: slug.to_owned(), name: format!("Co-op {slug}") };
        let number = self.store.add_organization(&new).unwrap();
        let (steward, token) = self.person(slug, &[(number, Role::Steward)]);
        Member { number, id, steward, viewer: holder(&token), token }
    }

    /// One more steward of `member`.
    pub fn another_steward(&self, member: &Member) -> Caller {
        self.person("another", &[(member.number, Role::Steward)]).0
    }

    /// A person with these positions, acting for the first of them, and their bearer token.
    pub fn person(&self, name: &str, positions: &[(OrganizationNumber, Role)]) -> (Caller, String) {
        let id = PersonId::from_random(self.fresh());
        let new = NewPerson {
            id: id.clone(),
            email: format!("{name}@{id}.example"),
            name: name.to_owned(),
            password_hash: "none".to_owned(),
            operator: false,
            positions: positions.to_vec(),
        };
        self.store.add_person(&new).unwrap();
        let token = format!("hwt_{id}");
        let Viewer::Token(hash) = holder(&token) else { unreachable!("whoever holds a token is not nobody") };
        let new = NewToken {
            hash: hash.clone(),
            organization: positions.first().unwrap().0,
            person: Some(id),
            client: None,
            scopes: Scopes::parse(EVERY_SCOPE).unwrap(),
            expires_at: START.plus(Duration::from_secs(10 * 365 * 86_400)),
        };
        self.store.add_token(&new).unwrap();
        (self.store.caller(&hash).unwrap(), token)
    }

    /// An empty dataset of `member`.
    pub fn dataset(&self, member: &Member, schema: &str) -> List {
        let id = DatasetId::from_random(self.fresh());
        let new = NewDataset { id: id.clone(), schema: schema.to_owned(), name: id.to_string() };
        self.store.add_dataset(member.number, &new).unwrap();
        List { id, owner: member.number, schema: schema.to_owned() }
    }

    /// The edition that `list` stands at.
    #[must_use]
    pub fn edition(&self, list: &List) -> i64 {
        let datasets = self.store.datasets(list.owner).unwrap();
        datasets.iter().find(|dataset| dataset.id == list.id.as_str()).unwrap().edition
    }

    /// Uploads `csv` under a name; nobody has read it yet.
    pub fn keep(&self, list: &List, filename: &str, csv: &str) -> Import {
        let id = ImportId::from_random(self.fresh());
        let new = NewImport { id: id.clone(), filename: filename.to_owned(), overrules: Overrules::default() };
        self.store.begin_import(list.owner, "a test", &list.id, &new).unwrap();
        let id = self.store.keep_file(&id, csv.as_bytes()).unwrap();
        self.store.import(list.owner, &id).unwrap()
    }

    /// Uploads `csv` and has it read; nothing is committed.
    pub fn upload(&self, list: &List, csv: &str) -> Import {
        let import = self.keep(list, "list.csv", csv);
        self.store.read_import(&import).unwrap();
        self.again(list, &import)
    }

    /// The import after somebody changed its matching.
    pub fn rematch(&self, list: &List, import: &Import, change: impl FnOnce(&mut Matching)) -> Import {
        let mut matching: Matching = serde_json::from_value(import.matching.clone().unwrap()).unwrap();
        change(&mut matching);
        let faults = self.store.rematch_import(import, matching).unwrap();
        assert!(faults.is_empty(), "the matching has faults");
        self.again(list, import)
    }

    /// The import as it stands now.
    #[must_use]
    pub fn again(&self, list: &List, import: &Import) -> Import {
        self.store.import(list.owner, &ImportId::parse(&import.id).unwrap()).unwrap()
    }

    /// Imports `csv`, whose headings decide every column.
    pub fn import_csv(&self, list: &List, csv: &str) -> Import {
        self.import_with(list, csv, |_| {})
    }

    /// Imports `csv` after somebody changed the matching.
    pub fn import_with(&self, list: &List, csv: &str, change: impl FnOnce(&mut Matching)) -> Import {
        let import = self.upload(list, csv);
        let import = self.rematch(list, &import, change);
        self.store.commit_import(&import, Seen { edition: Some(import.edition), ..DELETES }).unwrap();
        self.again(list, &import)
    }

    /// Takes an import back; how many records were left alone.
    pub fn undo(&self, list: &List, import: &Import) -> u64 {
        self.store.undo_import(&self.again(list, import), None).unwrap().kept
    }

    /// Terms about `list` that show what the schema requires and nothing else, with the members of `over` in place of ours.
    #[must_use]
    pub fn terms(&self, list: &List, to: To<'_>, over: &Value) -> Value {
        let schema = self.store.schema(&list.schema).unwrap();
        let required = schema.fields.iter().filter(|field| field.required);
        let fields: Map<String, Value> = required.map(|field| (field.name.to_string(), json!("exact"))).collect();
        let mut terms = json!({
            "dataset": list.id,
            "audience": match to {
                To::One(member) => json!({"organization": member.id}),
                To::Members => json!("members"),
                To::Public => json!("public"),
            },
            "fields": fields,
            "rows": "all",
            "record_id": "stable",
            "purpose": {"code": "directory", "text": "To be tested."},
            "ending": {"delete_within_days": 30},
            "starts_on": "2026-12-01",
            "ends_on": "2027-11-30",
        });
        let members = over.as_object().cloned().unwrap_or_default();
        terms.as_object_mut().unwrap().extend(members);
        terms
    }

    /// Proposes terms.
    ///
    /// # Errors
    /// What is wrong with them, and the store's.
    pub fn propose(&self, caller: &Caller, terms: &Value) -> std::result::Result<AgreementId, ProposalError> {
        let mut secret = [0x77; 32];
        secret.iter_mut().zip(self.fresh()).for_each(|(to, from)| *to = from);
        let fresh = Fresh { id: AgreementId::from_random(self.fresh()), secret };
        self.store.propose(caller, terms, &fresh).map(|(id, _)| id)
    }

    /// Takes a steward's decision.
    ///
    /// # Errors
    /// The store's.
    pub fn decide(&self, caller: &Caller, agreement: &AgreementId, version: i64, decision: Decision) -> Result<Outcome> {
        // What cannot be done without a reason has one.
        let reason =
            matches!(decision, Decision::Approve | Decision::Decline | Decision::Recuse).then(|| "So it was decided.".to_owned());
        self.store.decide(caller, agreement, version, decision, reason)
    }

    /// Proposed, approved by both sides and built: an agreement in force, unless its first day has not come.
    pub fn agree(&self, provider: &Member, to: To<'_>, list: &List, over: &Value) -> AgreementId {
        let agreement = self.propose(&provider.steward, &self.terms(list, to, over)).unwrap();
        self.approve(provider, to, &agreement, 1);
        agreement
    }

    /// Both sides approve a version, and whatever is due is built.
    pub fn approve(&self, provider: &Member, to: To<'_>, agreement: &AgreementId, version: i64) {
        self.decide(&provider.steward, agreement, version, Decision::Approve).unwrap();
        if let To::One(recipient) = to {
            self.decide(&recipient.steward, agreement, version, Decision::Approve).unwrap();
        }
        self.store.build_due().unwrap();
    }

    /// Where a version stands.
    #[must_use]
    pub fn state(&self, party: &Member, agreement: &AgreementId, version: i64) -> String {
        let shown = self.store.agreement(&party.steward, agreement, Some(version)).unwrap();
        shown.get("state").and_then(Value::as_str).unwrap().to_owned()
    }
}

/// The viewer who holds `token`, which is kept as the program keeps it.
#[must_use]
pub fn holder(token: &str) -> Viewer {
    Viewer::Token(base32(&Sha256::digest(token.as_bytes())))
}

/// The keys of every such commons.
#[must_use]
pub fn keyring() -> Keyring {
    Keyring::from_random(&std::array::from_fn(|at| u8::try_from(at).unwrap_or_default()))
}

fn open(url: &str, clock: &Arc<AtomicI64>) -> Result<Arc<Store>> {
    let clock = Arc::clone(clock);
    let clock: Clock = Arc::new(move || Moment(clock.load(Ordering::SeqCst)));
    Store::open(&DatabaseUrl::parse(url).unwrap(), keyring(), clock)
}
