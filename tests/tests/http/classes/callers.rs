//! Who calls: every way to show a credential, every scope by itself, and every id of somebody else.

use std::time::Duration;

use hayward::auth::secret;
use hayward::routes::{ROUTES, Route};
use hayward_domain::id::ClientId;
use hayward_domain::scope::Scopes;
use hayward_store::{NewClient, NewToken};
use hayward_tests::on_both;
use hayward_tests::server::START;
use reqwest::Method;

use crate::access::{Ids, no_ids, own_ids, request};
use crate::answer::Answer;
use crate::founding::{CLIENT_SECRET, PASSWORD};
use crate::world::Persona::{Editor, Nobody, PartnerClient, PartnerSteward, Steward, ThirdClient, ThirdOwner};
use crate::world::{Persona, World};

on_both! {
    /// Class 44: there is one way to show a token, and whatever looks like another opens nothing and is never taken for nobody.
    fn no_other_credential_opens_a_route(world: World) {
        let ids = own_ids(&world);
        let client = world.id("partner-client");
        let token = PartnerClient.token().unwrap();
        let forms: Vec<String> = [
            format!("Token {token}"),
            format!("Digest {token}"),
            format!("Bearer{token}"),
            token.clone(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer {CLIENT_SECRET}"),
            format!("Bearer {client}"),
            format!("Bearer {}", secret::hash(&token)),
            format!("Bearer {token},{token}"),
            format!("Bearer {token}x"),
            format!("Bearer {}", token.to_uppercase()),
        ]
        .into();
        for route in ROUTES.iter().filter(|route| route.scope == "session") {
            // A page looks at no token, and sends who is not signed in to sign in.
            for form in forms.iter().chain([&format!("Bearer {token}")]) {
                let answer = Answer::to(request(&world, Nobody, route, &ids).header("Authorization", form));
                assert!(matches!(answer.status, 303 | 403), "{} {}: {}", route.method, route.path, answer.status);
            }
        }
        for route in ROUTES.iter().filter(|route| !matches!(route.scope, "none" | "session")) {
            for form in &forms {
                let answer = Answer::to(request(&world, Nobody, route, &ids).header("Authorization", form));
                answer.problem(401, "unauthenticated");
            }
            for (name, password) in [(client, CLIENT_SECRET), (&token, ""), ("steward@people.example", PASSWORD)] {
                let basic = request(&world, Nobody, route, &ids).basic_auth(name, Some(password));
                Answer::to(basic).problem(401, "unauthenticated");
            }
            let both = request(&world, PartnerClient, route, &ids).header("Authorization", format!("Bearer {token}"));
            Answer::to(both).problem(401, "unauthenticated");
            let cookie = Answer::to(request(&world, Nobody, route, &ids).header("Cookie", format!("token={token}; session={token}")));
            let open = route.scope == "collection";
            assert!(cookie.status == 401 || open && matches!(cookie.status, 200 | 404), "{} {}: {}", route.method, route.path, cookie.status);
        }
        let query = world.get(Nobody, &format!("/api/v1/opportunities?access_token={token}"));
        query.problem(400, "unknown-parameter");
    }
}

/// A program of the provider's whose token has these scopes and no other.
fn program(world: &World, at: u8, scopes: &str) -> String {
    let store = world.server.store();
    let organization = store.organization(world.id("provider")).unwrap().number;
    let (id, scopes) = (ClientId::from_random([at; 15]), Scopes::parse(scopes).unwrap());
    let token = format!("hwt_with-one-scope-{at}");
    store
        .add_client(&NewClient {
            id: id.clone(),
            organization,
            name: format!("One scope {at}"),
            secret_hash: "none".to_owned(),
            scopes: scopes.clone(),
        })
        .unwrap();
    let expires_at = START.plus(Duration::from_secs(86_400));
    store
        .add_token(&NewToken { hash: secret::hash(&token), organization, person: None, client: Some(id), scopes, expires_at })
        .unwrap();
    token
}

const SCOPES: [&str; 10] = [
    "directory:read",
    "opportunities:read",
    "memberships:read",
    "measurements:read",
    "datasets:read",
    "datasets:write",
    "imports:write",
    "agreements:read",
    "agreements:propose",
    "ledger:read",
];

on_both! {
    /// Class 44: a token opens the routes of its one scope and no others; a route asks for its own scope whatever else a token has.
    fn a_scope_opens_its_own_routes_and_no_others(world: World) {
        let ids = own_ids(&world);
        for (at, scope) in (1..).zip(SCOPES) {
            let alone = program(&world, at, scope);
            let others: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
            let without = program(&world, 100 + at, &others.join(" "));
            for route in ROUTES.iter().filter(|route| !matches!(route.scope, "none" | "any" | "session")) {
                let ask = |token: &str| Answer::to(request(&world, Nobody, route, &ids).bearer_auth(token)).status;
                // The requests of the access table are about opportunities; the feed shows whatever a token may read.
                let feed = route.path == "/api/v1/changes" && scope.ends_with(":read") && !matches!(scope, "datasets:read" | "agreements:read" | "ledger:read");
                let own = route.scope == scope || feed || route.scope == "collection" && scope == "opportunities:read" && route.path != "/api/v1/changes";
                assert_eq!(ask(&alone) != 403, own && !also_needs(route), "{} {} with `{scope}` alone", route.method, route.path);
                if route.scope == scope {
                    assert_eq!(ask(&without), 403, "{} {} with everything but `{scope}`", route.method, route.path);
                }
            }
        }
    }
}

/// A preview shows rows of one's own list, an archive has everything of one's own, a report everything about somebody: they ask for
/// more than one scope.
fn also_needs(route: &Route) -> bool {
    ["/preview", "/archive", "/subject-report"].iter().any(|end| route.path.ends_with(end))
}

/// Ids of things that are none of `who`'s business: of every kind, and of at least two other co-ops.
fn foreign(world: &World, who: Persona) -> Vec<String> {
    let disclosed = |who: Persona, agreement: &str| {
        let address = format!("/api/v1/opportunities?agreement={}", world.id(agreement));
        let answer = world.get(who, &address).expect(200);
        (answer.header("disclosure-id").to_owned(), answer.items()[0]["id"].as_str().unwrap().to_owned())
    };
    let (to_third, _) = disclosed(ThirdClient, "third-agreement");
    let (of_third, _) = disclosed(PartnerClient, "members-agreement");
    let (to_partner, shared) = disclosed(PartnerClient, "agreement");
    let named = |names: &[&str]| names.iter().map(|name| world.id(name).to_owned()).collect::<Vec<_>>();
    match who {
        Steward | Editor => {
            let mut all = named(&["third-jobs", "third-jobs-import", "foreign-agreement", "third", "partner", "third-client"]);
            all.push(of_third);
            // What the third shows to all is read by its collection; the rest is nobody's business here.
            let list = format!("/api/v1/datasets/{}/records?limit=1000", world.id("third-jobs"));
            let theirs = world.get(ThirdOwner, &list).items().into_iter().map(|record| record["id"].as_str().unwrap().to_owned());
            let open = |id: &String| world.get(who, &format!("/api/v1/opportunities/{id}")).status == 200;
            all.extend(theirs.filter(|id| !open(id)).take(2));
            all
        }
        PartnerSteward => {
            let mut all = named(&["jobs", "people", "unshared", "third-jobs", "jobs-import", "jobs-draft", "third-jobs-import"]);
            all.extend(named(&["third-agreement", "foreign-agreement", "provider", "third"]));
            all.push(to_third);
            all
        }
        _ => {
            let mut all =
                named(&["jobs", "unshared", "jobs-import", "jobs-draft", "agreement", "people-agreement", "suspended-agreement"]);
            all.extend(named(&["provider", "partner", "partner-client"]));
            all.extend([to_partner, shared]);
            all
        }
    }
}

on_both! {
    /// Class 45: every route that takes an id answers any id of somebody else's like one that nothing has, whatever kind of thing it names.
    fn any_id_of_another_co_op_is_no_id_on_any_route(world: World) {
        for who in [Steward, Editor, PartnerSteward, ThirdOwner] {
            for id in foreign(&world, who) {
                let (theirs, nothing) = (Ids::all(&id), no_ids(&Ids::all(&id)));
                for route in ROUTES.iter().filter(|route| route.path.contains("{id}") && route.scope != "none") {
                    let ask = |ids: &Ids<'_>, id: &str| {
                        let mut answer = Answer::to(request(&world, who, route, ids));
                        let own = std::mem::take(&mut answer.headers).remove("x-request-id").unwrap();
                        (answer.status, answer.text().replace(&own, "req").replace(id, "ID"))
                    };
                    // A record that another share shows to this caller is theirs to read.
                    if route.scope == "collection" && world.get(who, &format!("/api/v1/opportunities/{id}")).status == 200 {
                        continue;
                    }
                    let (told, none) = (ask(&theirs, &id), ask(&nothing, nothing.record()));
                    assert_eq!(told, none, "{who:?} {} {} {id}", route.method, route.path);
                    assert!(matches!(told.0, 403 | 404), "{who:?} {} {} {id}: {}", route.method, route.path, told.1);
                }
            }
        }
        // And without a token there is no third answer.
        let route = ROUTES.iter().find(|route| route.path == "/api/v1/agreements/{id}").unwrap();
        assert_eq!(Answer::to(world.request(Nobody, Method::GET, &route.path.replace("{id}", world.id("agreement")))).status, 401);
    }
}
