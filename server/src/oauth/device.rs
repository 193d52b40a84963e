//! Programs without a browser (RFC 8628): they show a few letters, and a person types these where they are signed in.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_store::{Client, NewDevice, Polled, Redeemed, StoreError};
use serde_json::json;

use super::answer::{Refusal, begun, ended, invalid_grant};
use super::form::Form;
use super::{DEVICE_LIFE, Fresh, PAUSE, client, resource, token};
use crate::auth::secret::{self, Kind};
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// How this grant is called.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Consonants that are not taken for one another, and make no words (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a user code: 34 bits.
const LENGTH: usize = 8;

/// `POST /oauth/device_authorization`: two codes, one for the program and one for the person.
pub async fn begin(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    ended(give(&request, &commons, &bytes).await)
}

async fn give(request: &HttpRequest, commons: &Commons, bytes: &[u8]) -> Result<HttpResponse, Refusal> {
    let form = Form::posted(request, bytes)?;
    let client = client::any(request, &form, commons).await?;
    resource::check(&form, &commons.issuer())?;
    let scopes = token::scopes(&form, &client.scopes)?.unwrap_or_else(|| client.scopes.clone());
    let code = Kind::Device.make(commons.random());
    let mut tries = 3;
    let typed = loop {
        let typed = letters(commons);
        let new = NewDevice {
            hash: secret::hash(&code),
            user_code: secret::hash(&typed),
            client: client.id.clone(),
            scopes: scopes.clone(),
            expires_at: commons.store.now().plus(DEVICE_LIFE),
            pause: PAUSE,
        };
        tries -= 1;
        match commons.run(move |store| Ok::<_, Error>(store.begin_device(&new))).await? {
            Ok(()) => break typed,
            // Another program waits under the same letters.
            Err(StoreError::Exists(_)) if tries > 0 => {}
            Err(error) => return Err(error.into()),
        }
    };
    let shown = shown(&typed);
    let uri = format!("{}/device", commons.issuer());
    Ok(begun(StatusCode::OK).json(json!({
        "device_code": code,
        "user_code": shown,
        "verification_uri": uri,
        "verification_uri_complete": format!("{uri}?user_code={shown}"),
        "expires_in": DEVICE_LIFE.as_secs(),
        "interval": PAUSE,
    })))
}

fn letters(commons: &Commons) -> String {
    // 64 bits for each letter: what is left over by the division tells nothing.
    let letter = || {
        let number = u64::from_be_bytes(commons.random()) % (LETTERS.len() as u64);
        usize::try_from(number).ok().and_then(|at| LETTERS.get(at)).map_or('B', |byte| char::from(*byte))
    };
    std::iter::repeat_with(letter).take(LENGTH).collect()
}

/// As a person reads it: `BCDF-GHJK`.
fn shown(letters: &str) -> String {
    letters.split_at_checked(LENGTH / 2).map_or_else(|| letters.to_owned(), |(one, other)| format!("{one}-{other}"))
}

/// The hash of the code that a person typed, and the code as it is shown; nothing for what cannot be one. Small letters, spaces and
/// hyphens are forgiven.
#[must_use]
pub fn user_code(typed: &str) -> Option<(String, String)> {
    if typed.len() > 64 {
        return None;
    }
    let letters: String =
        typed.chars().filter(|letter| letter.is_alphanumeric()).map(|letter| letter.to_ascii_uppercase()).collect();
    let known = letters.len() == LENGTH && letters.bytes().all(|byte| LETTERS.contains(&byte));
    known.then(|| (secret::hash(&letters), shown(&letters)))
}

pub(super) async fn grant(form: &Form, client: Client, commons: &Commons) -> Result<HttpResponse, Refusal> {
    let hash = secret::hash(form.needed("device_code", "`device_code` is missing")?);
    let fresh = Fresh::new(commons);
    let issue = fresh.issue(commons);
    let waits = |code, why| Err(Refusal::Oauth(code, why));
    match commons.run(move |store| store.poll_device(&client.id, &hash, &issue)).await? {
        Polled::Pending => waits("authorization_pending", "nobody has said anything yet; ask again"),
        Polled::TooSoon => waits("slow_down", "wait five seconds longer between two questions from now on"),
        Polled::Denied => waits("access_denied", "the person said no"),
        Polled::Expired => waits("expired_token", "nobody said anything in time; begin anew"),
        Polled::Done(Redeemed::Given(scopes)) => Ok(fresh.answer(&scopes)),
        Polled::Done(Redeemed::Refused | Redeemed::TooMuch) => Err(invalid_grant("this code opens nothing")),
        Polled::Done(Redeemed::Ended) => {
            revocation::acknowledge().await;
            Err(invalid_grant("this code was used before; it opens nothing now"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::user_code;

    #[test]
    fn a_typed_code_is_read_as_people_type_it() {
        let right = user_code("BCDF-GHJK");
        assert_eq!(right.as_ref().map(|(_, shown)| shown.as_str()), Some("BCDF-GHJK"));
        for typed in ["bcdfghjk", " b c d f - g h j k ", "BCDF–GHJK"] {
            assert_eq!(user_code(typed), right, "{typed}");
        }
        for typed in ["", "BCDF", "BCDF-GHJKL", "AEIO-UAEI", "BCDF-GHJ1", &"B".repeat(100), "ßCDF-GHJK"] {
            assert_eq!(user_code(typed), None, "{typed}");
        }
    }
}
