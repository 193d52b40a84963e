//! One of the two commons: the same cast in both, with lists, agreements and a clock that a script moves.
//!
//! Everything that the recipient may know by name (co-ops, lists, agreements, their secrets) has the same name in both commons.
//! What happens goes through the store's public functions, as the program's own handlers do it.

use std::collections::BTreeMap;
use std::time::Duration;

use hayward_domain::id::{AgreementId, ClientId, DatasetId, ImportId, OrganizationId, PersonId, base32};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::schema::Schema;
use hayward_domain::scope::{Role, Scopes};
use hayward_importers::{Absent, Blank, Decision as Goes, Matching, Overrules};
use hayward_store::{
    Caller, Decision, Fresh, Import, ImportState, NewClient, NewDataset, NewImport, NewOrganization, NewPerson, NewToken, Order,
    ProposalError, Seen, Store,
};
use hayward_tests::cluster::ClusterError;
use hayward_tests::commons::DELETES;
use hayward_tests::server::{START, Server};
use hayward_tests::{Kind, TestDatabase};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The lists of every commons: whose they are, and of which schema. The last is never shared with the recipient.
pub const LISTS: [(usize, &str); 7] = [
    (0, "opportunity"),
    (1, "membership"),
    (2, "organization"),
    (3, "measurement"),
    (0, "venue"),
    (1, "opportunity"),
    (STRANGER, "opportunity"),
];
/// The list that no agreement ever shows the recipient.
pub const SECRET_LIST: usize = 6;
/// The co-op that reads, among the six.
pub const RECIPIENT: usize = 4;
/// A co-op whose doings are none of the recipient's business.
pub const STRANGER: usize = 5;
const COOPS: usize = 6;
const SEED: u64 = 7;

/// What the recipient's program may ask for. Together: everything that a program can hold to read what others share.
const READS: &str =
    "directory:read opportunities:read memberships:read measurements:read venues:read agreements:read ledger:read";
const STEERS: &str = "agreements:read agreements:propose agreements:approve datasets:read imports:write";

/// One commons and its server.
pub struct World {
    // Before the database, which is dropped after it.
    server: Server,
    _database: TestDatabase,
    stewards: Vec<Caller>,
    imports: BTreeMap<usize, Import>,
    uploads: u64,
}

/// Whose side a decision is taken for.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    Provider,
    Recipient,
}

/// One agreement: its number, the list, and the co-op it is for where that is one.
#[derive(Clone, Copy, Debug)]
pub struct Deal {
    pub number: usize,
    pub list: usize,
    pub with: Option<usize>,
}

impl Deal {
    pub fn id(self) -> AgreementId {
        agreement(self.number)
    }

    fn side(self, side: Side) -> usize {
        match (side, self.with) {
            (Side::Recipient, Some(coop)) => coop,
            (Side::Provider | Side::Recipient, _) => LISTS[self.list].0,
        }
    }
}

/// The id of the `number`-th agreement, whether there is one or not.
pub fn agreement(number: usize) -> AgreementId {
    AgreementId::from_random([0x90 + byte(number); 15])
}

pub fn coop(number: usize) -> OrganizationId {
    OrganizationId::from_random([0x10 + byte(number); 15])
}

pub fn dataset(list: usize) -> DatasetId {
    DatasetId::from_random([0x40 + byte(list); 15])
}

/// The bearer token of the recipient's program.
pub fn token() -> &'static str {
    "hwt_the-recipients-program"
}

/// The bearer token of a program of a co-op that is none of the recipient's business.
pub fn stranger_token() -> &'static str {
    "hwt_the-strangers-program"
}

/// The bearer token of a program of the recipient's that may read organizations alone.
pub fn narrow_token() -> &'static str {
    "hwt_the-recipients-narrow-program"
}

/// The bearer token of a program of the recipient's that works for an hour.
pub fn brief_token() -> &'static str {
    "hwt_the-recipients-brief-program"
}

/// The bearer token of the recipient's steward.
pub fn steward_token() -> &'static str {
    "hwt_the-steward-of-4"
}

fn steward_hash(number: usize) -> String {
    hash(&format!("hwt_the-steward-of-{number}"))
}

fn hash(token: &str) -> String {
    base32(&Sha256::digest(token.as_bytes()))
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap()
}

/// The registered schema beside the four that come with the program.
pub fn venue() -> Schema {
    Schema::parse(&serde_json::from_str(include_str!("../../../schemas/examples/registered/venue.json")).unwrap()).unwrap()
}

/// Terms that show `fields` of a list, with everything else as plain as can be.
pub fn terms(list: usize, audience: Value, fields: Value) -> Value {
    json!({
        "dataset": dataset(list), "audience": audience, "fields": fields, "rows": "all", "record_id": "stable",
        "purpose": {"code": "directory", "text": "To be compared."}, "ending": {"delete_within_days": 30},
        "starts_on": "2026-11-22", "ends_on": "2027-11-21",
    })
}

/// `terms` with these members in place of its own.
pub fn with(mut terms: Value, over: Value) -> Value {
    let members = over.as_object().cloned().unwrap_or_default();
    terms.as_object_mut().unwrap().extend(members);
    terms
}

impl World {
    pub fn new(kind: Kind) -> Result<Self, ClusterError> {
        let database = TestDatabase::from_template(kind, |url| people(Server::start(url, SEED).store()))?;
        let server = Server::start(database.url(), SEED);
        let stewards = (0..COOPS).map(|number| server.store().caller(&steward_hash(number)).unwrap()).collect();
        Ok(Self { server, _database: database, stewards, imports: BTreeMap::new(), uploads: 0 })
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    fn owner(&self, list: usize) -> OrganizationNumber {
        self.stewards[LISTS[list].0].organization
    }

    /// Imports a file whose headings are names of fields; others become private columns. What a blank cell had is emptied, and
    /// where the file is `whole`, records that it lacks are deleted.
    pub fn import(&mut self, list: usize, csv: &str, whole: bool) {
        let import = self.upload(list, csv);
        let mut matching: Matching = serde_json::from_value(import.matching.clone().unwrap()).unwrap();
        matching.blank = Blank::Clear;
        matching.absent = if whole { Absent::Delete } else { Absent::Keep };
        for column in &mut matching.columns {
            column.field = Some(column.field.take().unwrap_or(Goes::Private));
        }
        let faults = self.server.store().rematch_import(&import, matching).unwrap();
        assert!(faults.is_empty(), "the matching has faults");
        let import = self.again(list, &import);
        assert_eq!((import.state, import.problem_count), (ImportState::Checked, 0), "{:?}", self.problems(&import));
        self.server.store().commit_import(&import, Seen { edition: Some(import.edition), ..DELETES }).unwrap();
        let import = self.again(list, &import);
        self.imports.insert(list, import);
    }

    /// Leaves a file lying that nobody commits.
    pub fn upload(&mut self, list: usize, csv: &str) -> Import {
        self.uploads += 1;
        let id = std::array::from_fn(|at| self.uploads.to_be_bytes().get(at).copied().unwrap_or(0x77));
        let new = NewImport { id: ImportId::from_random(id), filename: "list.csv".to_owned(), overrules: Overrules::default() };
        let (store, owner) = (self.server.store(), self.owner(list));
        store.begin_import(owner, "a test", &dataset(list), &new).unwrap();
        let id = store.keep_file(&new.id, csv.as_bytes()).unwrap();
        let import = store.import(owner, &id).unwrap();
        if import.state == ImportState::Reading {
            store.read_import(&import).unwrap();
        }
        store.import(owner, &id).unwrap()
    }

    fn again(&self, list: usize, import: &Import) -> Import {
        self.server.store().import(self.owner(list), &ImportId::parse(&import.id).unwrap()).unwrap()
    }

    fn problems(&self, import: &Import) -> Vec<Value> {
        self.server.store().problems(import, 0, 10).unwrap()
    }

    /// Takes the newest import of a list back.
    pub fn undo(&mut self, list: usize) {
        let import = self.imports.remove(&list).unwrap();
        self.server.store().undo_import(&import, None).unwrap();
    }

    /// The provider offers terms; nobody has said yes.
    pub fn offer(&self, deal: Deal, terms: &Value) {
        let fresh = Fresh { id: deal.id(), secret: [0x50 + byte(deal.number); 32] };
        let provider = &self.stewards[deal.side(Side::Provider)];
        self.server.store().propose(provider, terms, &fresh).unwrap();
    }

    /// Whether terms are taken that the provider offers.
    pub fn would_offer(&self, deal: Deal, terms: &Value) -> bool {
        let fresh = Fresh { id: deal.id(), secret: [0x50 + byte(deal.number); 32] };
        self.server.store().propose(&self.stewards[deal.side(Side::Provider)], terms, &fresh).is_ok()
    }

    /// Offered, approved by everyone it takes, and built if its first day has come.
    pub fn agree(&self, deal: Deal, terms: &Value) {
        self.offer(deal, terms);
        assert!(self.approve(deal, 1), "an offer can be approved");
    }

    /// Everyone whose word it takes says yes; whether they could.
    pub fn approve(&self, deal: Deal, version: i64) -> bool {
        let mut done = self.decide(deal, Side::Provider, version, Decision::Approve);
        if deal.with.is_some() {
            done &= self.decide(deal, Side::Recipient, version, Decision::Approve);
        }
        done
    }

    /// Takes a decision, if it can be taken where the agreement stands; whether it could.
    pub fn decide(&self, deal: Deal, side: Side, version: i64, decision: Decision) -> bool {
        let steward = &self.stewards[deal.side(side)];
        let done = self.server.store().decide(steward, &deal.id(), version, decision, None).is_ok();
        self.settle();
        done
    }

    /// The recipient halts an agreement over HTTP; what it is answered.
    pub fn stopped(&self, deal: Deal) -> (u16, String) {
        let path = format!("/api/v1/agreements/{}/suspend", deal.id());
        let token = format!("hwt_the-steward-of-{}", deal.side(Side::Recipient));
        let answer = self.server.request(Method::POST, &path, Some(&token)).json(&json!({"version": 1})).send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }

    /// The provider proposes another version; its number if it can be, and whether it narrows and so stands already.
    pub fn propose(&self, deal: Deal, from: i64, terms: &Value) -> Option<(i64, bool)> {
        let provider = &self.stewards[deal.side(Side::Provider)];
        let made = match self.server.store().propose_version(provider, &deal.id(), from, terms) {
            Ok(made) => Some(made),
            Err(ProposalError::Faults(faults)) => unreachable!("the terms of a test have faults: {faults:?}"),
            Err(ProposalError::Store(_)) => None,
        };
        self.settle();
        made
    }

    /// Moves the clock on.
    pub fn forward(&self, hours: u64) {
        self.server.clock.forward(Duration::from_secs(hours * 3_600));
        self.settle();
    }

    /// Does what the server's own jobs would do within a second, so that no answer depends on when they wake up.
    fn settle(&self) {
        self.server.store().expire_due().unwrap();
        self.server.store().build_due().unwrap();
        // Hours of refusals that are over become entries.
        let (store, ledger) = (self.server.store(), &self.server.commons.ledger.store);
        hayward::ledger::seal::all(ledger, &store.keyring().signing(), store.now()).unwrap();
    }

    /// The stable id of the first record of a list, as only its owner could tell it.
    pub fn original_id(&self, list: usize, key: &str) -> Option<String> {
        let store = self.server.store();
        let page = store.own_records(self.owner(list), &dataset(list), &Order::default(), None, 1_000).unwrap();
        let flat = page.records.iter().map(|record| record.to_json(&page.schema));
        let named = |flat: &Value| flat.as_object().is_some_and(|flat| flat.values().nth(1) == Some(&Value::from(key)));
        flat.filter(|flat| key.is_empty() || named(flat)).find_map(|flat| Some(flat.get("id")?.as_str()?.to_owned()))
    }
}

/// Six co-ops with a steward each, their empty lists, and the recipient's program.
fn people(store: &Store) {
    store.register_schema(&venue()).unwrap();
    let forever = START.plus(Duration::from_secs(10 * 365 * 86_400));
    for number in 0..COOPS {
        let new = NewOrganization { id: coop(number), slug: format!("coop-{number}"), name: format!("Co-op {number}") };
        let organization = store.add_organization(&new).unwrap();
        let person = PersonId::from_random([0x20 + byte(number); 15]);
        let new = NewPerson {
            id: person.clone(),
            email: format!("{person}@coop.example"),
            name: "A steward".to_owned(),
            password_hash: "none".to_owned(),
            operator: false,
            positions: vec![(organization, Role::Steward)],
        };
        store.add_person(&new).unwrap();
        let (scopes, client) = (Scopes::parse(STEERS).unwrap(), None);
        let hash = steward_hash(number);
        let new = NewToken { hash, organization, person: Some(person), client, scopes, expires_at: forever };
        store.add_token(&new).unwrap();
        if number == RECIPIENT {
            program(store, organization, 0, token(), READS, forever);
            program(store, organization, 1, narrow_token(), "directory:read", forever);
            program(store, organization, 2, brief_token(), READS, START.plus(Duration::from_secs(3_600)));
        }
        if number == STRANGER {
            program(store, organization, 3, stranger_token(), READS, forever);
        }
        for (list, (_, schema)) in LISTS.iter().enumerate().filter(|(_, (owner, _))| *owner == number) {
            let new = NewDataset { id: dataset(list), schema: (*schema).to_owned(), name: format!("List {list}") };
            store.add_dataset(organization, &new).unwrap();
        }
    }
}

fn program(store: &Store, organization: OrganizationNumber, number: u8, token: &str, scopes: &str, expires_at: Moment) {
    let (id, scopes) = (ClientId::from_random([0x30 + number; 15]), Scopes::parse(scopes).unwrap());
    let new = NewClient {
        id: id.clone(),
        organization,
        name: format!("Program {number}"),
        secret_hash: "none".to_owned(),
        scopes: scopes.clone(),
    };
    store.add_client(&new).unwrap();
    let new = NewToken { hash: hash(token), organization, person: None, client: Some(id), scopes, expires_at };
    store.add_token(&new).unwrap();
}
