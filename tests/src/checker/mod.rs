//! An independent look at a commons' database: does what stands there obey sections 2.2 and 2.3 of the design?
//!
//! * It reads the tables by plain SQL over its own connections and judges them in memory; nothing of the store's queries is used.
//! * It looks at the database as a crash left it ([`Checker::cold`]), and again while it is served ([`Checker::live`]). What must
//!   hold at any moment is a fault where it does not; what the program brings about by itself, after a while, is waited for.
//! * It remembers what it saw: numbers never go back, names never change, a link of the ledger's chain is never rewritten.
//! * What a share must show is computed anew with [`Terms::disclose`], the one door that the program itself goes through.
//!
//! What it finds is said in numbers and ids: no value of any record is repeated.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a database that cannot be read is a test that failed")]

use std::collections::{BTreeMap, HashMap};

use hayward_domain::id::{AgreementId, DatasetId, OrganizationId};
use hayward_domain::keys::AgreementKeys;
use hayward_domain::schema::Schema;
use hayward_domain::terms::{Context, Terms};
use hayward_store::Keyring;
use serde_json::Value;

use crate::TestDatabase;
use tables::{Source, Tables};

mod agreements;
mod editions;
mod erasures;
mod ledger;
mod numbers;
mod seen;
mod shares;
mod tables;

pub use seen::{Answer, Seen, Step};

/// "Not yet", as `died` and `closed` say it.
const NEVER: i64 = i64::MAX;

/// Who looks, and what was seen before.
pub struct Checker {
    keyring: Keyring,
    memory: Memory,
}

/// What may never change again once it was seen.
#[derive(Default)]
struct Memory {
    /// Counters, tokens of claims, heads: each only grows.
    grown: BTreeMap<String, i64>,
    /// The hash of every link of a chain.
    links: HashMap<(String, i64), String>,
    /// The record that a ledger name stands for.
    names: HashMap<(i64, i64), i64>,
    /// What an original discloses, by share, version and row: rows never change.
    disclosed: HashMap<(i64, i64, i64), Option<String>>,
}

/// What is wrong, in words.
#[derive(Default)]
struct Faults {
    wrong: Vec<String>,
    waiting: Vec<String>,
}

impl Faults {
    /// Something that must hold at any moment.
    fn unless(&mut self, holds: bool, say: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(say());
        }
    }

    /// Something that the program brings about by itself, after a while.
    fn soon(&mut self, holds: bool, say: impl FnOnce() -> String) {
        if !holds {
            self.waiting.push(say());
        }
    }
}

/// A look: the tables, and what follows from them.
struct Look<'a> {
    tables: &'a Tables,
    terms: HashMap<(i64, i64), (Terms, Schema)>,
    keys: HashMap<i64, AgreementKeys>,
}

impl Checker {
    /// One that has seen nothing yet of the commons with these keys.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        Self { keyring, memory: Memory::default() }
    }

    /// Looks at a database that nobody writes, as a crash left it.
    pub fn cold(&mut self, db: &TestDatabase) -> Seen {
        self.look(db, Source::Cold)
    }

    /// Looks at a database that is being served.
    pub fn live(&mut self, db: &TestDatabase) -> Seen {
        self.look(db, Source::Live)
    }

    fn look(&mut self, db: &TestDatabase, source: Source) -> Seen {
        let tables = tables::read(db, source);
        let look = Look { terms: terms(&tables), keys: self.keys(&tables), tables: &tables };
        let mut faults = Faults::default();
        editions::check(&look, &mut faults);
        erasures::check(&look, &mut faults);
        shares::check(&look, &mut self.memory, &mut faults);
        agreements::check(&look, &mut faults);
        numbers::check(&look, &mut self.memory, &mut faults);
        ledger::check(&look, &self.keyring, &mut self.memory, &mut faults);
        let Look { keys, .. } = look;
        Seen::new(tables, faults, self.keyring.record_ids(), keys)
    }

    fn keys(&self, tables: &Tables) -> HashMap<i64, AgreementKeys> {
        let with_secret = tables.agreements.iter().filter_map(|agreement| Some((agreement, agreement.secret.as_ref()?)));
        with_secret
            .map(|(agreement, secret)| {
                let id = AgreementId::parse(&agreement.id).unwrap();
                (agreement.number, self.keyring.unwrap(&id, secret).unwrap())
            })
            .collect()
    }
}

/// Every version's terms with the schema they were read against.
fn terms(tables: &Tables) -> HashMap<(i64, i64), (Terms, Schema)> {
    let schema = |name: &str, version: i64| {
        let found = tables.schemas.iter().find(|schema| schema.name == name && schema.version == version).unwrap();
        Schema::parse(&serde_json::from_str(&found.document).unwrap()).unwrap()
    };
    let of_version = |version: &tables::Version| {
        let agreement = tables.agreements.iter().find(|agreement| agreement.number == version.agreement).unwrap();
        let dataset = tables.datasets.iter().find(|dataset| dataset.number == agreement.dataset).unwrap();
        let provider = tables.organizations.iter().find(|organization| organization.number == agreement.provider).unwrap();
        let raw: Value = serde_json::from_str(&version.terms).unwrap();
        let schema = schema(&dataset.schema_name, raw["schema"]["version"].as_i64().unwrap());
        let (provider, dataset) = (OrganizationId::parse(&provider.id).unwrap(), DatasetId::parse(&dataset.id).unwrap());
        let context = Context { provider: &provider, schema: &schema, dataset: &dataset, longest_months: 12_000 };
        let terms = Terms::parse(&raw, &context).unwrap();
        ((version.agreement, version.version), (terms, schema))
    };
    tables.versions.iter().map(of_version).collect()
}

impl Look<'_> {
    /// Whether somebody's claim says that rows may be staged in a dataset and its shares.
    fn dirty(&self, dataset: i64) -> bool {
        self.tables.claims.iter().any(|claim| claim.dataset == dataset && claim.dirty == 1)
    }

    /// The version of an agreement that is in force, with its state.
    fn in_force(&self, agreement: i64) -> Option<(i64, &str)> {
        let versions = self.tables.versions.iter().filter(|version| version.agreement == agreement);
        let mut standing = versions.filter(|version| ["active", "suspended"].contains(&version.state.as_str()));
        standing.next().map(|version| (version.version, version.state.as_str()))
    }
}

impl Tables {
    /// What is wrong with the editions of something, each with its commit, whose newest should be `head`. They have no gaps but for
    /// where a restore began an era: there they leap.
    fn gaps(&self, editions: &[(i64, i64)], head: i64, what: &str, faults: &mut Faults) {
        let leaps = |after: i64, before: i64| self.eras.iter().any(|era| era.since > 0 && (after..before).contains(&era.since));
        let mut newest = (0, 0);
        for &(edition, commit) in editions {
            let follows = edition == newest.0 + 1 || (edition > newest.0 && leaps(newest.1, commit));
            faults.unless(follows, || format!("the editions of {what} have a gap before {edition}"));
            newest = (edition, commit);
        }
        let stands = head == newest.0 || (head > newest.0 && leaps(newest.1, i64::MAX));
        faults.unless(stands, || format!("{what} has another head than newest edition"));
    }
}

/// Whether these versions, in the order of their birth, never overlap.
fn apart(versions: &[(i64, i64)]) -> bool {
    versions.windows(2).all(|pair| match pair {
        [(_, died), (born, _)] => died <= born,
        _ => true,
    })
}
