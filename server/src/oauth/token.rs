//! `POST /oauth/token`: every grant comes in here (RFC 6749, section 3.2).

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::scope::Scopes;

use super::answer::{Refusal, ended, invalid_request};
use super::form::Form;
use super::{client, code, credentials, device, refresh, resource};
use crate::commons::Commons;
use crate::error::Error;

/// Gives a program a token.
pub async fn token(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    ended(grant(&request, &commons, &bytes).await)
}

async fn grant(request: &HttpRequest, commons: &Commons, bytes: &[u8]) -> Result<HttpResponse, Refusal> {
    // A program's secrets do not belong into addresses, which are written down on the way.
    if !request.query_string().is_empty() {
        return Err(invalid_request("parameters go into the body, not into the address"));
    }
    let form = Form::posted(request, bytes)?;
    let client = client::any(request, &form, commons).await?;
    let grant = form.needed("grant_type", "`grant_type` is missing")?;
    resource::check(&form, &commons.issuer())?;
    match grant {
        "client_credentials" => credentials::grant(&form, client, commons).await,
        "authorization_code" => code::grant(&form, client, commons).await,
        "refresh_token" => refresh::grant(&form, client, commons).await,
        device::GRANT => device::grant(&form, client, commons).await,
        _ => Err(Refusal::Oauth("unsupported_grant_type", "there is no such grant here; the metadata lists those that are")),
    }
}

/// The scopes that a program asks for, if it names any; never more than `most`.
pub(super) fn scopes(form: &Form, most: &Scopes) -> Result<Option<Scopes>, Refusal> {
    let Some(text) = form.written("scope") else { return Ok(None) };
    let invalid = |why| Refusal::Oauth("invalid_scope", why);
    if text.trim().is_empty() {
        return Err(invalid("`scope` names no scope; leave it out for all that the client has"));
    }
    let wanted = Scopes::parse(text).map_err(|_| invalid("one of these is no scope"))?;
    if wanted.within(most) { Ok(Some(wanted)) } else { Err(invalid("this client may not have one of these scopes")) }
}
