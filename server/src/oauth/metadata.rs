//! What programs need to know before they ask: RFC 8414 about this authorization server, RFC 9728 about what it protects.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::Data;
use hayward_domain::scope::{Role, Scope};
use serde_json::json;

use super::device;
use crate::commons::Commons;
use crate::error::Error;

/// Where RFC 9728 wants the metadata of a resource that has no path.
pub(super) const RESOURCE_PATH: &str = "/.well-known/oauth-protected-resource";

/// How long either may be kept: seconds.
const KEPT: &str = "public, max-age=3600";

/// Every scope that a program may hold: the words of the schemas, which are public, and our own.
async fn scopes(commons: &Commons) -> Result<Vec<String>, Error> {
    let collections = commons.run(|store| store.collections()).await?;
    let of = |role: Role| role.scopes(&collections).iter().cloned().collect::<Vec<_>>();
    let all: BTreeSet<Scope> = Role::ALL.into_iter().flat_map(of).filter(Scope::for_clients).collect();
    Ok(all.iter().map(ToString::to_string).collect())
}

/// `/.well-known/oauth-authorization-server`.
pub async fn server(commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let issuer = commons.issuer();
    let at = |path: &str| format!("{issuer}{path}");
    let secret = ["client_secret_basic", "client_secret_post"];
    let secret_or_none = ["client_secret_basic", "client_secret_post", "none"];
    let about = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "device_authorization_endpoint": at("/oauth/device_authorization"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "scopes_supported": scopes(&commons).await?,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", device::GRANT],
        "token_endpoint_auth_methods_supported": secret_or_none,
        "revocation_endpoint_auth_methods_supported": secret_or_none,
        "introspection_endpoint_auth_methods_supported": secret,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "protected_resources": [issuer],
    });
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", KEPT)).json(about))
}

/// `/.well-known/oauth-protected-resource`.
pub async fn resource(commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let issuer = commons.issuer();
    let name = commons.run(|store| store.read_settings()).await?.name;
    let about = json!({
        "resource": issuer,
        "resource_name": name,
        "authorization_servers": [issuer],
        "scopes_supported": scopes(&commons).await?,
        "bearer_methods_supported": ["header"],
    });
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", KEPT)).json(about))
}
