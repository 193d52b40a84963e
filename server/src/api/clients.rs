//! `/api/v1/clients`: a member co-op's own programs.
//!
//! Nobody gives a program more than they may do themselves, be it by registering it or by a new secret of one that has more: otherwise
//! registering programs would be a way to every scope.

use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::ClientId;
use hayward_domain::scope::Scopes;
use hayward_store::{Caller, Client, ClientForm, NewClient, Store};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body;
use super::params::Params;
use crate::auth::bearer::{Bearer, ClientsManage};
use crate::auth::secret;
use crate::commons::Commons;
use crate::error::Error;
use crate::{oauth, revocation};

/// The longest name or contact, in bytes.
const LONGEST: usize = 200;
/// The most addresses of one program.
const MOST_URIS: usize = 20;
/// How long the secret before goes on working unless the caller says otherwise: hours.
const OVERLAP: u16 = 24;
/// The longest that may be said: hours.
const LONGEST_OVERLAP: u16 = 720;

/// Lists the programs.
pub async fn list(request: HttpRequest, bearer: Bearer<ClientsManage>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let clients = commons.run(move |store| store.clients_of(bearer.caller.organization)).await?;
    Ok(answer(HttpResponse::Ok(), &json!({"items": clients})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    /// The most it may ask for, with spaces between.
    scope: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    public: bool,
    contact: Option<String>,
}

impl New {
    /// What is registered, by `caller`.
    fn checked(self, caller: &Caller) -> Result<(String, Scopes, ClientForm), Error> {
        let scopes = Scopes::parse(&self.scope).ok().filter(|scopes| scopes.iter().next().is_some());
        let scopes = scopes.ok_or_else(|| Error::bad("invalid-body", "`scope` names at least one scope, and only scopes"))?;
        within(&scopes, caller)?;
        let short = |text: &String| !text.trim().is_empty() && text.len() <= LONGEST;
        if !short(&self.name) || !self.contact.as_ref().is_none_or(short) || self.redirect_uris.len() > MOST_URIS {
            let detail =
                format!("`name` and `contact` have 1 to {LONGEST} bytes, and there are at most {MOST_URIS} `redirect_uris`");
            return Err(Error::bad("invalid-body", detail));
        }
        let checked = |uri: &String| oauth::checked_redirect_uri(uri).map_err(|why| Error::bad("invalid-body", why.to_string()));
        let redirect_uris = self.redirect_uris.iter().map(checked).collect::<Result<_, _>>()?;
        let form = ClientForm { public: self.public, redirect_uris, contact: self.contact };
        Ok((self.name, scopes, form))
    }
}

/// Registers a program. Its secret stands in this answer and nowhere else.
pub async fn create(
    request: HttpRequest,
    bearer: Bearer<ClientsManage>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let caller = bearer.still(&commons).await?;
    let new: New = body::read(&request, &bytes)?;
    let (name, scopes, form) = new.checked(&caller)?;
    let (id, given) = (ClientId::from_random(commons.random()), secret::client_secret(commons.random()));
    let mut about = json!({
        "client_id": id, "name": name, "scope": scopes.to_string(), "redirect_uris": form.redirect_uris, "contact": form.contact,
        "kind": if form.public { "public" } else { "confidential" },
    });
    if let (false, Value::Object(members)) = (form.public, &mut about) {
        members.insert("client_secret".to_owned(), Value::from(given.as_str()));
    }
    let new = NewClient { id, organization: caller.organization, name, secret_hash: secret::hash(&given), scopes };
    commons.run(move |store| store.register_client(&new, &form)).await?;
    Ok(answer(HttpResponse::Created(), &about))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    overlap_hours: Option<u16>,
}

/// Exchanges a program's secret.
pub async fn exchange(
    request: HttpRequest,
    path: Path<String>,
    bearer: Bearer<ClientsManage>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let caller = bearer.still(&commons).await?;
    let Exchange { overlap_hours } = body::read(&request, &bytes)?;
    let hours = overlap_hours.unwrap_or(OVERLAP);
    if hours > LONGEST_OVERLAP {
        return Err(Error::bad("invalid-body", format!("`overlap_hours` is a whole number from 0 to {LONGEST_OVERLAP}")));
    }
    let given = secret::client_secret(commons.random());
    let hash = secret::hash(&given);
    let id = path.into_inner();
    let until = commons.store.now().plus(Duration::from_secs(u64::from(hours) * 3_600));
    let client_id = id.clone();
    commons
        .run(move |store| {
            let client = own(store, &caller, &id)?;
            within(&client.scopes, &caller)?;
            Ok::<_, Error>(store.rotate_secret(&id, &hash, until)?)
        })
        .await?;
    let mut about = Map::new();
    about.insert("client_id".to_owned(), client_id.into());
    about.insert("client_secret".to_owned(), given.into());
    about.insert("former_secret_until".to_owned(), until.to_rfc3339().into());
    Ok(answer(HttpResponse::Ok(), &Value::Object(about)))
}

/// Revokes a program, and everything that it was given.
pub async fn revoke(path: Path<String>, bearer: Bearer<ClientsManage>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let (id, caller) = (path.into_inner(), bearer.caller);
    commons
        .run(move |store| {
            own(store, &caller, &id)?;
            Ok::<_, Error>(store.revoke_client(&id)?)
        })
        .await?;
    revocation::acknowledge().await;
    Ok(HttpResponse::NoContent().finish())
}

/// The caller's own program. That of another is as good as none.
fn own(store: &Store, caller: &Caller, id: &str) -> Result<Client, Error> {
    store.client(id)?.filter(|client| client.organization == caller.organization).ok_or(Error::NotFound)
}

fn within(scopes: &Scopes, caller: &Caller) -> Result<(), Error> {
    if scopes.within(&caller.scopes) {
        return Ok(());
    }
    let detail = "a program can be given no more than you may do yourself, with the token that you use".to_owned();
    Err(Error::Conflict { code: "more-than-yours", detail })
}

fn answer(mut response: actix_web::HttpResponseBuilder, about: &Value) -> HttpResponse {
    response.insert_header(("Cache-Control", "no-store")).json(about)
}
