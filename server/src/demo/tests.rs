#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};

use hayward_domain::agreement::State;
use hayward_domain::condition::Condition;
use hayward_domain::moment::Moment;
use hayward_store::{Caller, DatabaseUrl, NewOrganization, Order, ShareQuery, Viewer};
use serde_json::Value;

use super::*;
use crate::auth::{password, secret};

const SEED: u64 = 7;

struct Commons {
    store: Arc<Store>,
    // Kept for as long as the database is.
    _folder: tempfile::TempDir,
}

fn commons(seed: u64) -> Commons {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::parse(&format!("sqlite:{}", folder.path().join("demo.db").display())).unwrap();
    let store = Store::open(&url, keyring(seed), Arc::new(|| Moment::from(chrono::Utc::now()))).unwrap();
    Commons { store, _folder: folder }
}

fn told(world: &World) -> Value {
    serde_json::to_value(world).unwrap()
}

/// Somebody who decides for this co-op.
fn steward(store: &Store, organization: &Organization) -> Caller {
    store.caller(&secret::hash(&organization.people.first().unwrap().token)).unwrap()
}

/// Every version of every agreement, by the id of its agreement.
fn versions(store: &Store, world: &World) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::new();
    for organization in &world.organizations {
        let page = store.agreements(&steward(store, organization), None, 1_000).unwrap();
        for agreement in page.items {
            let id = agreement["id"].as_str().unwrap().to_owned();
            all.insert(id, agreement["versions"].as_array().unwrap().clone());
        }
    }
    all
}

#[test]
fn a_cast_is_told_by_its_seed_and_by_nothing_else() {
    let once = told(&World::of(&Cast::new(SEED)));
    assert_eq!(once, told(&World::of(&Cast::new(SEED))));
    assert_ne!(once, told(&World::of(&Cast::new(SEED + 1))));
    assert_eq!(keyring(SEED).to_file(), keyring(SEED).to_file());
    assert_ne!(keyring(SEED).to_file(), keyring(SEED + 1).to_file());
}

#[test]
fn everybody_can_be_told_apart_and_decide() {
    let cast = Cast::new(SEED);
    let emails: BTreeSet<_> = cast.members.iter().flat_map(|member| &member.people).map(|human| &human.email).collect();
    assert_eq!(emails.len(), cast.members.iter().map(|member| member.people.len()).sum::<usize>());
    assert!(cast.members.iter().any(|member| member.name.chars().count() == 300));
    for member in &cast.members {
        assert!(member.people.iter().filter(|human| human.role.decides()).count() >= 2, "{}", member.slug);
        assert!(member.people.iter().any(|human| matches!(human.role.as_str(), "owner" | "editor")), "{}", member.slug);
        for program in &member.programs {
            assert!(program.scopes.iter().all(|scope| scope.for_clients()));
            assert_ne!(program.scopes.iter().count(), 0, "{} of {}", program.name, member.slug);
        }
    }
    let rules: BTreeSet<_> = cast.members.iter().map(|member| member.rule).collect();
    assert_eq!(rules, BTreeSet::from(["1", "2", "all"]));
}

#[test]
fn two_databases_of_one_seed_tell_and_share_the_same() {
    let (one, other) = (commons(SEED), commons(SEED));
    let (first, second) = (seed(&one.store, SEED).unwrap(), seed(&other.store, SEED).unwrap());
    assert_eq!(told(&first), told(&second));
    let seen = |commons: &Commons, collection: &str| read(&commons.store, &Viewer::Nobody, collection);
    for collection in ["organizations", "opportunities"] {
        let rows = seen(&one, collection);
        assert!(rows.len() > 20, "{collection}");
        assert_eq!(rows, seen(&other, collection));
    }
}

#[test]
fn the_world_has_what_it_promises() {
    let Commons { store, _folder } = commons(SEED);
    let world = seed(&store, SEED).unwrap();
    assert_eq!(world.organizations.len(), 34);
    assert_eq!(world.organizations.iter().map(|one| one.clients.len()).sum::<usize>(), 12);
    let reads_all = |client: &&Client| client.scopes.len() == 7;
    assert!(world.organizations.iter().flat_map(|one| &one.clients).filter(reads_all).count() >= 3);
    let mut datasets = BTreeMap::new();
    for organization in &world.organizations {
        let number = store.organization(&organization.slug).unwrap().number;
        for dataset in store.datasets(number).unwrap() {
            assert!(dataset.edition > 0, "{} of {} was never imported", dataset.name, organization.slug);
            *datasets.entry(dataset.schema).or_insert(0) += 1;
        }
    }
    assert_eq!(
        datasets,
        BTreeMap::from([
            ("organization".to_owned(), 34),
            ("membership".to_owned(), 16),
            ("opportunity".to_owned(), 8),
            ("measurement".to_owned(), 4)
        ])
    );
    let settings = store.read_settings().unwrap();
    assert_eq!((settings.name.as_str(), settings.time_zone.name(), settings.grace), ("Demo commons", "UTC", Duration::ZERO));
    every_state_there_can_be_is_there(&store, &world);
    every_password_and_token_works(&store, &world);
    nothing_hidden_is_disclosed(&store, &world);
}

fn every_state_there_can_be_is_there(store: &Store, world: &World) {
    let all = versions(store, world);
    assert!(all.len() >= 60, "{}", all.len());
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for version in all.values().flatten() {
        *states.entry(version["state"].as_str().unwrap()).or_default() += 1;
    }
    for state in State::ALL {
        match state {
            // A draft is never kept, and nothing can have expired yet.
            State::Draft | State::Expired => assert_eq!(states.get(state.as_str()), None),
            State::Requested
            | State::Offered
            | State::Agreed
            | State::Active
            | State::Suspended
            | State::Superseded
            | State::Ended
            | State::Closed
            | State::Terminated => assert!(states.contains_key(state.as_str()), "{state}"),
        }
    }
    let active = all.values().flatten().filter(|version| version["state"] == "active");
    let mut parties: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut treatments = BTreeSet::new();
    for terms in active.map(|version| &version["terms"]) {
        *parties.entry((terms["dataset"].to_string(), terms["audience"].to_string())).or_default() += 1;
        for treatment in terms["fields"].as_object().unwrap().values() {
            let name = treatment.as_str().or_else(|| treatment["generalised"].as_str()?.split(':').next());
            treatments.insert(name.unwrap().to_owned());
        }
    }
    assert!(parties.values().any(|count| *count == 2), "two agreements overlap");
    let expected = ["band", "exact", "grid", "hidden", "masked", "month", "prefix", "pseudonym", "year"];
    assert_eq!(treatments.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

fn every_password_and_token_works(store: &Store, world: &World) {
    for organization in &world.organizations {
        for person in &organization.people {
            let caller = store.caller(&secret::hash(&person.token)).unwrap();
            assert_eq!(caller.organization_id.as_str(), organization.id);
        }
        for client in &organization.clients {
            let kept = store.client(&client.client_id).unwrap().unwrap();
            assert!(secret::matches(&client.client_secret, &kept.secret_hash));
        }
    }
    // Hashing is slow: one person stands for all.
    let person = world.organizations.last().unwrap().people.last().unwrap();
    assert!(password::matches(&person.password, &store.person(&person.email).unwrap().unwrap().password_hash));
}

/// Everything that `viewer` gets of a collection: ids and payloads.
fn read(store: &Store, viewer: &Viewer, collection: &str) -> Vec<(String, String)> {
    let page = store.view(viewer, |view| {
        let commit = view.commit;
        let shares = view.shares(collection, &ShareQuery::default(), commit)?;
        view.list(&shares, &Condition::All(Vec::new()).into(), &Order::default(), None, 100_000)
    });
    let page: Result<_, StoreError> = page;
    page.unwrap().rows.into_iter().map(|row| (row.id, row.record.payload().to_owned())).collect()
}

fn nothing_hidden_is_disclosed(store: &Store, world: &World) {
    for organization in &world.organizations {
        let token = &organization.people.first().unwrap().token;
        for collection in store.collections().unwrap() {
            for (id, payload) in read(store, &Viewer::Token(secret::hash(token)), &collection) {
                assert!(!payload.contains("ZQX"), "{id} in {collection} for {}", organization.slug);
            }
        }
    }
}

#[test]
fn seeding_again_gives_the_same_world_and_touches_no_row() {
    let Commons { store, _folder } = commons(SEED);
    let first = seed(&store, SEED).unwrap();
    let commit = store.newest_commit().unwrap();
    let revoked = &first.organizations.last().unwrap().people.first().unwrap().token;
    store.revoke_token(&secret::hash(revoked)).unwrap();
    let second = seed(&store, SEED).unwrap();
    assert_eq!(told(&first), told(&second));
    assert_eq!(store.newest_commit().unwrap(), commit);
    assert!(store.caller(&secret::hash(revoked)).is_err(), "a revoked token stays revoked");
    assert!(matches!(seed(&store, SEED + 1), Err(DemoError::Taken(_))));
}

#[test]
fn a_database_with_somebody_in_it_is_left_alone() {
    let Commons { store, _folder } = commons(SEED);
    let new = NewOrganization {
        id: hayward_domain::id::OrganizationId::from_random([9; 15]),
        slug: "real".to_owned(),
        name: "A real one".to_owned(),
    };
    store.add_organization(&new).unwrap();
    assert!(matches!(seed(&store, SEED), Err(DemoError::Taken(SEED))));
    assert_eq!(store.organizations().unwrap().len(), 1);
    assert!(store.collections().unwrap().is_empty());
}
