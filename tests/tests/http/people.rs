//! People of a member co-op: what they have open, what its owners may say about them, and what an operator is not shown.

use hayward::routes::{ROUTES, Shows};
use hayward_domain::scope::Role;
use hayward_tests::browser::Browser;
use hayward_tests::on_both;
use reqwest::Method;
use serde_json::{Value, json};

use crate::access::{own_ids, request};
use crate::answer::Answer;
use crate::founding::PASSWORD;
use crate::world::Persona::{Nobody, Operator, PartnerClient, ThirdOwner};
use crate::world::World;

const STEWARD: &str = "steward@people.example";

fn signed_in(world: &World, email: &str) -> Browser {
    let browser = Browser::new(&world.server.url);
    let _shown = browser.sign_in(email, PASSWORD).expect(303);
    browser
}

fn token(world: &World, email: &str, password: &str) -> (String, String) {
    let body = json!({"email": email, "password": password});
    let session = world.post(Nobody, "/api/v1/sessions", &body).expect(201).json();
    (session["access_token"].as_str().unwrap().to_owned(), session["session"].as_str().unwrap().to_owned())
}

fn sessions(world: &World, token: &str) -> Vec<Value> {
    Answer::from(world.server.get("/api/v1/sessions", Some(token))).items()
}

on_both! {
    fn a_person_sees_what_they_have_open_and_ends_it(world: World) {
        let browser = signed_in(&world, STEWARD);
        let (here, here_id) = token(&world, STEWARD, PASSWORD);
        let (there, there_id) = token(&world, STEWARD, PASSWORD);
        let other = token(&world, "editor@people.example", PASSWORD);
        let listed = sessions(&world, &here);
        assert_eq!(listed.len(), 3, "{listed:?}");
        let kinds: Vec<&str> = listed.iter().map(|one| one["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "token").count(), 2);
        for one in &listed {
            let text = one.to_string();
            assert!(!text.contains("127.0.0.1") && !text.contains(&here) && !text.contains(&there), "{text}");
            assert_eq!(one["used_at"], "2026-11-22T12:00:00.000000Z");
        }
        let end = |id: &str| Answer::to(world.server.request(Method::DELETE, &format!("/api/v1/sessions/{id}"), Some(&here)));
        end(&other.1).problem(404, "not-found");
        end("ses_x").problem(404, "not-found");
        end(&there_id).expect(204);
        end(&there_id).problem(404, "not-found");
        Answer::from(world.server.get("/api/v1/agreements", Some(&there))).problem(401, "unauthenticated");
        let page = listed.iter().find(|one| one["kind"] == "browser").unwrap()["id"].as_str().unwrap();
        end(page).expect(204);
        assert_eq!(browser.get("/account").status, 303);
        // From a browser, the other way round.
        let browser = signed_in(&world, STEWARD);
        let account = browser.get("/account").expect(200);
        assert_eq!(browser.post_from(&account, "/account/sessions", &[("id", &other.1)]).status, 404);
        assert_eq!(browser.post_from(&account, "/account/sessions", &[("id", &here_id)]).status, 303);
        Answer::from(world.server.get("/api/v1/agreements", Some(&here))).problem(401, "unauthenticated");
        Answer::from(world.server.get("/api/v1/datasets", Some(&other.0))).expect(200);
        world.get(PartnerClient, "/api/v1/sessions").problem(409, "people-only");
    }
}

on_both! {
    fn another_password_ends_everything_else(world: World) {
        let (browser, elsewhere) = (signed_in(&world, STEWARD), signed_in(&world, STEWARD));
        let (token, _) = token(&world, STEWARD, PASSWORD);
        let account = browser.get("/account").expect(200);
        let change = |current: &str, chosen: &str| {
            browser.post_from(&account, "/account/password", &[("current", current), ("chosen", chosen)]).status
        };
        assert_eq!(change("not the password", "another long password"), 400);
        assert_eq!(change(PASSWORD, "short"), 400);
        assert_eq!(elsewhere.get("/account").status, 200);
        assert_eq!(change(PASSWORD, "another long password"), 200);
        assert_eq!(browser.get("/account").status, 200);
        assert_eq!(elsewhere.get("/account").status, 303);
        Answer::from(world.server.get("/api/v1/agreements", Some(&token))).problem(401, "unauthenticated");
        assert_eq!(Browser::new(&world.server.url).sign_in(STEWARD, PASSWORD).status, 401);
        assert_eq!(Browser::new(&world.server.url).sign_in(STEWARD, "another long password").status, 303);
    }
}

/// Accepts an invitation for somebody new.
fn accept(world: &World, invite: &Value) {
    let browser = Browser::new(&world.server.url);
    let filled = browser.fill(invite["address"].as_str().unwrap(), &[("name", "Guest"), ("password", PASSWORD)]);
    assert_eq!(filled.status, 201, "{}", filled.text);
}

on_both! {
    fn an_owner_invites_changes_roles_and_shuts_out(world: World) {
        let asked = json!({"email": "Guest@people.example", "roles": ["viewer", "editor"]});
        let invite = world.post(ThirdOwner, "/api/v1/invites", &asked).expect(201).json();
        assert_eq!(world.get(ThirdOwner, "/api/v1/invites").items().len(), 1);
        // The key of an invitation is told once, and no answer with it is kept.
        let again = || world.request(ThirdOwner, Method::POST, "/api/v1/invites").header("Idempotency-Key", "\"one\"");
        let asked_again = json!({"email": "other@people.example", "roles": ["viewer"]});
        let keys: Vec<Value> = (0..2).map(|_| Answer::to(again().json(&asked_again)).expect(201).json()).collect();
        assert_ne!(keys[0]["key"], keys[1]["key"]);
        assert_eq!(hayward_tests::raw::count(&world.database, "kept_answers where body like '%hwi%'"), 0);
        for key in &keys {
            let path = format!("/api/v1/invites/{}", key["id"].as_str().unwrap());
            Answer::to(world.request(ThirdOwner, Method::DELETE, &path)).expect(204);
        }
        accept(&world, &invite);
        assert!(world.get(ThirdOwner, "/api/v1/invites").items().is_empty());
        let people = world.get(ThirdOwner, "/api/v1/people").items();
        let guest = people.iter().find(|one| one["email"] == "guest@people.example").unwrap();
        assert_eq!(guest["roles"], json!(["editor", "viewer"]));
        assert!(people.iter().all(|one| one["email"] != STEWARD), "people of others are not told");
        let path = format!("/api/v1/people/{}/roles", guest["id"].as_str().unwrap());
        let (token, _) = token(&world, "guest@people.example", PASSWORD);
        let datasets = || Answer::from(world.server.get("/api/v1/datasets", Some(&token))).status;
        assert_eq!(datasets(), 200);
        let put = |path: &str, roles: Value| Answer::to(world.request(ThirdOwner, Method::PUT, path).json(&json!({"roles": roles})));
        for wrong in [json!([]), json!(["operator"]), json!(["auditor"]), json!(["king"]), json!("owner")] {
            put(&path, wrong).problem(400, "invalid-body");
        }
        assert_eq!(put(&path, json!(["viewer"])).ok()["roles"], json!(["viewer"]));
        assert_eq!(datasets(), 403);
        let remove = |id: &str| Answer::to(world.request(ThirdOwner, Method::DELETE, &format!("/api/v1/people/{id}")));
        remove(guest["id"].as_str().unwrap()).expect(204);
        assert_eq!(datasets(), 401);
        remove(guest["id"].as_str().unwrap()).problem(404, "not-found");
        // Nobody of another co-op is touched, and the last owner stays.
        let steward = world.server.store().person(STEWARD).unwrap().unwrap();
        remove(steward.id.as_str()).problem(404, "not-found");
        let owner = world.server.store().person("third-owner@people.example").unwrap().unwrap();
        remove(owner.id.as_str()).problem(409, "last-owner");
        put(&format!("/api/v1/people/{}/roles", owner.id), json!(["steward"])).problem(409, "last-owner");
    }
}

on_both! {
    fn two_owners_who_step_down_at_once_leave_one(world: World) {
        let asked = json!({"email": "second@people.example", "roles": ["owner"]});
        accept(&world, &world.post(ThirdOwner, "/api/v1/invites", &asked).expect(201).json());
        let ids: Vec<String> =
            world.get(ThirdOwner, "/api/v1/people").items().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 2);
        let organization = world.server.store().organization("third").unwrap().number;
        let store = world.server.store();
        let gone: Vec<bool> = std::thread::scope(|scope| {
            let step_down = |id: &String| {
                let person = hayward_domain::id::PersonId::parse(id).unwrap();
                scope.spawn(move || store.set_roles(organization, &person, &[Role::Viewer]).is_ok())
            };
            let all: Vec<_> = ids.iter().map(step_down).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(gone.iter().filter(|gone| **gone).count(), 1);
    }
}

on_both! {
    fn an_invitation_does_not_tell_whether_somebody_is_here(world: World) {
        let ask = |email: &str| {
            let mut answer = world.post(ThirdOwner, "/api/v1/invites", &json!({"email": email, "roles": ["viewer"]})).expect(201).json();
            for part in ["id", "key", "address", "email"] {
                assert!(answer[part].is_string());
                answer[part] = "x".into();
            }
            answer
        };
        assert_eq!(ask(STEWARD), ask("nobody@people.example"));
    }
}

on_both! {
    fn somebody_who_is_here_joins_another_co_op_and_says_for_whom_they_act(world: World) {
        let asked = json!({"email": STEWARD, "roles": ["viewer"]});
        let invite = world.post(ThirdOwner, "/api/v1/invites", &asked).expect(201).json();
        let address = invite["address"].as_str().unwrap();
        let join = address.replace("/invite?", "/invite/join?");
        // Somebody else who is signed in does not get in with it.
        let editor = signed_in(&world, "editor@people.example");
        let page = editor.get(address).expect(200);
        assert_eq!(editor.post_from(&page, &join, &[]).status, 409);
        let browser = signed_in(&world, STEWARD);
        let page = browser.get(address).expect(200);
        assert_eq!(browser.post_from(&page, &join, &[]).location, "/acting");
        assert_eq!(browser.get(address).status, 404);
        // At the next sign-in nothing is taken for granted.
        let browser = signed_in(&world, STEWARD);
        let account = browser.get("/account").expect(200);
        assert!(account.text.contains("You act for no member co-op now"), "{}", account.text);
        let choice = browser.get("/acting").expect(200);
        assert_eq!(browser.post_from(&choice, "/acting", &[("organization", "fourth")]).status, 404);
        assert_eq!(browser.post_from(&choice, "/acting", &[("organization", "third"), ("next", "/account")]).location, "/account");
        assert!(browser.get("/account").text.contains("You act for Co-op third, as viewer"));
        world.post(Nobody, "/api/v1/sessions", &json!({"email": STEWARD, "password": PASSWORD})).problem(400, "invalid-body");
    }
}

on_both! {
    fn an_operator_is_shown_no_row_by_any_route(world: World) {
        let ids = own_ids(&world);
        let browser = signed_in(&world, "operator@people.example");
        for route in ROUTES.iter().filter(|route| route.shows != Shows::Nothing) {
            // What is public is shown to anybody, and so without a token.
            let with_token = Answer::to(request(&world, Operator, route, &ids));
            assert_eq!(with_token.status, 401, "{} {}", route.method, route.path);
            if route.scope != "collection" && route.method == "GET" {
                let path = request(&world, Nobody, route, &ids).build().unwrap().url().path().to_owned();
                assert_eq!(browser.get(&path).status, 401, "{path}");
            }
        }
        assert_eq!(browser.get("/commons").status, 200);
    }
}

on_both! {
    fn offices_of_the_commons_open_no_list(world: World) {
        let store = world.server.store();
        let browser = signed_in(&world, STEWARD);
        assert_eq!(browser.get("/commons").status, 404);
        let person = store.person(STEWARD).unwrap().unwrap().id;
        for role in [Role::Facilitator, Role::Auditor] {
            store.set_office(&person, role, true).unwrap();
            let shown = browser.get("/commons").expect(200);
            assert!(shown.text.contains("Co-op fourth"));
            store.set_office(&person, role, false).unwrap();
            assert!(store.set_office(&person, role, false).is_err());
        }
        assert_eq!(browser.get("/commons").status, 404);
        assert!(store.set_office(&person, Role::Owner, true).is_err());
    }
}
