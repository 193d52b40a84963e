//! Tokens in the wrong hands, and programs that are not what they say.

use std::time::Duration;

use hayward_domain::scope::Role;
use hayward_tests::on_both;
use reqwest::Method;

use super::scene::{Scene, exchange, refused, told};
use crate::answer::Answer;
use crate::founding::CLIENT_SECRET;
use crate::world::Persona::Nobody;
use crate::world::World;

const EMAIL: &str = "partner-steward@people.example";

on_both! {
    /// Attacks 3 and 22: what stands in an address is written down on the way, so that no secret is taken from there.
    fn a_secret_in_an_address_opens_nothing(world: World) {
        let scene = Scene::new(world);
        let tokens = scene.tokens();
        let token = tokens["access_token"].as_str().unwrap();
        for path in ["/api/v1/agreements", "/api/v1/datasets"] {
            Answer::from(scene.world.server.get(&format!("{path}?access_token={token}"), None)).problem(401, "unauthenticated");
        }
        let body = Answer::to(scene.world.request(Nobody, Method::POST, "/api/v1/changes/ack").body(format!("access_token={token}")));
        assert_eq!(body.status, 401);
        let path = format!("/oauth/token?client_id={}&client_secret={CLIENT_SECRET}", scene.confidential);
        refused(&scene.post(&path, &[("grant_type", "client_credentials")]), 400, "invalid_request");
    }
}

on_both! {
    /// Attack 9: a token for anybody else's resource is not given, so that nobody else can collect ours.
    fn a_token_for_another_resource_is_not_given(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        let ours = scene.world.server.url.clone();
        for other in ["https://evil.example", "https://evil.example/api", &format!("{ours}.evil.example"), &format!("{ours}/api/v1/opportunities"), "x", &format!("{ours}#x")] {
            let asked = scene.asks_with(&[("resource", other)]);
            assert_eq!(told(&browser.get(&asked).expect(303).location)["error"], "invalid_target", "{other}");
            refused(&scene.ask(&[("grant_type", "client_credentials"), ("resource", other)]), 400, "invalid_target");
            let two = [("grant_type", "client_credentials"), ("resource", ours.as_str()), ("resource", other)];
            refused(&scene.ask(&two), 400, "invalid_target");
            refused(&scene.post("/oauth/device_authorization", &[("client_id", &scene.public), ("resource", other)]), 400, "invalid_target");
        }
        for own in [ours.clone(), format!("{ours}/")] {
            scene.ask(&[("grant_type", "client_credentials"), ("resource", &own)]).ok();
        }
    }
}

on_both! {
    /// Attack 10: what was stolen opens no more than its scopes, not for long, and nothing once anybody concerned has said so.
    fn what_was_stolen_ends_at_once(world: World) {
        let scene = Scene::new(world);
        let tokens = scene.tokens();
        let memberships = || scene.world.server.get("/api/v1/memberships", tokens["access_token"].as_str());
        Answer::from(memberships()).problem(403, "insufficient-scope");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        Answer::from(scene.world.server.get("/api/v1/opportunities", Some(refresh))).problem(401, "unauthenticated");
        // The person takes it back.
        let consents = scene.world.get(crate::world::Persona::PartnerSteward, "/api/v1/consents").items();
        let path = format!("/api/v1/consents/{}", consents[0]["id"].as_str().unwrap());
        Answer::to(scene.world.server.request(Method::DELETE, &path, tokens["access_token"].as_str())).problem(409, "people-only");
        Answer::to(scene.world.request(crate::world::Persona::Steward, Method::DELETE, &path)).problem(404, "not-found");
        Answer::to(scene.world.request(crate::world::Persona::PartnerSteward, Method::DELETE, &path)).expect(204);
        assert_eq!(scene.read(&tokens), 401);
        refused(&scene.refresh(&tokens), 400, "invalid_grant");
        // The program gives it back.
        let tokens = scene.tokens();
        let give_back = |token: &str| {
            let form = [("client_id", scene.confidential.as_str()), ("client_secret", CLIENT_SECRET), ("token", token)];
            scene.post("/oauth/revoke", &form).expect(200)
        };
        give_back(tokens["refresh_token"].as_str().unwrap());
        assert_eq!(scene.read(&tokens), 401);
        // The person leaves, or the program does.
        let store = scene.world.server.store();
        let tokens = scene.tokens();
        let partner = store.organization("partner").unwrap().number;
        store.remove_role(EMAIL, partner, Role::Steward).unwrap();
        assert_eq!(scene.read(&tokens), 401);
        store.add_role(EMAIL, partner, Role::Steward).unwrap();
        assert_eq!(scene.read(&tokens), 401);
        let tokens = scene.tokens();
        store.revoke_client(&scene.confidential).unwrap();
        assert_eq!(scene.read(&tokens), 401);
        refused(&scene.refresh(&tokens), 401, "invalid_client");
    }
}

on_both! {
    /// Attack 10: nobody has to take back what is an hour old.
    fn a_token_is_good_for_an_hour_and_a_refresh_token_for_a_month(world: World) {
        let scene = Scene::new(world);
        let tokens = scene.tokens();
        scene.world.pass(Duration::from_secs(3_600));
        assert_eq!(scene.read(&tokens), 401);
        let next = scene.refresh(&tokens).ok();
        assert_eq!(scene.read(&next), 200);
        scene.world.pass(Duration::from_secs(30 * 86_400));
        refused(&scene.refresh(&next), 400, "invalid_grant");
    }
}

on_both! {
    /// Attack 13: no header of a request says who the server is, whoever wrote it.
    fn no_header_of_a_request_names_the_server(world: World) {
        let scene = Scene::new(world);
        let ask = |method: Method, path: &str| {
            scene
                .world
                .request(Nobody, method, path)
                .header("Host", "evil.example")
                .header("X-Forwarded-Host", "evil.example")
                .header("X-Forwarded-Proto", "https")
                .header("Forwarded", "host=evil.example;proto=https")
        };
        for path in ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"] {
            let metadata = Answer::to(ask(Method::GET, path)).expect(200);
            assert!(!metadata.text().contains("evil") && metadata.text().contains(&scene.world.server.url));
        }
        let refused = Answer::to(ask(Method::GET, "/api/v1/agreements"));
        let wanted = format!("Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource\"", scene.world.server.url);
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, wanted.as_str()));
        let body = format!("client_id={}", scene.public);
        let device = Answer::to(ask(Method::POST, "/oauth/device_authorization").body(body)).ok();
        assert_eq!(device["verification_uri"], format!("{}/device", scene.world.server.url));
    }
}

on_both! {
    /// Attack 14: a refresh token is good once; whoever comes with it a second time ends it for everybody.
    fn a_refresh_token_that_is_shown_twice_ends_everything(world: World) {
        let scene = Scene::new(world);
        let first = scene.tokens();
        let second = scene.refresh(&first).ok();
        let third = scene.refresh(&second).ok();
        assert_eq!(scene.read(&third), 200);
        refused(&scene.refresh(&first), 400, "invalid_grant");
        for tokens in [&first, &second, &third] {
            assert_eq!(scene.read(tokens), 401);
            refused(&scene.refresh(tokens), 400, "invalid_grant");
        }
    }
}

on_both! {
    /// Attacks 15 and 21: a program is told from a person, and shows who it is in one way and rightly.
    fn a_program_shows_who_it_is_in_one_way_and_is_told_from_a_person(world: World) {
        let scene = Scene::new(world);
        let (id, grant) = (scene.confidential.as_str(), ("grant_type", "client_credentials"));
        let basic = |user: &str, secret: &str, form: &str| {
            let request = scene.world.request(Nobody, Method::POST, "/oauth/token").basic_auth(user, Some(secret));
            Answer::to(request.header("Content-Type", "application/x-www-form-urlencoded").body(form.to_owned()))
        };
        let form = "grant_type=client_credentials";
        basic(id, CLIENT_SECRET, form).ok();
        basic(id, CLIENT_SECRET, &format!("{form}&client_id={id}")).ok();
        refused(&basic(id, CLIENT_SECRET, &format!("{form}&client_id={}", scene.public)), 400, "invalid_request");
        refused(&basic(id, CLIENT_SECRET, &format!("{form}&client_secret={CLIENT_SECRET}")), 400, "invalid_request");
        let token = |form: &[(&str, &str)]| scene.post("/oauth/token", form);
        refused(&token(&[grant, ("client_id", id)]), 401, "invalid_client");
        refused(&token(&[grant, ("client_id", id), ("client_secret", "hws_wrong")]), 401, "invalid_client");
        refused(&token(&[grant, ("client_id", &scene.public), ("client_secret", "x")]), 401, "invalid_client");
        refused(&token(&[grant, ("client_id", &scene.public), ("client_secret", "")]), 400, "unauthorized_client");
        refused(&token(&[grant, ("client_id", "cli_nobody")]), 401, "invalid_client");
        refused(&token(&[grant]), 401, "invalid_client");
        let assertion = [grant, ("client_id", id), ("client_assertion_type", "x"), ("client_assertion", "y")];
        refused(&token(&assertion), 401, "invalid_client");
        let subject = |tokens: &serde_json::Value| {
            let proof = [("client_id", id), ("client_secret", CLIENT_SECRET), ("token", tokens["access_token"].as_str().unwrap())];
            scene.post("/oauth/introspect", &proof).ok()
        };
        let (own, person) = (subject(&scene.ask(&[grant]).ok()), subject(&scene.tokens()));
        assert_eq!(own["sub"], id);
        assert!(person["sub"].as_str().unwrap().starts_with("per_") && person["client_id"] == id);
        assert_eq!(person["organization"], scene.world.id("partner"));
        refused(&scene.post("/oauth/introspect", &[("client_id", &scene.public), ("token", "x")]), 401, "invalid_client");
    }
}

on_both! {
    /// Attack 19: what is another program's is as good as nothing.
    fn a_token_is_of_no_use_to_another_program(world: World) {
        let scene = Scene::new(world);
        let tokens = scene.tokens();
        let refresh = tokens["refresh_token"].as_str().unwrap();
        refused(&scene.ask_public(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]), 400, "invalid_grant");
        for token in [refresh, tokens["access_token"].as_str().unwrap()] {
            refused(&scene.post("/oauth/revoke", &[("client_id", &scene.public), ("token", token)]), 400, "invalid_request");
            let third = scene.world.id("third-client");
            let proof = [("client_id", third), ("client_secret", CLIENT_SECRET), ("token", token)];
            let stranger = scene.post("/oauth/introspect", &proof).ok();
            assert_eq!(stranger, serde_json::json!({"active": false}));
        }
        assert_eq!(scene.read(&scene.refresh(&tokens).ok()), 200);
    }
}

on_both! {
    /// Attack 20: scopes only ever shrink, from the program to the person's word to the token.
    fn scopes_only_shrink(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        for scope in ["datasets:read", "opportunities:read agreements:approve", "nonsense", " "] {
            let asked = scene.asks_with(&[("scope", scope)]);
            assert_eq!(told(&browser.get(&asked).expect(303).location)["error"], "invalid_scope", "{scope}");
        }
        let tokens = scene.tokens();
        assert_eq!(tokens["scope"], "opportunities:read");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let wider = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", "opportunities:read ledger:read")];
        refused(&scene.ask(&wider), 400, "invalid_scope");
        assert_eq!(scene.refresh(&tokens).ok()["scope"], "opportunities:read");
        // The person may do less from now on.
        let store = scene.world.server.store();
        let partner = store.organization("partner").unwrap().number;
        let code = {
            let sent = scene.allow(&browser, &scene.asks_with(&[("scope", "opportunities:read ledger:read")])).expect(303);
            told(&sent.location)["code"].clone()
        };
        store.add_role(EMAIL, partner, Role::Viewer).unwrap();
        store.remove_role(EMAIL, partner, Role::Steward).unwrap();
        assert_eq!(scene.ask(&exchange(&code)).ok()["scope"], "opportunities:read");
    }
}

on_both! {
    /// Attack 20: nobody registers a program that may do more than they, or takes a secret of one.
    fn nobody_registers_a_program_that_may_do_more_than_they(world: World) {
        let scene = Scene::new(world);
        let owner = crate::world::Persona::ThirdOwner;
        let new = |scope: &str| scene.world.post(owner, "/api/v1/clients", &serde_json::json!({"name": "Sync", "scope": scope}));
        let made = new("opportunities:read imports:write").expect(201).json();
        let id = made["client_id"].as_str().unwrap();
        assert!(hayward::auth::secret::recognised(made["client_secret"].as_str().unwrap()).is_some());
        new("agreements:approve").problem(409, "people-only");
        new("organizations:read").problem(400, "invalid-body");
        let third = scene.world.server.store().organization("third").unwrap().number;
        let (email, token) = ("third-owner@people.example", crate::world::Persona::ThirdOwner);
        scene.world.server.store().add_role(email, third, Role::Developer).unwrap();
        scene.world.server.store().remove_role(email, third, Role::Owner).unwrap();
        let secret = |id: &str| scene.world.post(token, &format!("/api/v1/clients/{id}/secret"), &serde_json::json!({}));
        secret(id).problem(409, "more-than-yours");
        new("imports:write").problem(409, "more-than-yours");
        secret(&scene.confidential).problem(404, "not-found");
        let less = new("opportunities:read").expect(201).json();
        let exchanged = secret(less["client_id"].as_str().unwrap()).expect(200).json();
        assert_ne!(exchanged["client_secret"], less["client_secret"]);
        let listed = scene.world.get(token, "/api/v1/clients").items();
        assert!(listed.iter().all(|one| one["organization"] == "third"));
        let gone = |id: &str| Answer::to(scene.world.request(token, Method::DELETE, &format!("/api/v1/clients/{id}")));
        gone(&scene.confidential).problem(404, "not-found");
        gone(id).expect(204);
        gone(id).problem(404, "not-found");
    }
}

on_both! {
    /// Attack 21: what cannot be read for certain is refused, before anything is looked up.
    fn what_cannot_be_read_for_certain_is_refused(world: World) {
        let scene = Scene::new(world);
        let raw = |kind: &str, body: Vec<u8>| {
            let request = scene.world.request(Nobody, Method::POST, "/oauth/token").header("Content-Type", kind);
            Answer::to(request.body(body))
        };
        let form = "application/x-www-form-urlencoded";
        let good = format!("client_id={}&client_secret={CLIENT_SECRET}&grant_type=client_credentials", scene.confidential);
        raw("application/x-www-form-urlencoded; charset=UTF-8", good.clone().into_bytes()).ok();
        for (kind, body) in [
            ("application/json", b"{}".to_vec()),
            (form, format!("{good}&scope=a&scope=b").into_bytes()),
            (form, format!("{good}&client_id=x").into_bytes()),
            (form, format!("{good}&x=%00").into_bytes()),
            (form, format!("{good}&x=%ff").into_bytes()),
            (form, format!("{good}&x={}", "a".repeat(70_000)).into_bytes()),
            (form, format!("{good}{}", (0..101).map(|at| format!("&p{at}=1")).collect::<String>()).into_bytes()),
        ] {
            refused(&raw(kind, body), 400, "invalid_request");
        }
        assert_eq!(raw(form, vec![b'a'; 2_000_000]).status, 413);
    }
}
