//! The canary sweep: whatever is hidden bears a mark, and no mark comes out: not in an answer, not in a log, not in the ledger.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hayward_tests::{on_both, raw};
use serde_json::json;

use crate::answer::Answer;
use crate::crawl;
use crate::lists;
use crate::world::Persona::{self, EmptyClient, Garbage, Nobody, PartnerClient, PartnerSteward, Steward, ThirdClient};
use crate::world::{World, all_decided};

/// What the program logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Begins to keep everything that the program would log if it were asked for all it has.
fn keep_the_log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let begin = || {
        let log = Log::default();
        let writer = log.clone();
        let filter = hayward::logging::filter("trace,tokio_postgres::query=trace");
        tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(move || writer.clone()).try_init().unwrap();
        log
    };
    LOG.get_or_init(begin).clone()
}

/// Looks for marks in what `who` was answered.
struct Sweep {
    who: Persona,
    marks: Vec<String>,
    answers: usize,
    rows: usize,
}

impl Sweep {
    fn by(who: Persona) -> Self {
        let mut marks = lists::canaries();
        if who != ThirdClient {
            marks.push("Hidden job".to_owned());
        }
        Self { who, marks, answers: 0, rows: 0 }
    }

    fn look(&mut self, path: &str, answer: &Answer) {
        self.answers += 1;
        let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let mut text = format!("{headers}\n{}", answer.text());
        self.rows += text.matches("rec_").count();
        if self.who == ThirdClient {
            text = text.replace(lists::OPEN_TO_THE_THIRD, "");
        }
        for mark in &self.marks {
            assert!(!text.contains(mark.as_str()), "{:?} got `{mark}` from {path}: {text}", self.who);
        }
    }
}

#[track_caller]
fn nothing_in(text: &str, place: &str) {
    for mark in lists::canaries() {
        let found = text.find(&mark).map(|at| text.get(at.saturating_sub(200)..at + 60).unwrap_or_default().to_owned());
        assert_eq!(found, None, "{place} holds `{mark}`");
    }
}

/// What the provider does meanwhile: all of it about hidden things, some of it wrong.
fn provider_goes_on(world: &World) {
    let jobs = world.id("jobs");
    world.import(
        jobs,
        "reference,title,description,country\nZQX-REF-1,Job 01,ZQX-EDITED,ES\nZQX-REF-9,Hidden job 09,ZQX-EDITED,DE\n",
    );
    let wrong =
        world.upload(jobs, "reference,title,closes_on,website\nZQX-W1,ZQX-WRONG,ZQX no day,zqx-no-address\n").expect(201).json();
    let path = format!("/api/v1/imports/{}", wrong["id"].as_str().unwrap());
    world.put(Persona::Editor, &format!("{path}/matching"), &all_decided(&wrong)).expect(200);
    world.get(Persona::Editor, &format!("{path}/problems")).expect(200);
    world.get(Persona::Editor, &format!("{path}/diff")).expect(200);
    world.put(
        Persona::Editor,
        &format!("{path}/matching"),
        &json!({"columns": [{"column": "ZQX", "header": "ZQX", "field": "zqx"}]}),
    );
    world.upload(jobs, "{\"ZQX\": [ZQX").expect(201);
    world.get(Persona::Editor, &format!("/api/v1/datasets/{jobs}/records?sort=ZQX"));
    world.post(Persona::Nobody, "/api/v1/sessions", &json!({"email": "zqx-@people.example", "password": "ZQX-PASSWORD"}));
    let mut terms = world.terms(jobs, json!({"title": "exact"}));
    // The recipient reads the terms: only the names in them are about hidden things.
    terms["rows"] = json!({"description": {"null": false}});
    let secret = world.post(Steward, "/api/v1/agreements", &terms).expect(201).json();
    world.get(Steward, &format!("/api/v1/agreements/{}/versions/1/preview", secret["id"].as_str().unwrap())).expect(200);
    world.decide(Steward, secret["id"].as_str().unwrap(), "withdraw", 1).expect(200);
}

on_both! {
    fn no_mark_of_what_is_hidden_comes_out_anywhere(world: World) {
        let log = keep_the_log();
        let mut rows = 0;
        for who in [PartnerClient, ThirdClient, Nobody, PartnerSteward, EmptyClient, Garbage] {
            let mut sweep = Sweep::by(who);
            let mut look = |path: &str, answer: &Answer| sweep.look(path, answer);
            let at = crawl::feed(&world, who, None, &mut look);
            if matches!(who, PartnerClient | ThirdClient | Nobody) {
                crawl::collections(&world, who, &mut look);
            }
            crawl::everything_else(&world, who, &mut look);
            if who == PartnerClient {
                provider_goes_on(&world);
                let before = world.get(PartnerClient, "/api/v1/opportunities?limit=1000").expect(200);
                look("after", &before);
                world.decide(Steward, world.id("agreement"), "suspend", 1).expect(200);
                let at = crawl::feed(&world, who, at, &mut look);
                world.decide(Steward, world.id("agreement"), "resume", 1).expect(200);
                crawl::feed(&world, who, at, &mut look);
            }
            assert!(sweep.answers > 100, "{who:?} asked little");
            rows += sweep.rows;
        }
        assert!(rows > 1_000, "{rows} rows came out: a sweep that sees nothing proves nothing");

        let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
        assert!(log.matches("answered").count() > 1_000, "the log was kept");
        nothing_in(&log, "the log");
        assert!(!log.contains("90, 81, 88"), "the log holds `ZQX` byte by byte");
        let ledger = raw::ledger::everything(&world.database);
        assert!(ledger.contains(world.id("agreement")), "the ledger was read");
        nothing_in(&ledger, "the ledger");
    }
}
