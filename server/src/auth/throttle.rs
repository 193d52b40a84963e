//! How often what may be guessed is guessed: in the database, so that all servers count together.
//!
//! Passwords and codes are counted against the account and the network; keys and user codes, which belong to nobody that could be
//! named, against the network alone. Nobody learns from an answer whether there is such an account: unknown ones are counted alike.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Data;
use hayward_store::{CountedAttempt, Strictness};

use super::network;
use crate::commons::Commons;
use crate::error::Error;

/// One account from one network: whoever guesses there waits long, and nobody else does.
const PAIR: Strictness = Strictness { free: 5, longest: Duration::from_secs(900), spares_familiar: false };
/// One account from anywhere. Anybody can fill it, so the wait is short, and not for who is familiar.
const ACCOUNT: Strictness = Strictness { free: 20, longest: Duration::from_secs(60), spares_familiar: true };
/// One network over all accounts: people of one office share it.
const NETWORK: Strictness = Strictness { free: 60, longest: Duration::from_secs(300), spares_familiar: false };

/// What is guessed without naming an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guessed {
    /// The key of an invitation.
    InviteKey,
    /// The key of the set-up page.
    SetupKey,
    /// The short code that a person types in for a device (RFC 8628, section 5.1).
    UserCode,
}

impl Guessed {
    fn word(self) -> &'static str {
        match self {
            Self::InviteKey => "invite",
            Self::SetupKey => "setup",
            Self::UserCode => "user code",
        }
    }

    fn strictness(self) -> Strictness {
        match self {
            Self::InviteKey | Self::SetupKey => NETWORK,
            // Short enough to be found by trying.
            Self::UserCode => Strictness { free: 5, longest: Duration::from_secs(900), spares_familiar: false },
        }
    }
}

/// A guess that is counted as wrong until it turns out right.
#[must_use = "a guess that turns out right is to be taken back"]
pub struct Guess(Vec<CountedAttempt>);

impl Guess {
    /// Counts a guess at what `account` (an e-mail address, or the id of a person) proves who they are with.
    ///
    /// # Errors
    /// [`Error::TooSoon`] where it has to wait.
    pub async fn at_account(request: &HttpRequest, commons: &Data<Commons>, account: &str) -> Result<Self, Error> {
        let (network, account) = (network::of(request), account.trim().to_lowercase());
        let counted = |name: String, strictness| CountedAttempt { name, strictness };
        Self::count(
            commons,
            vec![
                counted(format!("pair {network} {account}"), PAIR),
                counted(format!("account {account}"), ACCOUNT),
                counted(format!("network {network}"), NETWORK),
            ],
        )
        .await
    }

    /// Counts a guess at something that names no account.
    ///
    /// # Errors
    /// [`Error::TooSoon`] where it has to wait.
    pub async fn at(request: &HttpRequest, commons: &Data<Commons>, what: Guessed) -> Result<Self, Error> {
        let name = format!("{} {}", what.word(), network::of(request));
        Self::count(commons, vec![CountedAttempt { name, strictness: what.strictness() }]).await
    }

    async fn count(commons: &Data<Commons>, names: Vec<CountedAttempt>) -> Result<Self, Error> {
        let counted = names.clone();
        commons.run(move |store| store.attempt(&counted)).await?;
        Ok(Self(names))
    }

    /// It was right, and proves who somebody is: what was counted against them is forgotten.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn proved(self, commons: &Data<Commons>) -> Result<(), Error> {
        let names = self.0;
        commons.run(move |store| store.attempt_was_right(&names, true)).await
    }

    /// It was not wrong: it is not counted.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn taken_back(self, commons: &Data<Commons>) -> Result<(), Error> {
        let names = self.0;
        commons.run(move |store| store.attempt_was_right(&names, false)).await
    }
}
