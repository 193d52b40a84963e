//! Every route, with what it needs and whose data it shows. The application is made from this table and from nothing else, so a
//! route cannot exist without an entry; the access table of the tests is checked against it.

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::web::ServiceConfig;
use serde::Serialize;

use crate::api::{
    agreements, approval_rules, archive, catalogue, changes, clients, consents, datasets, diff, disclosures, explain, fixes,
    health, imports, leaving, marked, people, readings, records, sessions, shared, subjects, undo, upload, usage, watching,
    wording,
};
use crate::oauth;
use crate::web::{account, acting, assets, authorize, codes, commons, device, invite, setup, sign_in};

/// Whose data a route shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// Nobody's.
    Nothing,
    /// The caller's own.
    Own,
    /// Another organization's, through shares only.
    Shares,
}

/// One route.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with names in braces.
    pub path: &'static str,
    /// The scope that a token must have; `none` for no token at all, `any` for any, `collection` for that of the collection (public
    /// shares need no token), `session` for a page that somebody has to be signed in for.
    pub scope: &'static str,
    /// Whose data it shows.
    pub shows: Shows,
}

macro_rules! routes {
    ($($method:ident $path:literal $scope:literal $shows:ident => $handler:path;)*) => {
        /// Every route.
        pub const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            scope: $scope,
            shows: Shows::$shows,
        }),*];

        /// Makes the application answer them.
        pub fn configure(config: &mut ServiceConfig) {
            $(config.route($path, routes!(@method $method).to($handler));)*
        }
    };
    (@method GET) => { actix_web::web::get() };
    (@method POST) => { actix_web::web::post() };
    (@method PUT) => { actix_web::web::put() };
    (@method PATCH) => { actix_web::web::patch() };
    (@method DELETE) => { actix_web::web::delete() };
}

routes! {
    GET "/healthz" "none" Nothing => health::alive;
    GET "/readyz" "none" Nothing => health::ready;
    GET "/problems/{code}" "none" Nothing => health::problem;
    GET "/setup" "none" Nothing => setup::page;
    POST "/setup" "none" Nothing => setup::submit;
    GET "/invite" "none" Nothing => invite::page;
    POST "/invite" "none" Nothing => invite::accept;
    POST "/invite/join" "session" Nothing => invite::join;
    GET "/static/{file}" "none" Nothing => assets::get;
    GET "/sign-in" "none" Nothing => sign_in::page;
    POST "/sign-in" "none" Nothing => sign_in::submit;
    GET "/acting" "session" Nothing => acting::page;
    POST "/acting" "session" Nothing => acting::choose;
    GET "/account" "session" Nothing => account::page;
    POST "/account/sessions" "session" Nothing => account::end_session;
    POST "/account/password" "session" Nothing => account::change_password;
    POST "/account/codes" "session" Nothing => codes::begin;
    POST "/account/codes/confirm" "session" Nothing => codes::confirm;
    POST "/account/codes/off" "session" Nothing => codes::turn_off;
    GET "/commons" "session" Nothing => commons::page;
    POST "/sign-out" "session" Nothing => sign_in::sign_out;

    POST "/oauth/token" "none" Nothing => oauth::token;
    POST "/oauth/revoke" "none" Nothing => oauth::revoke;
    POST "/oauth/introspect" "none" Nothing => oauth::introspect;
    POST "/oauth/device_authorization" "none" Nothing => oauth::begin_device;
    GET "/oauth/authorize" "none" Nothing => authorize::page;
    POST "/oauth/authorize" "session" Nothing => authorize::decide;
    GET "/device" "session" Nothing => device::page;
    POST "/device" "session" Nothing => device::decide;
    GET "/.well-known/oauth-authorization-server" "none" Nothing => oauth::server_metadata;
    GET "/.well-known/oauth-protected-resource" "none" Nothing => oauth::resource_metadata;
    POST "/api/v1/sessions" "none" Nothing => sessions::create;
    GET "/api/v1/sessions" "any" Nothing => sessions::list;
    DELETE "/api/v1/sessions/current" "any" Nothing => sessions::delete;
    DELETE "/api/v1/sessions/{id}" "any" Nothing => sessions::end;

    GET "/api/v1/people" "people:manage" Own => people::list;
    PUT "/api/v1/people/{id}/roles" "people:manage" Own => people::put_roles;
    DELETE "/api/v1/people/{id}" "people:manage" Own => people::remove;
    GET "/api/v1/invites" "people:manage" Own => people::invites;
    POST "/api/v1/invites" "people:manage" Own => people::invite;
    DELETE "/api/v1/invites/{id}" "people:manage" Own => people::revoke_invite;

    GET "/api/v1/clients" "clients:manage" Own => clients::list;
    POST "/api/v1/clients" "clients:manage" Own => clients::create;
    POST "/api/v1/clients/{id}/secret" "clients:manage" Own => clients::exchange;
    DELETE "/api/v1/clients/{id}" "clients:manage" Own => clients::revoke;
    GET "/api/v1/consents" "any" Own => consents::list;
    DELETE "/api/v1/consents/{id}" "any" Own => consents::withdraw;

    GET "/api/v1/schemas" "none" Nothing => catalogue::schemas;
    GET "/api/v1/schemas/{name}" "none" Nothing => catalogue::schema;
    GET "/api/v1/catalogue" "agreements:read" Nothing => catalogue::list;
    GET "/api/v1/catalogue/{dataset}" "agreements:read" Nothing => catalogue::one;

    GET "/api/v1/datasets" "datasets:read" Own => datasets::list;
    POST "/api/v1/datasets" "datasets:write" Own => datasets::create;
    GET "/api/v1/datasets/{id}/records" "datasets:read" Own => datasets::records;
    POST "/api/v1/datasets/{id}/records" "datasets:write" Own => records::create;
    GET "/api/v1/datasets/{id}/records/{record}" "datasets:read" Own => records::get;
    PATCH "/api/v1/datasets/{id}/records/{record}" "datasets:write" Own => records::change;
    DELETE "/api/v1/datasets/{id}/records/{record}" "datasets:write" Own => records::remove;
    GET "/api/v1/datasets/{id}/schema" "datasets:read" Own => datasets::schema;
    PUT "/api/v1/datasets/{id}/schema" "datasets:write" Own => datasets::move_schema;
    POST "/api/v1/datasets/{id}/imports" "imports:write" Own => upload::upload;
    GET "/api/v1/datasets/{id}/imports" "imports:write" Own => watching::list;
    GET "/api/v1/imports/{id}" "imports:write" Own => imports::get;
    GET "/api/v1/imports/{id}/events" "imports:write" Own => watching::events;
    PUT "/api/v1/imports/{id}/reading" "imports:write" Own => readings::reread;
    GET "/api/v1/imports/{id}/rows" "imports:write" Own => readings::rows;
    PUT "/api/v1/imports/{id}/matching" "imports:write" Own => fixes::rematch;
    POST "/api/v1/imports/{id}/fixes" "imports:write" Own => fixes::fix;
    GET "/api/v1/imports/{id}/problems" "imports:write" Own => imports::problems;
    GET "/api/v1/imports/{id}/problems/groups" "imports:write" Own => imports::problem_groups;
    GET "/api/v1/imports/{id}/marked" "imports:write" Own => marked::get;
    GET "/api/v1/imports/{id}/diff" "imports:write" Own => diff::diff;
    POST "/api/v1/imports/{id}/commit" "imports:write" Own => imports::commit;
    GET "/api/v1/imports/{id}/undo" "imports:write" Own => undo::foresee;
    POST "/api/v1/imports/{id}/undo" "imports:write" Own => undo::undo;
    POST "/api/v1/imports/{id}/cancel" "imports:write" Own => watching::cancel;

    GET "/api/v1/agreements" "agreements:read" Own => agreements::list;
    POST "/api/v1/agreements" "agreements:propose" Own => agreements::propose;
    GET "/api/v1/agreements/{id}" "agreements:read" Own => agreements::get;
    POST "/api/v1/agreements/{id}/versions" "agreements:propose" Own => agreements::version;
    GET "/api/v1/agreements/{id}/versions/{version}/preview" "agreements:read" Own => agreements::preview;
    GET "/api/v1/agreements/{id}/versions/{version}/words" "agreements:read" Own => wording::words;
    GET "/api/v1/agreements/{id}/versions/{version}/difference" "agreements:read" Own => wording::difference;
    POST "/api/v1/agreements/{id}/{event}" "agreements:approve" Own => agreements::decide;

    GET "/api/v1/approval-rules" "agreements:read" Own => approval_rules::get;
    PUT "/api/v1/approval-rules" "agreements:approve" Own => approval_rules::put;

    GET "/api/v1/organization/archive" "datasets:read" Own => archive::archive;
    POST "/api/v1/organization/leave" "agreements:approve" Own => leaving::leave;

    GET "/api/v1/disclosures" "ledger:read" Own => disclosures::list;
    GET "/api/v1/disclosures/{id}" "ledger:read" Own => disclosures::get;

    GET "/api/v1/records/{id}/disclosures" "ledger:read" Own => disclosures::of_record;
    GET "/api/v1/agreements/{id}/usage" "ledger:read" Own => usage::get;
    GET "/api/v1/explain" "agreements:read" Own => explain::get;

    GET "/api/v1/records/{id}/subject-report" "ledger:read" Own => subjects::report;
    POST "/api/v1/records/{id}/erase" "agreements:approve" Own => subjects::erase;
    GET "/api/v1/erasures" "ledger:read" Own => subjects::list;
    GET "/api/v1/erasures/{id}" "ledger:read" Own => subjects::get;
    POST "/api/v1/erasures/{id}/lift" "agreements:approve" Own => subjects::lift;

    GET "/api/v1/changes" "collection" Shares => changes::list;
    POST "/api/v1/changes/ack" "any" Nothing => changes::acknowledge;
    GET "/api/v1/{collection}" "collection" Shares => shared::list;
    GET "/api/v1/{collection}/{id}" "collection" Shares => shared::get;
}

/// The route that answers this, before anything else that its path could be.
#[must_use]
pub fn at(method: &Method, path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.method == method.as_str() && ResourceDef::new(route.path).is_match(path))
}

/// Whether another method than `method` is answered at this path.
#[must_use]
pub fn has_other_method(method: &Method, path: &str) -> bool {
    ROUTES.iter().any(|route| route.method != method.as_str() && ResourceDef::new(route.path).is_match(path))
}
