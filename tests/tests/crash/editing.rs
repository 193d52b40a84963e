//! Killed while single records are written under keys: what was asked once is done once, whatever the program heard of it.

use std::thread;
use std::time::{Duration, Instant};

use hayward_domain::scope::Role;
use hayward_tests::checker::Checker;
use hayward_tests::commons::{Commons, To, keyring};
use hayward_tests::program::{Served, key_file, serve_on};
use hayward_tests::{on_both, raw};
use rand::Rng;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::rounds::{gone, kills, lapse, seeded};

/// Somebody who writes records, with one token.
struct Writing {
    client: Client,
    token: String,
    path: String,
}

impl Writing {
    /// What is answered: a status and a body, or nothing where nothing was heard.
    fn make(&self, served: &str, key: &str, name: &str) -> Option<(u16, Value)> {
        let request = self.client.post(format!("{served}{}", self.path)).bearer_auth(&self.token);
        let request = request.header("Idempotency-Key", format!("\"{key}\""));
        let answer = request.json(&json!({"identifier": name, "name": name})).send().ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().ok()?))
    }
}

fn problem(body: &Value) -> &str {
    body.get("type").and_then(Value::as_str).unwrap_or_default()
}

on_both! {
    fn a_record_that_is_asked_for_again_is_made_once(commons: Commons) {
        let (_, mut random) = seeded();
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let (_, token) = commons.person("editor", &[(a.number, Role::Editor)]);
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name\nO-1,First\n");
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let writing = Writing { client: Client::new(), token, path: format!("/api/v1/datasets/{}/records", list.id) };
        let db = commons.into_database();
        std::fs::write(key_file(&db), keyring().to_file()).unwrap();
        let log = db.folder().join("log");
        let mut served = Served::start(&mut serve_on(&db), &log);
        let began = Instant::now();
        assert_eq!(writing.make(&served.url, "first", "N-first").unwrap().0, 201);
        let takes = began.elapsed().max(Duration::from_millis(5));
        let made = |name: &str| raw::count(&db, &format!("records where key like '%{name}%' and died = 9223372036854775807"));
        for turn in 0..kills(10) {
            let (name, key) = (format!("N-{turn:03}x"), format!("k-{turn}"));
            let (url, after) = (served.url.clone(), takes.mul_f64(random.random_range(0.0..1.5)));
            let heard = thread::scope(|scope| {
                let asked = scope.spawn(|| writing.make(&url, &key, &name));
                thread::sleep(after);
                served.kill();
                asked.join().unwrap()
            });
            gone(&db);
            lapse(&db);
            served = Served::start(&mut serve_on(&db), &log);
            let again = writing.make(&served.url, &key, &name).unwrap();
            match &heard {
                Some(heard) => assert_eq!((heard, heard.0), (&again, 201), "what was answered is answered again"),
                None if again.0 == 409 => {
                    assert_eq!(problem(&again.1), "/problems/in-flight", "nobody knows yet that its server is dead");
                    let anew = writing.make(&served.url, &format!("{key}-anew"), &name).unwrap();
                    assert!(anew.0 == 201 || problem(&anew.1) == "/problems/key-taken", "{} {}", anew.0, anew.1);
                }
                None => assert_eq!(again.0, 201, "{}", again.1),
            }
            assert_eq!(made(&name), 1);
        }
        served.kill();
        gone(&db);
        drop(Checker::new(keyring()).cold(&db));
    }
}
