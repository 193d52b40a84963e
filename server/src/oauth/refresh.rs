//! A refresh token becomes a token and another refresh token (RFC 6749, section 6), once.

use actix_web::HttpResponse;
use hayward_store::{Client, Redeemed};

use super::answer::{Refusal, invalid_grant};
use super::form::Form;
use super::{Fresh, token};
use crate::auth::secret;
use crate::commons::Commons;
use crate::revocation;

pub(super) async fn grant(form: &Form, client: Client, commons: &Commons) -> Result<HttpResponse, Refusal> {
    let hash = secret::hash(form.needed("refresh_token", "`refresh_token` is missing")?);
    let wanted = token::scopes(form, &client.scopes)?;
    let fresh = Fresh::new(commons);
    let issue = fresh.issue(commons);
    match commons.run(move |store| store.refresh(&client.id, &hash, wanted.as_ref(), &issue)).await? {
        Redeemed::Given(scopes) => Ok(fresh.answer(&scopes)),
        Redeemed::Refused => Err(invalid_grant("this refresh token opens nothing, or no longer")),
        Redeemed::TooMuch => Err(Refusal::Oauth("invalid_scope", "the person has not allowed one of these scopes")),
        Redeemed::Ended => {
            revocation::acknowledge().await;
            Err(invalid_grant("this refresh token was used before, or the person may no longer; ask the person again"))
        }
    }
}
