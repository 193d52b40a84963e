//! `GET /api/v1/explain`: why a client can, or cannot, see something now. Each side is told only what it may know.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::agreement::Side;
use hayward_domain::id::{AgreementId, OrganizationId};
use hayward_domain::terms::Audience;
use hayward_store::{Beholder, Caller, Explained, Granted, Question, Store, StoreError};

use super::params::Params;
use super::reading::ReadError;
use super::shared::retried;
use crate::auth::bearer::{AgreementsRead, Bearer};
use crate::commons::Commons;
use crate::error::Error;

/// What is asked, and whom it is about.
#[derive(Clone)]
struct Asked {
    client: Option<String>,
    organization: Option<String>,
    question: Question,
}

/// About a client of one's own, or oneself: as the recipient. About somebody else, or under an agreement of one's own lists: as the
/// provider.
pub async fn get(request: HttpRequest, bearer: Bearer<AgreementsRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let asked = Asked {
        client: params.take("client"),
        organization: params.take("organization"),
        question: Question { agreement: params.take("agreement"), record: params.take("record"), field: params.take("field") },
    };
    params.end()?;
    if asked.client.is_some() && asked.organization.is_some() {
        return Err(Error::parameter("invalid-parameter", "organization", "name a client, or an organization"));
    }
    let caller = bearer.caller;
    let explained = retried(&commons, move |store| explain(store, &caller, &asked)).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(explained))
}

fn explain(store: &Store, caller: &Caller, asked: &Asked) -> Result<Explained, ReadError> {
    let beholder = match (&asked.client, &asked.organization) {
        (Some(client), _) => store.beholding_client(caller, client)?,
        (None, Some(organization)) if *organization != caller.organization_id.as_str() => {
            store.beholding_organization(organization)?
        }
        (None, _) => match recipient(store, caller, asked)? {
            Some(organization) => store.beholding_organization(organization.as_str())?,
            None => Beholder { caller: caller.clone(), scoped: true, revoked: false },
        },
    };
    let explained = if beholder.caller.organization == caller.organization {
        store.explain_to_recipient(&beholder, &asked.question)?
    } else {
        store.explain_to_provider(caller, &beholder, &asked.question)?
    };
    explained.ok_or(ReadError::Expired)
}

/// Whom a provider means that names nobody: the recipient of the agreement that it names.
fn recipient(store: &Store, caller: &Caller, asked: &Asked) -> Result<Option<OrganizationId>, ReadError> {
    let named = asked.question.agreement.as_deref().filter(|_| asked.organization.is_none()).and_then(AgreementId::parse);
    let Some(id) = named else { return Ok(None) };
    match store.granted(caller, &id) {
        Ok(Granted { side: Side::Provider, terms, .. }) => match &terms.audience {
            Audience::Organization(recipient) => Ok(Some(recipient.clone())),
            Audience::Members | Audience::Public => Ok(None),
        },
        Ok(_) | Err(StoreError::NotFound) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
