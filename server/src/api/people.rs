//! `/api/v1/people` and `/api/v1/invites`: the owners of a member co-op say who is in it, and as what.

use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::{PersonId, base32};
use hayward_domain::scope::Role;
use hayward_store::{NewInvite, StoreError};
use serde::Deserialize;
use serde_json::json;

use super::body;
use crate::auth::bearer::{Bearer, PeopleManage};
use crate::auth::secret;
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// How many days an invitation works unless it says.
const DAYS: u16 = 7;
/// … and at most.
const MOST_DAYS: u16 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    email: String,
    roles: Vec<String>,
    days: Option<u16>,
}

/// Roles in an organization, each once.
fn roles(names: &[String]) -> Result<Vec<Role>, Error> {
    let mut roles = names
        .iter()
        .map(|name| Role::parse(name).filter(|role| !role.of_commons()))
        .collect::<Option<Vec<Role>>>()
        .filter(|roles| !roles.is_empty())
        .ok_or_else(|| {
            Error::bad("invalid-body", "`roles` names at least one of owner, steward, editor, developer and viewer")
        })?;
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

/// Everybody with a role in the caller's organization.
pub async fn list(bearer: Bearer<PeopleManage>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let organization = bearer.caller.organization;
    let items = commons.run(move |store| store.colleagues(organization)).await?;
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": null})))
}

/// Says what somebody is from now on.
pub async fn put_roles(
    request: HttpRequest,
    bearer: Bearer<PeopleManage>,
    commons: Data<Commons>,
    id: Path<String>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let person = PersonId::parse(&id).ok_or(Error::NotFound)?;
    let given: Roles = body::read(&request, &bytes)?;
    let roles = roles(&given.roles)?;
    let organization = bearer.still(&commons).await?.organization;
    let wanted = person.clone();
    let shown = commons.run(move |store| {
        store.set_roles(organization, &wanted, &roles)?;
        let all = store.colleagues(organization)?;
        all.into_iter().find(|one| one.id == wanted.as_str()).ok_or(StoreError::NotFound)
    });
    let shown = shown.await?;
    revocation::acknowledge().await;
    Ok(HttpResponse::Ok().json(shown))
}

/// Shuts somebody out of the caller's organization. What they are elsewhere stays.
pub async fn remove(bearer: Bearer<PeopleManage>, commons: Data<Commons>, id: Path<String>) -> Result<HttpResponse, Error> {
    let person = PersonId::parse(&id).ok_or(Error::NotFound)?;
    let organization = bearer.caller.organization;
    commons.run(move |store| store.set_roles(organization, &person, &[])).await?;
    revocation::acknowledge().await;
    Ok(HttpResponse::NoContent().finish())
}

/// The invitations that could still be accepted.
pub async fn invites(bearer: Bearer<PeopleManage>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let organization = bearer.caller.organization;
    let items = commons.run(move |store| store.open_invites(organization)).await?;
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": null})))
}

/// Invites somebody. The key is told once; the answer is the same whether or not somebody has this address.
pub async fn invite(
    request: HttpRequest,
    bearer: Bearer<PeopleManage>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let given: Invitation = body::read(&request, &bytes)?;
    let days = given.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Error::bad("invalid-body", format!("`days` is a whole number from 1 to {MOST_DAYS}")));
    }
    let roles = roles(&given.roles)?;
    let organization = bearer.still(&commons).await?.organization;
    let (id, key) = (format!("inv_{}", base32(&commons.random::<15>())), secret::invite_key(commons.random()));
    let expires_at = commons.store.now().plus(Duration::from_secs(u64::from(days) * 86_400));
    let named: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let answer = json!({
        "id": id, "email": given.email.trim().to_lowercase(), "roles": named, "key": key, "address": format!("/invite?key={key}"),
        "expires_at": expires_at.to_rfc3339(),
    });
    let new = NewInvite { id, hash: secret::hash(&key), email: given.email, organization, roles, expires_at };
    commons.run(move |store| store.invite_colleague(&new)).await?;
    Ok(HttpResponse::Created().insert_header(("Cache-Control", "no-store")).json(answer))
}

/// Takes an invitation back.
pub async fn revoke_invite(
    bearer: Bearer<PeopleManage>,
    commons: Data<Commons>,
    id: Path<String>,
) -> Result<HttpResponse, Error> {
    let organization = bearer.caller.organization;
    let id = id.into_inner();
    commons.run(move |store| store.revoke_own_invite(organization, &id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
