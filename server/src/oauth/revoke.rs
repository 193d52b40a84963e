//! `POST /oauth/revoke` (RFC 7009): a token, or with a refresh token all that a person allowed.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{Refusal, begun, ended, invalid_request};
use super::client;
use super::form::Form;
use crate::auth::secret;
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// Takes one of the caller's own tokens back.
pub async fn revoke(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    ended(give_back(&request, &commons, &bytes).await)
}

async fn give_back(request: &HttpRequest, commons: &Commons, bytes: &[u8]) -> Result<HttpResponse, Refusal> {
    let form = Form::posted(request, bytes)?;
    let client = client::any(request, &form, commons).await?;
    let hash = secret::hash(form.needed("token", "`token` is missing")?);
    // Somebody else's token is none of this client's business (RFC 7009, section 2.1).
    if !commons.run(move |store| store.give_back(&client.id, &hash)).await? {
        return Err(invalid_request("this token is not this client's"));
    }
    revocation::acknowledge().await;
    Ok(begun(StatusCode::OK).finish())
}
