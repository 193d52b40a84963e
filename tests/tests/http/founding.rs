//! The commons that every test gets a copy of.
//!
//! A provider with lists, a partner who reads some of it, a third member co-op, a fourth that only the third knows. Whatever no
//! recipient may see bears a canary: a word or a number that stands nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hayward::app;
use hayward::auth::{password, secret};
use hayward::config::{self, Config};
use hayward::edge::Reach;
use hayward_domain::id::{AgreementId, ClientId, DatasetId, ImportId, OrganizationId, PersonId};
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::{Role, Scopes};
use hayward_importers::{Decision as Goes, Matching, Overrules};
use hayward_store::{
    Caller, DatabaseUrl, Decision, Fresh, Keyring, NewClient, NewDataset, NewImport, NewOrganization, NewPerson, NewToken, Seen,
    Settings, Store,
};
use hayward_tests::server::{START, TestClock, seeded_random};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use serde_json::{Map, Value, json};

use crate::lists;
use crate::world::Persona;

/// Whose keys these are.
pub const SEED: u64 = 20;
/// The password of everybody who has one.
pub const PASSWORD: &str = "correct horse battery";
/// The secret of every program.
pub const CLIENT_SECRET: &str = "hws_secret";
/// Everything that a program may be given to read with.
pub const READS: &str = "directory:read opportunities:read memberships:read measurements:read";

/// Longer than any test.
const LIFE: Duration = Duration::from_secs(5 * 365 * 86_400);

/// Terms from the first to the last day of a year, with these fields.
pub fn terms(dataset: &str, audience: &Value, fields: Value) -> Value {
    json!({
        "dataset": dataset, "audience": audience, "fields": fields, "rows": "all", "record_id": "stable",
        "purpose": {"code": "job-matching", "text": "To find work."}, "lawful_basis": "consent", "onward": "none",
        "ending": {"delete_within_days": 30}, "starts_on": "2026-11-01", "ends_on": "2027-10-31", "contact": "data@vall.example",
    })
}

/// What the partner may see of the provider's jobs: every treatment once.
pub fn treated() -> Value {
    json!({
        "reference": "pseudonym", "title": "exact", "category": "exact", "country": "exact", "city": {"generalised": "prefix:2"},
        "latitude": {"generalised": "grid:0.5"}, "longitude": {"generalised": "grid:0.5"},
        "salary_min": {"generalised": "band:5000"}, "closes_on": {"generalised": "month"},
        "contact_email": "masked", "contact_phone": "masked",
    })
}

struct Founder {
    store: Arc<Store>,
    ids: AtomicU64,
    names: Map<String, Value>,
    password_hash: String,
}

/// Makes the commons in an empty database.
pub fn found(url: &str) {
    let mut bytes = [0; 128];
    StdRng::seed_from_u64(SEED).fill_bytes(&mut bytes);
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: DatabaseUrl::parse(url).unwrap(),
        keyring: Keyring::from_random(&bytes),
        journal: None,
        upload_limit: config::UPLOAD_LIMIT,
        kept: config::KEPT,
        reach: Reach::default(),
        workers: None,
    };
    let commons = app::open(&config, TestClock::default().clock(), seeded_random(SEED)).unwrap();
    let settings = Settings { grace: Duration::ZERO, ..commons.store.read_settings().unwrap() };
    commons.store.write_settings(&settings).unwrap();
    let password_hash = password::hash(PASSWORD, [7; 16]).unwrap();
    let mut founder = Founder { store: Arc::clone(&commons.store), ids: AtomicU64::new(1), names: Map::new(), password_hash };
    founder.people();
    founder.lists();
    founder.agreements();
    commons.store.note("names", &Value::Object(founder.names.clone()).to_string()).unwrap();
}

impl Founder {
    /// Fifteen bytes that no other id of this commons is made of.
    fn fresh(&self) -> [u8; 15] {
        let number = self.ids.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        std::array::from_fn(|at| if at < 7 { 0x3c } else { number[at - 7] })
    }

    fn name(&mut self, name: &str, id: &str) {
        self.names.insert(name.to_owned(), id.into());
    }

    fn organization(&mut self, name: &str) -> OrganizationNumber {
        let id = OrganizationId::from_random(self.fresh());
        self.name(name, id.as_str());
        self.store.add_organization(&NewOrganization { id, slug: name.to_owned(), name: format!("Co-op {name}") }).unwrap()
    }

    /// A person with a password and a token that has the scopes of the role.
    fn person(&mut self, who: Persona, organization: OrganizationNumber, role: Role, life: Duration) {
        let id = PersonId::from_random(self.fresh());
        let operator = role == Role::Operator;
        let new = NewPerson {
            id: id.clone(),
            email: format!("{}@people.example", who.name()),
            name: who.name().to_owned(),
            password_hash: self.password_hash.clone(),
            operator,
            positions: if operator { Vec::new() } else { vec![(organization, role)] },
        };
        self.store.add_person(&new).unwrap();
        let scopes = role.scopes(&self.store.collections().unwrap());
        self.token(who, organization, Some(id), None, scopes, life);
    }

    /// A program with a secret and a token that has all its scopes.
    fn client(&mut self, who: Persona, organization: OrganizationNumber, scopes: &str) {
        let (id, scopes) = (ClientId::from_random(self.fresh()), Scopes::parse(scopes).unwrap());
        self.name(who.name(), id.as_str());
        let (name, secret_hash) = (who.name().to_owned(), secret::hash(CLIENT_SECRET));
        self.store.add_client(&NewClient { id: id.clone(), organization, name, secret_hash, scopes: scopes.clone() }).unwrap();
        self.token(who, organization, None, Some(id), scopes, LIFE);
    }

    fn token(
        &self,
        who: Persona,
        organization: OrganizationNumber,
        person: Option<PersonId>,
        client: Option<ClientId>,
        scopes: Scopes,
        life: Duration,
    ) {
        let hash = secret::hash(&who.token().unwrap());
        self.store.add_token(&NewToken { hash, organization, person, client, scopes, expires_at: START.plus(life) }).unwrap();
    }

    fn people(&mut self) {
        let provider = self.organization("provider");
        let partner = self.organization("partner");
        let third = self.organization("third");
        self.organization("fourth");
        self.person(Persona::Steward, provider, Role::Steward, LIFE);
        self.person(Persona::Editor, provider, Role::Editor, LIFE);
        self.person(Persona::Viewer, provider, Role::Viewer, LIFE);
        self.person(Persona::Operator, provider, Role::Operator, LIFE);
        self.person(Persona::PartnerSteward, partner, Role::Steward, LIFE);
        self.person(Persona::ThirdOwner, third, Role::Owner, LIFE);
        self.client(Persona::PartnerClient, partner, &format!("{READS} agreements:read agreements:propose ledger:read"));
        self.client(Persona::EmptyClient, partner, "");
        self.client(Persona::ThirdClient, third, READS);
        self.person(Persona::Expired, provider, Role::Viewer, Duration::ZERO);
        self.person(Persona::Revoked, provider, Role::Viewer, LIFE);
        self.store.revoke_token(&secret::hash(&Persona::Revoked.token().unwrap())).unwrap();
    }

    fn caller(&self, who: Persona) -> Caller {
        self.store.caller(&secret::hash(&who.token().unwrap())).unwrap()
    }

    fn list(&mut self, name: &str, who: Persona, schema: &str, csv: &str) {
        let (owner, id) = (self.caller(who).organization, DatasetId::from_random(self.fresh()));
        self.name(name, id.as_str());
        self.store.add_dataset(owner, &NewDataset { id: id.clone(), schema: schema.to_owned(), name: name.to_owned() }).unwrap();
        let import = self.draft(&id, owner, csv);
        self.name(&format!("{name}-import"), import.as_str());
        let draft = self.store.import(owner, &import).unwrap();
        let mut matching: Matching = serde_json::from_value(draft.matching.clone().unwrap()).unwrap();
        matching.columns.iter_mut().filter(|column| column.field.is_none()).for_each(|column| column.field = Some(Goes::Private));
        assert!(self.store.rematch_import(&draft, matching).unwrap().is_empty());
        let draft = self.store.import(owner, &import).unwrap();
        assert_eq!(draft.problem_count, 0, "the lists of this commons are clean");
        self.store.commit_import(&draft, Seen::default()).unwrap();
    }

    fn draft(&self, dataset: &DatasetId, owner: OrganizationNumber, csv: &str) -> ImportId {
        let id = ImportId::from_random(self.fresh());
        let new = NewImport { id: id.clone(), filename: "founding.csv".to_owned(), overrules: Overrules::default() };
        self.store.begin_import(owner, "founder", dataset, &new).unwrap();
        let id = self.store.keep_file(&id, csv.as_bytes()).unwrap();
        self.store.read_import(&self.store.import(owner, &id).unwrap()).unwrap();
        id
    }

    fn lists(&mut self) {
        self.list("jobs", Persona::Editor, "opportunity", &lists::jobs());
        self.list("people", Persona::Editor, "membership", &lists::people());
        self.list("coops", Persona::Editor, "organization", &lists::coops());
        self.list("figures", Persona::Editor, "measurement", &lists::figures("ZQX-SUSPENDED"));
        self.list("past", Persona::Editor, "measurement", &lists::figures("ZQX-ENDED"));
        self.list("unshared", Persona::Editor, "opportunity", &lists::unshared());
        self.list("third-jobs", Persona::ThirdOwner, "opportunity", lists::THIRD_JOBS);
        let jobs = DatasetId::parse(self.names["jobs"].as_str().unwrap()).unwrap();
        let draft = self.draft(&jobs, self.caller(Persona::Editor).organization, lists::DRAFT);
        self.name("jobs-draft", draft.as_str());
    }

    fn agree(&mut self, name: &str, provider: Persona, partner: Option<Persona>, terms: &Value) -> AgreementId {
        let (id, random) = (AgreementId::from_random(self.fresh()), self.fresh());
        let secret = std::array::from_fn(|at| random[at % 15]);
        self.name(name, id.as_str());
        self.store.propose(&self.caller(provider), terms, &Fresh { id: id.clone(), secret }).unwrap();
        for who in [Some(provider), partner].into_iter().flatten() {
            self.store.decide(&self.caller(who), &id, 1, Decision::Approve, None).unwrap();
        }
        self.store.build_due().unwrap();
        id
    }

    fn agreements(&mut self) {
        let id = |founder: &Self, name: &str| founder.names[name].as_str().unwrap().to_owned();
        let to = |founder: &Self, name: &str| json!({"organization": id(founder, name)});
        let (steward, partner) = (Persona::Steward, Some(Persona::PartnerSteward));

        let mut jobs = terms(&id(self, "jobs"), &to(self, "partner"), treated());
        jobs["rows"] = json!({"country": {"in": ["ES", "FR"]}});
        self.agree("agreement", steward, partner, &jobs);

        let people = json!({"member_id": "pseudonym", "given_name": "exact", "birth_date": {"generalised": "year"}});
        let mut people = terms(&id(self, "people"), &to(self, "partner"), people);
        people["record_id"] = "pseudonym".into();
        self.agree("people-agreement", steward, partner, &people);

        let coops = json!({"name": "exact", "city": "exact", "country": "exact"});
        self.agree("public-agreement", steward, None, &terms(&id(self, "coops"), &json!("public"), coops));

        let kinds = json!({"title": "exact", "kind": "exact"});
        let kinds = terms(&id(self, "jobs"), &to(self, "third"), kinds);
        self.agree("third-agreement", steward, Some(Persona::ThirdOwner), &kinds);

        let figures = json!({"organization_identifier": "exact", "indicator": "exact", "source": "exact"});
        let suspended = terms(&id(self, "figures"), &to(self, "partner"), figures.clone());
        let suspended = self.agree("suspended-agreement", steward, partner, &suspended);
        self.store.decide(&self.caller(steward), &suspended, 1, Decision::Suspend, Some("later".to_owned())).unwrap();
        let ended = self.agree("ended-agreement", steward, partner, &terms(&id(self, "past"), &to(self, "partner"), figures));
        self.store.decide(&self.caller(steward), &ended, 1, Decision::End, Some("done".to_owned())).unwrap();

        let members = json!({"title": "exact", "category": "exact"});
        let members = terms(&id(self, "third-jobs"), &json!("members"), members);
        self.agree("members-agreement", Persona::ThirdOwner, None, &members);
        let secret = terms(&id(self, "third-jobs"), &to(self, "fourth"), json!({"description": "exact"}));
        self.agree("foreign-agreement", Persona::ThirdOwner, None, &secret);
    }
}
