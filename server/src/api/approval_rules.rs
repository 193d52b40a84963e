//! `/api/v1/approval-rules`: how many stewards an organization wants for an approval, by what is shown.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::agreement::{ApprovalRule, Rules};
use serde::Deserialize;

use super::body;
use super::params::Params;
use crate::auth::bearer::{AgreementsApprove, AgreementsRead, Bearer};
use crate::commons::Commons;
use crate::error::Error;

/// The rules of the caller's own organization.
pub async fn get(request: HttpRequest, bearer: Bearer<AgreementsRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let organization = bearer.caller.organization;
    let rules = commons.run(move |store| store.approval_rules(organization)).await?;
    Ok(HttpResponse::Ok().json(rules.to_map()))
}

/// The rules to be; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    public: Option<String>,
    internal: Option<String>,
    personal: Option<String>,
    special: Option<String>,
}

fn rule(wanted: Option<String>) -> Result<Option<ApprovalRule>, Error> {
    let unknown = || Error::bad("unknown-rule", "an approval rule is `1`, `2` or `all`");
    wanted.map(|text| ApprovalRule::parse(&text).ok_or_else(unknown)).transpose()
}

/// Tightens them.
pub async fn put(
    request: HttpRequest,
    bearer: Bearer<AgreementsApprove>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Wanted { public, internal, personal, special } = body::read(&request, &bytes)?;
    let (public, internal, personal, special) = (rule(public)?, rule(internal)?, rule(personal)?, rule(special)?);
    let caller = bearer.still(&commons).await?;
    let change = move |before: Rules| Rules {
        public: public.unwrap_or(before.public),
        internal: internal.unwrap_or(before.internal),
        personal: personal.unwrap_or(before.personal),
        special: special.unwrap_or(before.special),
    };
    let rules = commons.run(move |store| store.tighten_approval_rules(&caller, change)).await?;
    Ok(HttpResponse::Ok().json(rules.to_map()))
}
