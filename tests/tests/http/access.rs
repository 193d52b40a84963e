//! Who may ask for what: every route for every kind of caller, against `access.table`.
//!
//! `HAYWARD_WRITE_ACCESS=1` writes the table anew; whoever does reads the difference.

use std::collections::BTreeMap;
use std::fmt::Write;

use hayward::routes::{ROUTES, Route};
use hayward_tests::on_both;
use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::founding::PASSWORD;
use crate::world::Persona::{Editor, PartnerClient, Steward, ThirdClient, ThirdOwner};
use crate::world::{Persona, World};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/access.table");

/// What stands for the names in a path.
pub struct Ids<'a> {
    dataset: &'a str,
    import: &'a str,
    agreement: &'a str,
    disclosure: String,
    record: String,
    /// A record by the id of its owner's list.
    own: String,
    /// A record of `dataset`, by its id there.
    listed: String,
    erasure: String,
}

impl<'a> Ids<'a> {
    /// One id wherever an id is asked for, whatever kind of thing it names.
    pub fn all(id: &'a str) -> Self {
        Self {
            dataset: id,
            import: id,
            agreement: id,
            disclosure: id.to_owned(),
            record: id.to_owned(),
            own: id.to_owned(),
            listed: id.to_owned(),
            erasure: id.to_owned(),
        }
    }

    /// What stands for a record.
    pub fn record(&self) -> &str {
        &self.record
    }

    fn path(&self, route: &Route) -> String {
        let id = match route.path {
            path if path.starts_with("/api/v1/datasets/") => self.dataset,
            path if path.starts_with("/api/v1/imports/") => self.import,
            path if path.starts_with("/api/v1/agreements/") => self.agreement,
            path if path.starts_with("/api/v1/disclosures/") => &self.disclosure,
            path if path.starts_with("/api/v1/records/") => &self.own,
            path if path.starts_with("/api/v1/erasures/") => &self.erasure,
            _ => &self.record,
        };
        let named = [
            ("{id}", id),
            ("{record}", &self.listed),
            ("{dataset}", self.dataset),
            ("{version}", "1"),
            ("{event}", "approve"),
            ("{collection}", "opportunities"),
            ("{name}", "opportunity"),
            ("{code}", "not-found"),
            ("{file}", "house.css"),
        ];
        let path = named.into_iter().fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value));
        // What is asked about stands in the query there.
        if route.path == "/api/v1/explain" { format!("{path}?agreement={}", self.agreement) } else { path }
    }
}

/// A request that a caller who may make it can make many times.
pub fn request(world: &World, who: Persona, route: &Route, ids: &Ids<'_>) -> RequestBuilder {
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let request = world.request(who, method, &ids.path(route));
    match (route.method, route.path) {
        ("GET" | "DELETE", _) => request,
        ("POST", "/oauth/token" | "/oauth/revoke" | "/oauth/introspect" | "/oauth/device_authorization") => {
            request.body("grant_type=client_credentials")
        }
        // Without the token of a form that was shown, nobody gets further.
        (
            "POST",
            "/setup" | "/invite" | "/invite/join" | "/sign-in" | "/sign-out" | "/acting" | "/oauth/authorize" | "/device",
        ) => request.form(&[("next", "/")]),
        ("POST", path) if path.starts_with("/account/") => request.form(&[("next", "/")]),
        ("PUT", "/api/v1/people/{id}/roles") => request.json(&json!({"roles": ["viewer"]})),
        ("POST", "/api/v1/invites") => request.json(&json!({"email": "guest@people.example", "roles": ["viewer"]})),
        // Nothing is in it, so that nothing is made.
        ("POST", "/api/v1/datasets/{id}/records") => request.json(&json!({})),
        ("PATCH", "/api/v1/datasets/{id}/records/{record}") => {
            request.header("Content-Type", "application/merge-patch+json").header("If-Match", "*").body("{}")
        }
        ("POST", "/api/v1/sessions") => request.json(&json!({"email": "steward@people.example", "password": PASSWORD})),
        // Everybody names a scope that nobody may give away: no table of programs grows by this.
        ("POST", "/api/v1/clients") => request.json(&json!({"name": "Another", "scope": "agreements:approve"})),
        ("POST", "/api/v1/clients/{id}/secret") => request.json(&json!({})),
        ("POST", "/api/v1/datasets") => request.json(&json!({"schema": "opportunity", "name": "Another"})),
        ("POST", "/api/v1/datasets/{id}/imports") => request.header("Content-Type", "text/csv").body("reference,title\nX,Y\n"),
        ("PUT", "/api/v1/imports/{id}/matching") => request.json(&json!({"columns": []})),
        ("PUT", "/api/v1/imports/{id}/reading") => request.json(&json!({})),
        ("POST", "/api/v1/imports/{id}/fixes") => request.json(&json!({"fixes": []})),
        ("POST", "/api/v1/imports/{id}/cancel") => request.json(&json!({})),
        ("POST", "/api/v1/imports/{id}/commit" | "/api/v1/imports/{id}/undo") => request.json(&json!({})),
        // Without a name it goes no further than to be understood.
        ("POST", "/api/v1/organization/leave") => request.json(&json!({"organization": "", "reason": "x"})),
        ("POST", "/api/v1/agreements") => request.json(&world.terms(world.id("unshared"), json!({"title": "exact"}))),
        ("POST", "/api/v1/agreements/{id}/versions") => {
            request.json(&json!({"terms": world.terms(world.id("jobs"), json!({"title": "exact"})), "from": 99}))
        }
        ("PUT", "/api/v1/datasets/{id}/schema") => request.json(&json!({"version": 1})),
        ("PUT", "/api/v1/approval-rules") => request.json(&json!({})),
        // A record is erased once, and lifting is done once: who may is told what is missing.
        ("POST", "/api/v1/records/{id}/erase" | "/api/v1/erasures/{id}/lift") => request.json(&json!({"reason": " "})),
        ("POST", "/api/v1/changes/ack") => request.json(&json!({"cursor": "abc"})),
        ("POST", "/api/v1/agreements/{id}/{event}") => request.json(&json!({"version": 1})),
        (method, path) => panic!("{method} {path} has no request here: every route must have one"),
    }
}

/// The callers of one route by what they are answered.
fn row(world: &World, route: &Route, ids: &Ids<'_>) -> String {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for who in Persona::ALL {
        by_status.entry(Answer::to(request(world, who, route, ids)).status).or_default().push(who.name());
    }
    let shows = serde_json::to_value(route.shows).unwrap();
    let mut row = format!("{} {}  needs {}, shows {}\n", route.method, route.path, route.scope, shows.as_str().unwrap());
    for (status, who) in by_status {
        writeln!(row, "    {status}  {}", who.join(" ")).unwrap();
    }
    row
}

/// A record of a list of `who`'s own.
fn first(world: &World, who: Persona, dataset: &str) -> String {
    world.get(who, &format!("/api/v1/datasets/{dataset}/records?limit=1")).items()[0]["id"].as_str().unwrap().to_owned()
}

/// An erasure from a list of `who`'s own.
fn erased(world: &World, who: Persona, dataset: &str) -> String {
    let path = format!("/api/v1/records/{}/erase", first(world, who, dataset));
    world.post(who, &path, &json!({"reason": "asked by letter"})).ok()["id"].as_str().unwrap().to_owned()
}

pub fn own_ids(world: &World) -> Ids<'_> {
    let listed = world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={}", world.id("agreement"))).expect(200);
    Ids {
        dataset: world.id("jobs"),
        import: world.id("jobs-draft"),
        agreement: world.id("agreement"),
        disclosure: listed.header("disclosure-id").to_owned(),
        record: listed.items()[0]["id"].as_str().unwrap().to_owned(),
        erasure: erased(world, Steward, world.id("unshared")),
        own: first(world, Steward, world.id("unshared")),
        listed: first(world, Steward, world.id("jobs")),
    }
}

/// Things of others: a list of the third's, its agreement with the fourth, what it disclosed to the partner, and a row that only
/// it sees.
fn foreign_ids(world: &World) -> Ids<'_> {
    let theirs = world.get(PartnerClient, "/api/v1/opportunities?audience=members").expect(200);
    let hidden =
        world.get(ThirdClient, &format!("/api/v1/opportunities?agreement={}&title[prefix]=Hidden", world.id("third-agreement")));
    Ids {
        dataset: world.id("third-jobs"),
        import: world.id("third-jobs-import"),
        agreement: world.id("foreign-agreement"),
        disclosure: theirs.header("disclosure-id").to_owned(),
        record: hidden.items()[0]["id"].as_str().unwrap().to_owned(),
        erasure: erased(world, ThirdOwner, world.id("third-jobs")),
        own: first(world, ThirdOwner, world.id("third-jobs")),
        listed: first(world, ThirdOwner, world.id("third-jobs")),
    }
}

/// Ids of the right form that nothing has.
pub fn no_ids(like: &Ids<'_>) -> Ids<'static> {
    let twisted = |id: &str| {
        let (prefix, rest) = id.split_once('_').unwrap();
        let rest: String = rest.chars().map(|letter| if letter == 'a' { 'b' } else { 'a' }).collect();
        format!("{prefix}_{rest}")
    };
    let leaked = |id: &str| &*Box::leak(twisted(id).into_boxed_str());
    Ids {
        dataset: leaked(like.dataset),
        import: leaked(like.import),
        agreement: leaked(like.agreement),
        disclosure: twisted(&like.disclosure),
        record: twisted(&like.record),
        own: twisted(&like.own),
        listed: twisted(&like.listed),
        erasure: twisted(&like.erasure),
    }
}

on_both! {
    fn every_route_answers_every_caller_as_the_table_says(world: World) {
        let ids = own_ids(&world);
        // Signing out comes last: it takes the callers' tokens away.
        let (last, others): (Vec<&Route>, Vec<&Route>) = ROUTES.iter().partition(|route| route.path == "/api/v1/sessions/current");
        let rows: Vec<String> = others.iter().chain(&last).map(|route| row(&world, route, &ids)).collect();
        let table = rows.join("\n");
        if std::env::var_os("HAYWARD_WRITE_ACCESS").is_some() {
            std::fs::write(TABLE, &table).unwrap();
        }
        let kept = std::fs::read_to_string(TABLE).unwrap();
        for (is, was) in table.split("\n\n").zip(kept.split("\n\n")) {
            assert_eq!(is.trim(), was.trim());
        }
        assert_eq!(table, kept);
    }
}

on_both! {
    fn what_is_somebody_elses_is_answered_like_what_does_not_exist(world: World) {
        let foreign = foreign_ids(&world);
        let nothing = no_ids(&foreign);
        let with_ids = ROUTES.iter().filter(|route| route.path.contains("{id}"));
        for route in with_ids {
            let who = match route.scope {
                "datasets:read" | "datasets:write" | "imports:write" => Editor,
                "collection" => PartnerClient,
                "people:manage" | "clients:manage" => ThirdOwner,
                _ => Steward,
            };
            let ask = |ids: &Ids<'_>| {
                let mut answer = Answer::to(request(&world, who, route, ids));
                let own = std::mem::take(&mut answer.headers).remove("x-request-id").unwrap();
                (answer.status, answer.text().replace(&own, "req"))
            };
            let (theirs, none) = (ask(&foreign), ask(&nothing));
            assert_eq!(theirs.0, 404, "{} {}", route.method, route.path);
            assert_eq!(theirs, none, "{} {}", route.method, route.path);
            let problem: Value = serde_json::from_str(&theirs.1).unwrap();
            assert_eq!(problem["type"], "/problems/not-found");
        }
    }
}
