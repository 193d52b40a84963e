//! Requests that are sent again, with an `Idempotency-Key`.

use std::time::Duration;

use hayward_tests::{on_both, raw};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::{self, Editor, PartnerClient, Steward, ThirdOwner, Viewer};
use crate::world::World;

const LISTS: &str = "/api/v1/datasets";

fn post(world: &World, who: Persona, path: &str, key: &str, body: &Value) -> Answer {
    Answer::to(world.request(who, Method::POST, path).header("Idempotency-Key", key).json(body))
}

fn new_list(name: &str) -> Value {
    json!({"schema": "opportunity", "name": name})
}

on_both! {
    fn the_same_request_is_done_once_and_answered_alike(world: World) {
        let first = post(&world, Editor, LISTS, "\"a-1\"", &new_list("Once")).expect(201);
        assert_eq!(first.header("idempotency-replayed"), "");
        let again = post(&world, Editor, LISTS, "\"a-1\"", &new_list("Once")).expect(201);
        assert_eq!((again.body.clone(), again.header("idempotency-replayed")), (first.body.clone(), "true"));
        // Without quotation marks it is the same key.
        assert_eq!(post(&world, Editor, LISTS, "a-1", &new_list("Once")).expect(201).body, first.body);
        post(&world, Editor, LISTS, "\"a-1\"", &new_list("Twice")).problem(422, "key-reused");
        // The same key on another address is another request.
        let id = first.json()["id"].as_str().unwrap().to_owned();
        let records = format!("{LISTS}/{id}/records");
        post(&world, Editor, &records, "\"a-1\"", &new_list("Once")).problem(422, "key-reused");
        let record = json!({"reference": "A-1", "title": "Cook"});
        let made = post(&world, Editor, &records, "\"a-2\"", &record).expect(201);
        let same = post(&world, Editor, &records, "\"a-2\"", &record).expect(201);
        for name in ["location", "etag", "content-type"] {
            assert_eq!(same.header(name), made.header(name));
        }
        assert_eq!(same.body, made.body);
        // A key is its caller's alone.
        post(&world, Steward, "/api/v1/agreements", "\"a-1\"", &json!({})).problem(422, "invalid-terms");
        // After a day it is forgotten.
        world.pass(Duration::from_secs(86_401));
        post(&world, Editor, LISTS, "\"a-1\"", &new_list("Once")).problem(409, "exists");
    }
}

on_both! {
    fn what_tells_a_secret_is_never_kept(world: World) {
        let program = |name: &str| json!({"name": name, "scope": "opportunities:read"});
        // However the address is spelled.
        for (at, path) in ["/api/v1/clients", "/api/v1/%63lients", "/%61pi/v1/clients"].into_iter().enumerate() {
            let key = format!("\"c-{at}\"");
            let made = post(&world, ThirdOwner, path, &key, &program(&format!("P{at}"))).expect(201);
            let again = post(&world, ThirdOwner, path, &key, &program(&format!("Q{at}"))).expect(201);
            assert_eq!(again.header("idempotency-replayed"), "");
            assert_ne!(made.json()["client_secret"], again.json()["client_secret"]);
            let secret = format!("/api/v1/clients/{}/secret", made.json()["client_id"].as_str().unwrap());
            post(&world, ThirdOwner, &secret, &key, &json!({})).expect(200);
        }
        assert_eq!(raw::count(&world.database, "kept_answers"), 0);
    }
}

on_both! {
    fn a_refusal_is_judged_anew(world: World) {
        post(&world, Editor, LISTS, "\"k\"", &json!({"schema": "nothing", "name": "A"})).problem(400, "unknown-schema");
        post(&world, Editor, LISTS, "\"k\"", &new_list("A")).expect(201);
        for bad in ["\"", "\"a", "\"\"", "a b", "\"a\\n\"", &"x".repeat(256)] {
            post(&world, Editor, LISTS, bad, &new_list("B")).problem(400, "invalid-idempotency-key");
        }
        // A key opens nothing.
        post(&world, Viewer, LISTS, "\"k\"", &new_list("A")).problem(403, "insufficient-scope");
        post(&world, Persona::Garbage, LISTS, "\"k\"", &new_list("A")).problem(401, "unauthenticated");
        post(&world, Persona::Nobody, LISTS, "\"k\"", &new_list("A")).problem(401, "unauthenticated");
    }
}

on_both! {
    fn nothing_is_repeated_to_a_token_that_lost_its_right(world: World) {
        let path = "/api/v1/agreements";
        let terms = world.terms(world.id("jobs"), json!({"title": "exact"}));
        let made = post(&world, Steward, path, "\"k\"", &terms).expect(201);
        assert_eq!(post(&world, Steward, path, "\"k\"", &terms).expect(201).body, made.body);
        let all = world.get(Steward, "/api/v1/agreements").items().len();
        raw::tell(&world.database, "update positions set role = 'viewer' where role = 'steward'");
        post(&world, Steward, path, "\"k\"", &terms).problem(403, "insufficient-scope");
        raw::tell(&world.database, "update tokens set revoked_at = 1");
        post(&world, Steward, path, "\"k\"", &terms).problem(401, "unauthenticated");
        assert_eq!(raw::count(&world.database, "agreements"), i64::try_from(all).unwrap().max(raw::count(&world.database, "agreements")));
        let _others = [PartnerClient, ThirdOwner];
    }
}

on_both! {
    fn an_upload_is_told_by_its_bytes(world: World) {
        let path = format!("{LISTS}/{}/imports?filename=a.csv", world.id("jobs"));
        let send = |file: &[u8]| {
            let request = world.request(Editor, Method::POST, &path).header("Idempotency-Key", "\"up\"");
            Answer::to(request.header("Content-Type", "text/csv").body(file.to_vec()))
        };
        let mut large = b"reference,title\n".to_vec();
        for row in 0..120_000 {
            large.extend(format!("R-{row},Something to do\n").bytes());
        }
        let first = send(&large);
        assert!([201, 202].contains(&first.status), "{}", first.text());
        let again = send(&large);
        assert_eq!((again.status, &again.body, again.header("location")), (first.status, &first.body, first.header("location")));
        *large.last_mut().unwrap() = b' ';
        send(&large).problem(422, "key-reused");
    }
}

on_both! {
    fn two_at_the_same_time_are_done_once(world: World) {
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let asked: Vec<_> =
                (0..8).map(|_| scope.spawn(|| post(&world, Editor, LISTS, "\"same\"", &new_list("Once")))).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let done: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert!(!done.is_empty() && done.iter().all(|answer| answer.body == done[0].body));
        for other in answers.iter().filter(|answer| answer.status != 201) {
            other.problem(409, "in-flight");
            assert_eq!(other.header("retry-after"), "1");
        }
        let lists = world.get(Editor, LISTS).items();
        assert_eq!(lists.iter().filter(|list| list["name"] == "Once").count(), 1);
    }
}

on_both! {
    fn what_a_dead_server_left_is_never_done_again(world: World) {
        post(&world, Editor, LISTS, "\"k\"", &new_list("A")).expect(201);
        raw::tell(&world.database, "update kept_answers set state = 'under_way', request = null, status = null, headers = null, body = null");
        post(&world, Editor, LISTS, "\"k\"", &new_list("A")).problem(409, "in-flight");
        world.pass(Duration::from_secs(3_601));
        post(&world, Editor, LISTS, "\"k\"", &new_list("A")).problem(409, "outcome-unknown");
    }
}

on_both! {
    fn an_erasure_reaches_what_was_answered(world: World) {
        let made = post(&world, Editor, LISTS, "\"l\"", &new_list("People")).expect(201).json();
        let records = format!("{LISTS}/{}/records", made["id"].as_str().unwrap());
        let record = json!({"reference": "A-1", "title": "Canary Wharfinger"});
        let one = post(&world, Editor, &records, "\"r\"", &record).expect(201).json();
        let kept = || raw::ask(&world.database, "select coalesce(body, '') as value from kept_answers").concat();
        assert!(kept().contains("Wharfinger"));
        let erase = format!("/api/v1/records/{}/erase", one["id"].as_str().unwrap());
        world.post(Steward, &erase, &json!({"reason": "They asked."})).expect(200);
        assert!(!kept().contains("Wharfinger"));
        post(&world, Editor, &records, "\"r\"", &record).problem(409, "answer-forgotten");
    }
}
