//! `routes`: every route says what it needs and whose data it shows, and asks for what it says.

use hayward_domain::scope::Scope;
use reqwest::Method;

use super::Found;
use super::world::{World, text};
use crate::routes::{ROUTES, Route, Shows};

/// The one scope of the token that tries every route.
const HELD: &str = "directory:read";

pub(super) fn check(world: &World) -> Found {
    let narrow = narrow(world)?;
    for route in ROUTES {
        let known = matches!(route.scope, "none" | "any" | "collection" | "session") || Scope::parse(route.scope).is_some();
        // Whoever has no scope, or none but a browser's, is shown nobody's data.
        if !known || matches!(route.scope, "none" | "session") && route.shows != Shows::Nothing {
            return Err(format!(
                "{} {} needs `{}`, which is no scope that guards what it shows",
                route.method, route.path, route.scope
            ));
        }
        let (nobody, holder) = (ask(world, route, None)?, ask(world, route, Some(&narrow))?);
        let (as_nobody, as_holder) = match route.scope {
            "none" => continue,
            // Public shares need no token. A token is looked at where there is one.
            "collection" => (nobody != 401, if route.path == "/api/v1/changes" { holder == 200 } else { holder == 403 }),
            "any" => (nobody == 401, true),
            // A page: who is not signed in there is sent to sign in, and a token is nothing to it.
            "session" => (matches!(nobody, 303 | 403), holder == nobody),
            _ => (nobody == 401, holder == 403),
        };
        if !as_nobody {
            return Err(format!("{} {} was answered {nobody} to somebody without a token", route.method, route.path));
        }
        if !as_holder {
            return Err(format!("{} {} was answered {holder} to a token with `{HELD}` alone", route.method, route.path));
        }
    }
    Ok(format!("{} routes, each with a scope and a class of data, ask for what they declare", ROUTES.len()))
}

/// A token that may read organizations and nothing else: of a program that may do more.
fn narrow(world: &World) -> Result<String, String> {
    let clients = world.organizations.iter().flat_map(|organization| &organization.clients);
    let mut able = clients.filter(|client| client.scopes.len() > 1 && client.scopes.iter().any(|scope| scope == HELD));
    let client = able.next().ok_or("no program may read organizations")?;
    let form = format!("grant_type=client_credentials&scope={HELD}");
    let sent = |request: reqwest::blocking::RequestBuilder| {
        let request = request.basic_auth(&client.client_id, Some(&client.client_secret));
        request.header("Content-Type", "application/x-www-form-urlencoded").body(form)
    };
    let told = world.send(Method::POST, "/oauth/token", None, sent)?.json("a request for a token")?;
    Ok(text(&told, "access_token").to_owned())
}

/// The status of a request that leads to nothing in particular.
fn ask(world: &World, route: &Route, token: Option<&str>) -> Result<u16, String> {
    let names = [
        ("{collection}", "memberships"),
        ("{version}", "1"),
        ("{event}", "approve"),
        ("{id}", "x"),
        ("{record}", "x"),
        ("{dataset}", "x"),
        ("{name}", "x"),
        ("{code}", "x"),
    ];
    let path = names.into_iter().fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value));
    // Signing out would take the token away that the others are tried with.
    if (route.method, route.path) == ("DELETE", "/api/v1/sessions/current") && token.is_some() {
        return Ok(204);
    }
    let method = Method::from_bytes(route.method.as_bytes()).map_err(|error| error.to_string())?;
    Ok(world.send(method, &path, token, |request| request)?.status)
}
