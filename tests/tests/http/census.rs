//! The server's own table of routes: nothing in it is undeclared, and what it declares is so.

use hayward::routes::{ROUTES, Route, Shows};
use hayward_domain::scope::Scope;
use hayward_tests::census::RECIPIENT_ROUTES;
use hayward_tests::on_both;
use reqwest::Method;

use crate::answer::Answer;
use crate::world::Persona::{EmptyClient, Nobody};
use crate::world::{Persona, World};

fn concrete(route: &Route) -> String {
    let names = [
        ("{collection}", "opportunities"),
        ("{id}", "x"),
        ("{record}", "x"),
        ("{dataset}", "x"),
        ("{version}", "1"),
        ("{event}", "approve"),
        ("{name}", "x"),
        ("{code}", "x"),
        ("{file}", "x"),
    ];
    names.into_iter().fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value))
}

fn ask(world: &World, who: Persona, route: &Route) -> Answer {
    Answer::to(world.request(who, Method::from_bytes(route.method.as_bytes()).unwrap(), &concrete(route)))
}

#[test]
fn every_route_that_shows_others_data_is_walked_by_the_proofs() {
    let showing: Vec<&str> = ROUTES.iter().filter(|route| route.shows == Shows::Shares).map(|route| route.path).collect();
    assert_eq!(showing, RECIPIENT_ROUTES);
}

#[test]
fn every_route_declares_a_scope_that_there_is() {
    for route in ROUTES {
        let known = matches!(route.scope, "none" | "any" | "collection" | "session") || Scope::parse(route.scope).is_some();
        assert!(known, "{} {} needs `{}`", route.method, route.path, route.scope);
        let open = route.scope == "none";
        assert!(!open || route.shows == Shows::Nothing, "{} {} shows data to whoever asks", route.method, route.path);
    }
}

#[test]
fn no_route_stands_twice() {
    let mut all: Vec<(&str, &str)> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}

on_both! {
    fn a_route_asks_for_the_scope_that_it_declares(world: World) {
        for route in ROUTES {
            match route.scope {
                "none" => continue,
                "session" => {
                    // No token makes a visitor.
                    for who in [Nobody, EmptyClient, Persona::Steward, Persona::Operator] {
                        let answer = ask(&world, who, route).expect(303);
                        let location = answer.header("location");
                        assert!(location.starts_with("/sign-in"), "{} {}: {location}", route.method, route.path);
                    }
                    continue;
                }
                "any" => ask(&world, Nobody, route).problem(401, "unauthenticated"),
                "collection" => ask(&world, EmptyClient, route).problem(403, "insufficient-scope"),
                scope => {
                    ask(&world, Nobody, route).problem(401, "unauthenticated");
                    let answer = ask(&world, EmptyClient, route);
                    answer.problem(403, "insufficient-scope");
                    assert!(
                        answer.header("www-authenticate").contains(&format!("scope=\"{scope}\"")),
                        "{} {}",
                        route.method,
                        route.path
                    );
                    continue;
                }
            };
        }
    }
}
