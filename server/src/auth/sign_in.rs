//! Proving who one is by a password, for the pages and for the API.
//!
//! * The answer, and the work, are the same for an address that nobody has, a wrong password and somebody who is shut out.
//! * A guess is counted before it is looked at ([`super::throttle`]). Sessions that are open already know nothing of it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Data;
use hayward_store::Person;

use super::password;
use super::throttle::Guess;
use crate::commons::Commons;
use crate::error::Error;

/// How long a person stays signed in.
pub const LIFE: Duration = Duration::from_secs(12 * 3_600);

/// A hash of no password that anybody has: checked where the address is unknown, so that both take as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What somebody says to prove who they are.
pub struct Credentials {
    /// Their e-mail address.
    pub email: String,
    /// Their password.
    pub password: String,
}

/// What is said about whatever does not open: one sentence for all of it.
#[must_use]
pub fn wrong() -> Error {
    Error::bad("invalid-credentials", "this address and password open nothing")
}

/// The person whose credentials these are.
///
/// # Errors
/// `invalid-credentials`, and [`Error::TooSoon`] where guesses have to wait.
pub async fn prove(request: &HttpRequest, commons: &Data<Commons>, given: Credentials) -> Result<Person, Error> {
    let guess = Guess::at_account(request, commons, &given.email).await?;
    let stopping = |_| Error::Unavailable("the program is stopping".to_owned());
    // It goes along with the work: a client that hangs up does not make room for another hash.
    let turn = Arc::clone(&commons.hashing).acquire_owned().await.map_err(stopping)?;
    let person = commons
        .run(move |store| {
            let _turn = turn;
            let person = store.person(&given.email)?;
            let kept = person.as_ref().map_or(NOBODY, |person| person.password_hash.as_str());
            let right = password::matches(&given.password, kept);
            person.filter(|person| right && !person.disabled).ok_or_else(wrong)
        })
        .await?;
    guess.proved(commons).await?;
    Ok(person)
}
