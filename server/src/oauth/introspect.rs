//! `POST /oauth/introspect` (RFC 7662): what one of the caller's own tokens is good for now.
//!
//! A token of anybody else is as good as none. So is one that has expired, was taken back, or never was: nothing tells these apart.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::answer::{Refusal, begun, ended};
use super::client;
use super::form::Form;
use crate::auth::secret;
use crate::commons::Commons;
use crate::error::Error;

/// A second, in microseconds.
const SECOND: i64 = 1_000_000;

/// Says what a token is good for.
pub async fn introspect(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    ended(look(&request, &commons, &bytes).await)
}

async fn look(request: &HttpRequest, commons: &Commons, bytes: &[u8]) -> Result<HttpResponse, Refusal> {
    let form = Form::posted(request, bytes)?;
    let client = client::confidential(request, &form, commons).await?;
    let hash = secret::hash(form.needed("token", "`token` is missing")?);
    let (id, issuer) = (client.id.to_string(), commons.issuer());
    let shown = commons.run(move |store| store.introspect(&client.id, &hash)).await?;
    let answer = shown.map_or_else(
        || json!({"active": false}),
        |shown| {
            let subject = shown.person.map_or_else(|| id.clone(), |person| person.to_string());
            let mut answer = json!({
                "active": true,
                "scope": shown.scopes.to_string(),
                "client_id": id,
                "sub": subject,
                "organization": shown.organization,
                "iss": issuer,
                "aud": issuer,
                "iat": shown.issued_at.0 / SECOND,
                "exp": shown.expires_at.0 / SECOND,
            });
            if let (false, Value::Object(members)) = (shown.refresh, &mut answer) {
                members.insert("token_type".to_owned(), "Bearer".into());
            }
            answer
        },
    );
    Ok(begun(StatusCode::OK).json(answer))
}
