//! A program's own tokens (RFC 6749, section 4.4): it acts for the member co-op that registered it.

use actix_web::HttpResponse;
use hayward_store::{Client, NewToken};

use super::answer::{Refusal, tokens};
use super::form::Form;
use super::{TOKEN_LIFE, token};
use crate::auth::secret;
use crate::commons::Commons;

pub(super) async fn grant(form: &Form, client: Client, commons: &Commons) -> Result<HttpResponse, Refusal> {
    if client.form.public {
        return Err(Refusal::Oauth("unauthorized_client", "a public client has no credentials of its own"));
    }
    let scopes = token::scopes(form, &client.scopes)?.unwrap_or(client.scopes);
    let given = secret::token(commons.random());
    let new = NewToken {
        hash: secret::hash(&given),
        organization: client.organization,
        person: None,
        client: Some(client.id),
        scopes: scopes.clone(),
        expires_at: commons.store.now().plus(TOKEN_LIFE),
    };
    commons.run(move |store| store.add_token(&new)).await?;
    Ok(tokens(&given, None, &scopes))
}
