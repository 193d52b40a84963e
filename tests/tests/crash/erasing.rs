//! Killed while a person is taken out of a list for good.

use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::commons::{Commons, List, To, keyring};
use hayward_tests::program::{Served, key_file, serve_on};
use hayward_tests::{TestDatabase, on_both, raw};
use rand::Rng;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::rounds::{gone, kills, lapse, seeded};

/// People in the list.
const PEOPLE: usize = 400;
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who asks the program, with one token.
struct Asking {
    client: Client,
    token: String,
}

impl Asking {
    fn get(&self, served: &Served, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", served.url)).bearer_auth(&self.token);
        request.send().unwrap().error_for_status().unwrap().json().unwrap()
    }

    /// Whether the erasure was acknowledged: nobody hears the answer of a program that is killed.
    fn erase(&self, served: &str, record: &str) -> bool {
        let request = self.client.post(format!("{served}/api/v1/records/{record}/erase")).bearer_auth(&self.token);
        request.json(&json!({"reason": "asked by letter"})).send().is_ok_and(|answer| answer.status() == 200)
    }

    /// The records of the list, by name.
    fn record(&self, served: &Served, list: &List, name: &str) -> Option<String> {
        let page = self.get(served, &format!("/api/v1/datasets/{}/records?limit=1000", list.id));
        let named = |item: &&Value| item.get("name").is_some_and(|called| called == name);
        items(&page).iter().find(named).map(|item| item.get("id").and_then(Value::as_str).unwrap().to_owned())
    }

    /// Whether everything that was begun comes to its end, and how many erasures there are.
    fn settled(&self, served: &Served) -> usize {
        let began = Instant::now();
        loop {
            let page = self.get(served, "/api/v1/erasures?limit=1000");
            if items(&page).iter().all(|erasure| erasure.get("state").is_some_and(|state| state == "erased")) {
                return items(&page).len();
            }
            assert!(began.elapsed() < PATIENCE, "an erasure that was begun does not end: {page}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn items(page: &Value) -> &[Value] {
    page.get("items").and_then(Value::as_array).unwrap()
}

/// Places where a name still stands.
fn places(db: &TestDatabase, name: &str) -> Vec<&'static str> {
    let columns = [("records", "body"), ("shared_records", "payload"), ("import_problems", "problem"), ("imports", "columns")];
    let holds = |(table, column): &(&str, &str)| raw::count(db, &format!("{table} where {column} like '%{name}%'")) > 0;
    columns.into_iter().filter(holds).map(|(table, _)| table).collect()
}

on_both! {
    fn who_is_erased_is_there_as_before_or_nowhere(commons: Commons) {
        let (_, mut random) = seeded();
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        let rows = (0..PEOPLE).map(|at| format!("{at},Quetzal{at:04}\n"));
        commons.import_csv(&list, &format!("identifier,name\n{}", rows.collect::<String>()));
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let asking = Asking { client: Client::new(), token: a.token.clone() };
        let db = commons.into_database();
        std::fs::write(key_file(&db), keyring().to_file()).unwrap();
        let log = db.folder().join("log");
        let mut served = Served::start(&mut serve_on(&db), &log);
        let (mut erased, mut takes) = (0, Duration::ZERO);
        for turn in 0..=kills(10) {
            let name = format!("Quetzal{turn:04}");
            let record = asking.record(&served, &list, &name).unwrap();
            let began = Instant::now();
            if turn == 0 {
                // The first is left alone, to see how long one takes.
                assert!(asking.erase(&served.url, &record));
                takes = began.elapsed();
            } else {
                let (url, after) = (served.url.clone(), takes.mul_f64(random.random_range(0.0..1.0)));
                let acknowledged = thread::scope(|scope| {
                    let asked = scope.spawn(|| asking.erase(&url, &record));
                    thread::sleep(after);
                    served.kill();
                    asked.join().unwrap()
                });
                gone(&db);
                lapse(&db);
                served = Served::start(&mut serve_on(&db), &log);
                let there = asking.record(&served, &list, &name).is_some();
                assert!(!(acknowledged && there), "{name} was erased, and is back");
                if there {
                    assert_eq!(asking.settled(&served), erased, "{name} is there, and an erasure too");
                    continue;
                }
            }
            erased += 1;
            assert_eq!(asking.settled(&served), erased);
            assert_eq!(places(&db, &name), Vec::<&str>::new(), "{name}, erased, still stands somewhere");
        }
        assert!(erased > 0);
    }
}
