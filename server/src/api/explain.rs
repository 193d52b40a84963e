//! `GET /api/v1/explain`: why a client can, or cannot, see something now. Each side is told only what it may know.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use hayward_store::{Beholder, Caller, Explained, Question, Store};

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

/// About a client of one's own, or oneself: as the recipient. About somebody else: as the provider.
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
        (None, _) => Beholder { caller: caller.clone(), scoped: true, revoked: false },
    };
    let explained = if beholder.caller.organization == caller.organization {
        store.explain_to_recipient(&beholder, &asked.question)?
    } else {
        store.explain_to_provider(caller, &beholder, &asked.question)?
    };
    explained.ok_or(ReadError::Expired)
}
