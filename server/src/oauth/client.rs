//! Which program asks, and how it shows that (RFC 6749, section 2.3).
//!
//! A program with a secret sends it in HTTP Basic or in the body, never both. A public one has no secret and says its id.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hayward_store::Client;

use super::answer::{Refusal, invalid_request};
use super::form::Form;
use crate::auth::secret;
use crate::commons::Commons;

fn wrong() -> Refusal {
    Refusal::Oauth("invalid_client", "client id and secret go into HTTP Basic or into the body, and must be right")
}

/// The program, be it public or not.
pub(super) async fn any(request: &HttpRequest, form: &Form, commons: &Commons) -> Result<Client, Refusal> {
    let (id, given) = shown(request, form)?;
    if id.contains('\0') || given.as_ref().is_some_and(|given| given.contains('\0')) {
        return Err(wrong());
    }
    let client = commons.run(move |store| store.client(&id)).await?;
    let Some(given) = given else {
        return client.filter(|client| client.form.public).ok_or_else(wrong);
    };
    // A program that does not exist takes as long as one with another secret.
    let kept = client.as_ref().map_or("", |client| client.secret_hash.as_str());
    let former = client.as_ref().and_then(|client| client.former_hash.as_deref()).unwrap_or_default();
    // Both are looked at, always.
    let right = secret::matches(&given, kept) | secret::matches(&given, former);
    client.filter(|client| right && !client.form.public).ok_or_else(wrong)
}

/// The program, which has to have a secret.
pub(super) async fn confidential(request: &HttpRequest, form: &Form, commons: &Commons) -> Result<Client, Refusal> {
    let client = any(request, form, commons).await?;
    if client.form.public { Err(wrong()) } else { Ok(client) }
}

/// The id, and the secret if one is shown.
fn shown(request: &HttpRequest, form: &Form) -> Result<(String, Option<String>), Refusal> {
    let in_body = (form.field("client_id"), form.field("client_secret"));
    if form.field("client_assertion").is_some() || form.field("client_assertion_type").is_some() {
        return Err(Refusal::Oauth("invalid_client", "assertions are not taken here; send a secret"));
    }
    let mut headers = request.headers().get_all(AUTHORIZATION);
    match (headers.next(), headers.next(), in_body) {
        (Some(_), Some(_), _) => Err(invalid_request("there are two Authorization headers")),
        (Some(_), None, (_, Some(_))) => Err(invalid_request("the secret stands in the header and in the body")),
        (Some(header), None, (id_in_body, None)) => {
            let (id, secret) = header.to_str().ok().and_then(basic).ok_or_else(wrong)?;
            if id_in_body.is_some_and(|other| other != id) {
                return Err(invalid_request("header and body name two clients"));
            }
            Ok((id, Some(secret)))
        }
        (None, _, (Some(id), secret)) => Ok((id.to_owned(), secret.map(str::to_owned))),
        (None, _, (None, _)) => Err(wrong()),
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749, section 2.3.1: both are form-encoded before they are put together.
    let decoded =
        |part: &str| url::form_urlencoded::parse(format!("x={part}").as_bytes()).next().map(|(_, value)| value.into_owned());
    Some((decoded(id)?, decoded(secret)?))
}
