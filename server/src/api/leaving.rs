//! `POST /api/v1/organization/leave`: leaving the commons.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::body;
use crate::auth::bearer::{AgreementsApprove, Bearer};
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// Characters of a reason.
const LONGEST_REASON: usize = 4_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leave {
    organization: String,
    reason: String,
}

/// Ends every agreement, closes every share, and leaves. Answered when nothing more can be read.
pub async fn leave(
    request: HttpRequest,
    bearer: Bearer<AgreementsApprove>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Leave { organization, reason } = body::read(&request, &bytes)?;
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("a reason has 1 to {LONGEST_REASON} characters");
        return Err(Error::Conflict { code: "empty-reason", detail });
    }
    let caller = bearer.still(&commons).await?;
    let left = commons.run(move |store| store.leave(&caller, &organization, &reason)).await?;
    revocation::acknowledge().await;
    Ok(HttpResponse::Ok().json(left))
}
