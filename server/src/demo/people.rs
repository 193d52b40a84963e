//! Putting the cast into the store: co-ops, programs, people and their tokens.

use std::thread;

use hayward_domain::record::OrganizationNumber;
use hayward_store::{NewClient, NewDataset, NewOrganization, NewPerson, NewToken, Store};

use super::cast::{Cast, Human, Member};
use super::{DemoError, TOKENS_LIVE, derive};
use crate::auth::password::{self, PasswordError};
use crate::auth::secret;

/// Adds the co-ops with their rules, programs and empty lists.
pub(super) fn add_organizations(store: &Store, cast: &Cast) -> Result<(), DemoError> {
    for member in &cast.members {
        let new = NewOrganization { id: member.id.clone(), slug: member.slug.to_owned(), name: member.name.clone() };
        let number = store.add_organization(&new)?;
        store.set_approval_rule(number, member.rule)?;
        for program in &member.programs {
            store.add_client(&NewClient {
                id: program.id.clone(),
                organization: number,
                name: program.name.to_owned(),
                secret_hash: secret::hash(&program.secret),
                scopes: program.scopes.clone(),
            })?;
        }
        for list in &member.lists {
            let new = NewDataset { id: list.id.clone(), schema: list.kind.schema().to_owned(), name: list.name.clone() };
            store.add_dataset(number, &new)?;
        }
    }
    Ok(())
}

/// The hashes of everybody's passwords, in the order of the cast.
pub(super) fn hash_passwords(cast: &Cast) -> Result<Vec<String>, PasswordError> {
    let people: Vec<&Human> = cast.members.iter().flat_map(|member| &member.people).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let hash = |human: &Human| password::hash(&human.password, derive::bytes(cast.seed, &["salt", &human.email]));
    thread::scope(|scope| {
        let parts: Vec<_> = people
            .chunks(people.len().div_ceil(threads).max(1))
            .map(|part| scope.spawn(move || part.iter().map(|human| hash(human)).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut hashes = Vec::with_capacity(people.len());
        for part in parts {
            hashes.extend(part.join().map_err(|_| PasswordError::Hash)??);
        }
        Ok(hashes)
    })
}

/// Adds the people, with their tokens.
pub(super) fn add_people(store: &Store, cast: &Cast, hashes: &[String]) -> Result<(), DemoError> {
    let mut hashes = hashes.iter();
    for member in &cast.members {
        let number = number(store, member)?;
        for (human, hash) in member.people.iter().zip(&mut hashes) {
            store.add_person(&NewPerson {
                id: human.id.clone(),
                email: human.email.clone(),
                name: human.name.to_owned(),
                password_hash: hash.clone(),
                operator: false,
                positions: vec![(number, human.role)],
            })?;
        }
    }
    renew_tokens(store, cast)
}

/// Lets everybody's token live from now on.
pub(super) fn renew_tokens(store: &Store, cast: &Cast) -> Result<(), DemoError> {
    let collections = store.collections()?;
    let expires_at = store.now().plus(TOKENS_LIVE);
    for member in &cast.members {
        let organization = number(store, member)?;
        for human in &member.people {
            store.add_token(&NewToken {
                hash: secret::hash(&human.token),
                organization,
                person: Some(human.id.clone()),
                client: None,
                scopes: human.role.scopes(&collections),
                expires_at,
            })?;
        }
    }
    Ok(())
}

/// The row number of a co-op.
pub(super) fn number(store: &Store, member: &Member) -> Result<OrganizationNumber, DemoError> {
    Ok(store.organization(member.id.as_str())?.number)
}
