//! Bodies that are no JSON, or not what a call takes: each is a problem with a code, soon, and nothing has changed.

use hayward_tests::on_both;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::bad_requests::{bad, standing};
use crate::world::Persona::{Editor, Nobody, Steward, ThirdOwner};
use crate::world::{Persona, World};

/// Every call that takes a JSON body, with whom to make it.
fn calls(world: &World) -> Vec<(Persona, Method, String)> {
    vec![
        (Nobody, Method::POST, "/api/v1/sessions".to_owned()),
        (ThirdOwner, Method::POST, "/api/v1/invites".to_owned()),
        (Editor, Method::POST, "/api/v1/datasets".to_owned()),
        (Editor, Method::PUT, format!("/api/v1/imports/{}/matching", world.id("jobs-draft"))),
        (Editor, Method::PUT, format!("/api/v1/imports/{}/reading", world.id("jobs-draft"))),
        (Editor, Method::POST, format!("/api/v1/imports/{}/fixes", world.id("jobs-draft"))),
        (Editor, Method::POST, format!("/api/v1/imports/{}/commit", world.id("jobs-draft"))),
        (Editor, Method::POST, format!("/api/v1/imports/{}/undo", world.id("jobs-import"))),
        (Editor, Method::POST, format!("/api/v1/imports/{}/cancel", world.id("jobs-draft"))),
        (Steward, Method::POST, "/api/v1/agreements".to_owned()),
        (Steward, Method::POST, format!("/api/v1/agreements/{}/versions", world.id("agreement"))),
        (Steward, Method::POST, format!("/api/v1/agreements/{}/suspend", world.id("agreement"))),
    ]
}

on_both! {
    fn bodies_that_are_not_what_a_call_takes_are_refused(world: World) {
        let before = standing(&world);
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let nested = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
        let unknown: &[(&[u8], &str)] = &[
            (b"{", "invalid-json"),
            (b"{\"version\": 1", "invalid-json"),
            (b"{\"version\": 1} trailing", "invalid-json"),
            (b"{'version': 1}", "invalid-json"),
            (b"{\"version\": NaN}", "invalid-json"),
            (b"{\"version\": 1e999}", "invalid-json"),
            (b"{\"version\": -Infinity}", "invalid-json"),
            (b"{\"reason\": \"\\u0000\"}", "invalid-json"),
            (b"{\"re\\u0000ason\": 1}", "invalid-json"),
            (b"{\"reason\": \"\xff\xfe\"}", "invalid-json"),
            (b"{\"reason\": \"\\ud800\"}", "invalid-json"),
            (b"\x00\x01\x02", "invalid-json"),
            (deep.as_bytes(), "invalid-json"),
            (nested.as_bytes(), "invalid-json"),
        ];
        for (who, method, path) in calls(&world) {
            for (body, code) in unknown {
                let request =
                    world.request(who, method.clone(), &path).header("Content-Type", "application/json").body(body.to_vec());
                bad(request, 400, code);
            }
            for kind in ["text/csv", "application/xml", "multipart/form-data; boundary=x"] {
                bad(
                    world.request(who, method.clone(), &path).header("Content-Type", kind).body("{}"),
                    415,
                    "unsupported-media-type",
                );
            }
        }
        assert_eq!(standing(&world), before);
    }
}

on_both! {
    fn bodies_of_the_wrong_shape_are_refused(world: World) {
        let before = standing(&world);
        for (who, method, path) in calls(&world) {
            for body in [
                json!([]),
                json!("text"),
                json!(7),
                json!(null),
                json!({"surprise": 1}),
                json!({"version": "one", "surprise": {}}),
            ] {
                let answer = Answer::to(world.request(who, method.clone(), &path).json(&body));
                let code = if path == "/api/v1/agreements" { ("invalid-terms", 422) } else { ("invalid-body", 400) };
                answer.problem(code.1, code.0);
            }
        }
        assert_eq!(standing(&world), before);
    }
}

on_both! {
    fn bodies_that_are_too_large_are_refused(world: World) {
        let million: String = (0..1_000_000).map(|at| format!("\"k{at}\":1,")).collect();
        let body = format!("{{{}\"last\":1}}", million);
        for (who, method, path) in calls(&world) {
            bad(
                world.request(who, method, &path).header("Content-Type", "application/json").body(body.clone()),
                413,
                "payload-too-large",
            );
        }
        let form = format!("grant_type=client_credentials&scope={}", "a".repeat(2 << 20));
        bad(world.request(Nobody, Method::POST, "/oauth/token").body(form), 413, "payload-too-large");
    }
}

on_both! {
    fn terms_that_cannot_be_are_refused_part_by_part(world: World) {
        let before = standing(&world);
        let good = world.terms(world.id("jobs"), json!({"title": "exact"}));
        let with = |pointer: &str, value: Value| {
            let mut terms = good.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            terms.pointer_mut(parent).unwrap()[name] = value;
            (pointer.to_owned(), terms)
        };
        let mut cases = vec![
            with("/surprise", json!(1)),
            with("/purpose/surprise", json!(1)),
            with("/fields", json!({})),
            with("/fields", json!(["title"])),
            with("/fields/titel", json!("exact")),
            with("/fields/*", json!("exact")),
            with("/fields/title", json!("visible")),
            with("/fields/title", json!("pseudonym")),
            with("/fields/closes_on", json!({"generalised": "week"})),
            with("/rows", json!("everything")),
            with("/rows", json!({"title": {"regex": ".*"}})),
            with("/rows", json!({"country": {"in": []}})),
            with("/rows", json!({"nonsense": {"eq": 1}})),
            with("/record_id", json!("mine")),
            with("/purpose/code", json!("fun")),
            with("/ending", json!({})),
            with("/audience", json!("everyone")),
            with("/audience/organization", json!(world.id("provider"))),
            with("/starts_on", json!("tomorrow")),
            with("/ends_on", json!("2026-10-31")),
            with("/ends_on", json!("2036-10-31")),
        ];
        let mut deep = json!({"title": {"eq": "x"}});
        for _ in 0..20 {
            deep = json!({"all": [deep]});
        }
        cases.push(with("/rows", deep));
        for (pointer, terms) in cases {
            let problem = bad(world.request(Steward, Method::POST, "/api/v1/agreements").json(&terms), 422, "invalid-terms");
            let errors = problem["errors"].as_array().unwrap();
            let at = |error: &Value| error["pointer"].as_str().unwrap().to_owned();
            assert!(
                errors.iter().any(|error| at(error).starts_with(&pointer) || pointer.starts_with(&at(error))),
                "{pointer}: {errors:?}"
            );
        }
        for missing in ["dataset", "audience", "fields", "rows", "record_id", "purpose", "ending", "starts_on", "ends_on"] {
            let mut terms = good.clone();
            terms.as_object_mut().unwrap().remove(missing);
            bad(world.request(Steward, Method::POST, "/api/v1/agreements").json(&terms), 422, "invalid-terms");
        }
        // A field that is never shared cannot be opened by any terms.
        let never = world.terms(world.id("people"), json!({"national_id": "exact"}));
        bad(world.request(Steward, Method::POST, "/api/v1/agreements").json(&never), 422, "invalid-terms");
        assert_eq!(standing(&world), before);
    }
}
