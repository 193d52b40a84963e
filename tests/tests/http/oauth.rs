//! Tokens: how programs get them, how people do, and how they end.

use std::time::Duration;

use hayward_tests::on_both;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::founding::{CLIENT_SECRET, PASSWORD, READS};
use crate::world::Persona::{self, EmptyClient, Nobody, PartnerClient, PartnerSteward, Steward, ThirdClient};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";

fn ask(world: &World, who: Persona, secret: &str, form: &[(&str, &str)]) -> Answer {
    post_form(world, "/oauth/token", who, secret, form)
}

fn post_form(world: &World, path: &str, who: Persona, secret: &str, form: &[(&str, &str)]) -> Answer {
    let body = form.iter().fold(url::form_urlencoded::Serializer::new(String::new()), |mut body, (name, value)| {
        body.append_pair(name, value);
        body
    });
    let request = world.request(Nobody, Method::POST, path).basic_auth(world.id(who.name()), Some(secret));
    Answer::to(request.header("Content-Type", "application/x-www-form-urlencoded").body(String::clone(&{ body }.finish())))
}

fn token(world: &World, who: Persona, form: &[(&str, &str)]) -> Value {
    ask(world, who, CLIENT_SECRET, &[&[("grant_type", "client_credentials")], form].concat()).ok()
}

fn read(world: &World, token: &Value) -> Answer {
    world.server.get(JOBS, token["access_token"].as_str()).into()
}

/// An error as RFC 6749, section 5.2 has it.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.json()["error"], code);
    assert_eq!(answer.header("cache-control"), "no-store");
}

on_both! {
    fn a_program_gets_a_token_for_an_hour_and_reads_with_it(world: World) {
        let token = token(&world, ThirdClient, &[]);
        assert_eq!(token["token_type"], "Bearer");
        assert_eq!(token["expires_in"], 3_600);
        let scopes = |text: &str| text.split(' ').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(scopes(token["scope"].as_str().unwrap()), scopes(READS));
        read(&world, &token).expect(200);
        world.pass(Duration::from_secs(3_599));
        read(&world, &token).expect(200);
        world.pass(Duration::from_secs(1));
        read(&world, &token).problem(401, "unauthenticated");
    }
}

on_both! {
    fn a_program_may_ask_for_fewer_scopes_and_not_for_more(world: World) {
        let one = token(&world, PartnerClient, &[("scope", "memberships:read")]);
        assert_eq!(one["scope"], "memberships:read");
        assert_eq!(read(&world, &one).problem(403, "insufficient-scope")["status"], 403);
        assert!(world.server.get("/api/v1/memberships", one["access_token"].as_str()).status().is_success());
        for scope in ["datasets:read", "agreements:approve", "nonsense", "*"] {
            let form = [("grant_type", "client_credentials"), ("scope", scope)];
            refused(&ask(&world, PartnerClient, CLIENT_SECRET, &form), 400, "invalid_scope");
        }
        assert_eq!(token(&world, EmptyClient, &[])["scope"], "");
    }
}

on_both! {
    fn what_is_no_good_request_for_a_token_is_refused(world: World) {
        let grant = ("grant_type", "client_credentials");
        let wrong = ask(&world, PartnerClient, "hws_wrong", &[grant]);
        refused(&wrong, 401, "invalid_client");
        assert!(wrong.header("www-authenticate").starts_with("Basic"));
        refused(&ask(&world, PartnerClient, "", &[grant]), 401, "invalid_client");
        refused(&ask(&world, PartnerClient, CLIENT_SECRET, &[("grant_type", "password")]), 400, "unsupported_grant_type");
        refused(&ask(&world, PartnerClient, CLIENT_SECRET, &[]), 400, "invalid_request");
        refused(&ask(&world, PartnerClient, CLIENT_SECRET, &[grant, grant]), 400, "invalid_request");
        let nobody = Answer::to(world.request(Nobody, Method::POST, "/oauth/token").body("grant_type=client_credentials"));
        refused(&nobody, 401, "invalid_client");
        let bearer = Answer::to(world.request(PartnerClient, Method::POST, "/oauth/token").body("grant_type=client_credentials"));
        refused(&bearer, 401, "invalid_client");
    }
}

on_both! {
    fn a_revoked_token_reads_nothing_and_only_its_client_revokes_it(world: World) {
        let given = token(&world, PartnerClient, &[]);
        let text = given["access_token"].as_str().unwrap();
        refused(&post_form(&world, "/oauth/revoke", ThirdClient, CLIENT_SECRET, &[("token", text)]), 400, "invalid_request");
        read(&world, &given).expect(200);
        post_form(&world, "/oauth/revoke", PartnerClient, CLIENT_SECRET, &[("token", text)]).expect(200);
        read(&world, &given).problem(401, "unauthenticated");
        post_form(&world, "/oauth/revoke", PartnerClient, CLIENT_SECRET, &[("token", "hwt_never")]).expect(200);
        refused(&post_form(&world, "/oauth/revoke", PartnerClient, "hws_wrong", &[("token", text)]), 401, "invalid_client");
    }
}

on_both! {
    fn a_revoked_client_takes_its_tokens_along(world: World) {
        let given = token(&world, PartnerClient, &[]);
        world.server.store().revoke_client(world.id(PartnerClient.name())).unwrap();
        read(&world, &given).problem(401, "unauthenticated");
        refused(&ask(&world, PartnerClient, CLIENT_SECRET, &[("grant_type", "client_credentials")]), 401, "invalid_client");
    }
}

fn sign_in(world: &World, who: Persona, password: &str) -> Answer {
    world.post(Nobody, "/api/v1/sessions", &json!({"email": format!("{}@people.example", who.name()), "password": password}))
}

on_both! {
    fn a_person_signs_in_with_the_scopes_of_their_role_and_signs_out(world: World) {
        let session = sign_in(&world, Steward, PASSWORD).expect(201).json();
        assert_eq!(session["organization"], world.id("provider"));
        let token = session["access_token"].as_str();
        let agreements = |status: u16| Answer::from(world.server.get("/api/v1/agreements", token)).expect(status);
        agreements(200);
        let import = format!("/api/v1/imports/{}", world.id("jobs-import"));
        Answer::from(world.server.get(&import, token)).problem(403, "insufficient-scope");
        Answer::to(world.server.request(Method::DELETE, "/api/v1/sessions/current", token)).expect(204);
        agreements(401);
        sign_in(&world, PartnerSteward, PASSWORD).expect(201);
    }
}

on_both! {
    fn a_person_is_signed_out_after_twelve_hours(world: World) {
        let session = sign_in(&world, Steward, PASSWORD).expect(201).json();
        assert_eq!(session["expires_in"], 12 * 3_600);
        world.pass(Duration::from_secs(12 * 3_600));
        Answer::from(world.server.get("/api/v1/agreements", session["access_token"].as_str())).problem(401, "unauthenticated");
    }
}

on_both! {
    fn wrong_credentials_all_look_alike(world: World) {
        let wrong = sign_in(&world, Steward, "not the password").without_the_request();
        let unknown = world
            .post(Nobody, "/api/v1/sessions", &json!({"email": "who@people.example", "password": PASSWORD}))
            .without_the_request();
        // An operator who belongs to no organization has nothing to sign in to.
        let operator = sign_in(&world, Persona::Operator, PASSWORD).without_the_request();
        assert_eq!(wrong.0, 401);
        assert_eq!(wrong, unknown);
        assert_eq!(wrong, operator);
    }
}
