//! The demo world: 34 invented co-ops with lists, programs and agreements, for trying things out.
//!
//! Everything is derived from a seed: who knows it knows every key, token and password of the world. Nothing here reaches
//! around the store: lists come in as files through imports, agreements through proposals and approvals, like anybody's.

mod agreements;
mod cast;
mod derive;
mod files;
mod people;
mod places;
mod terms;
#[cfg(test)]
mod tests;
mod words;
mod world;

use std::sync::Arc;
use std::time::Duration;

use hayward_store::{ImportState, Keyring, ProposalError, Settings, Store, StoreError};

use crate::auth::password::PasswordError;
use cast::Cast;

pub use world::{Client, Dataset, Organization, Person, World};

/// Under which name the store keeps the seed, once the world is whole.
const MARK: &str = "demo_seed";
/// How long people's tokens live, from the last start.
const TOKENS_LIVE: Duration = Duration::from_secs(30 * 86_400);

/// Why there is no demo world.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Somebody's data, another seed's world, or one that was interrupted.
    #[error("this database holds something other than the whole demo world of seed {0}; name an empty one")]
    Taken(u64),
    /// The built-in schemas do not parse.
    #[error("a built-in schema is broken: {0}")]
    Schema(String),
    /// An invented list was not read the way it was meant.
    #[error("the demo file `{file}` was read as `{}`", state.as_str())]
    Unread {
        /// The name of the file.
        file: String,
        /// Where its import stands instead.
        state: ImportState,
    },
    /// An invented list could not be written as CSV.
    #[error("a demo file could not be written: {0}")]
    File(#[from] csv::Error),
    /// A proposal was refused.
    #[error("the terms of a demo agreement have faults at {0}")]
    Terms(String),
    /// Everybody signed, and still nothing is agreed.
    #[error("the demo agreement {0} has too few approvals")]
    Unsigned(String),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProposalError> for DemoError {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::Faults(faults) => {
                Self::Terms(faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>().join(", "))
            }
            ProposalError::Store(error) => Self::Store(error),
        }
    }
}

/// The keys of the demo world of this seed: always the same, and so no secret.
#[must_use]
pub fn keyring(seed: u64) -> Keyring {
    let mut bytes = [0; 128];
    for (part, chunk) in bytes.chunks_mut(32).enumerate() {
        chunk.copy_from_slice(&derive::bytes::<32>(seed, &["keyring", &part.to_string()]));
    }
    Keyring::from_random(&bytes)
}

/// Builds the demo world on an empty database, and says who can sign in.
///
/// On a database that holds the whole world of this seed already, nothing is built: people's tokens live on for another 30
/// days from now, unless they were revoked.
///
/// # Errors
/// [`DemoError::Taken`] on any other database; otherwise only what the store says.
pub fn seed(store: &Arc<Store>, seed: u64) -> Result<World, DemoError> {
    seed_with(store, seed, Hidden::AsEver)
}

/// What stands in the cells that no agreement shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// What the seed says.
    AsEver,
    /// Something else, in each of them: whoever reads only what is shared cannot tell the two worlds apart.
    Redrawn,
}

/// The same, and what is hidden is drawn as `hidden` says.
///
/// # Errors
/// As [`seed`].
pub fn seed_with(store: &Arc<Store>, seed: u64, hidden: Hidden) -> Result<World, DemoError> {
    let cast = Cast::new(seed);
    match store.noted(MARK)? {
        Some(mark) if mark == seed.to_string() => {
            people::renew_tokens(store, &cast)?;
            return Ok(World::of(&cast));
        }
        Some(_) => return Err(DemoError::Taken(seed)),
        None if store.has_people()? || !store.organizations()?.is_empty() => return Err(DemoError::Taken(seed)),
        None => {}
    }
    let settings = Settings {
        name: "Demo commons".to_owned(),
        time_zone: Default::default(),
        grace: Duration::ZERO,
        // More than this program answers: who tries it out is not held up.
        client_limit: 100_000,
        address_limit: 100_000,
    };
    store.write_settings(&settings)?;
    for schema in hayward_domain::schema::built_in().map_err(|error| DemoError::Schema(error.to_string()))? {
        store.register_schema(&schema)?;
    }
    // Hashing passwords is slow on purpose, so it goes on while the lists are imported.
    let hashes = std::thread::scope(|scope| {
        let hashing = scope.spawn(|| people::hash_passwords(&cast));
        people::add_organizations(store, &cast)?;
        files::import_all(store, &cast, hidden)?;
        hashing.join().map_err(|_| PasswordError::Hash)?.map_err(DemoError::from)
    })?;
    people::add_people(store, &cast, &hashes)?;
    agreements::make_all(store, &cast)?;
    store.note(MARK, &seed.to_string())?;
    Ok(World::of(&cast))
}
