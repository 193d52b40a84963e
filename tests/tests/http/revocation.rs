//! After a revocation was acknowledged, nobody is handed what it closed.

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::server::Server;
use hayward_tests::{on_both, raw};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::bulk;
use crate::founding::{CLIENT_SECRET, SEED};
use crate::world::Persona::{Nobody, PartnerClient, Steward};
use crate::world::World;

/// Ways in which data is closed.
#[derive(Clone, Copy, Debug)]
enum Closing {
    Suspend,
    Narrow,
    End,
    RevokeToken,
}

impl Closing {
    /// Does it, and returns when it is acknowledged.
    fn close(self, world: &World, agreement: &str, token: &str) {
        match self {
            Self::Suspend => drop(world.decide(Steward, agreement, "suspend", 1).expect(200)),
            Self::End => drop(world.decide(Steward, agreement, "end", 1).expect(200)),
            Self::Narrow => {
                let path = format!("/api/v1/agreements/{agreement}");
                let mut terms = world.get(Steward, &path).ok()["terms"].clone();
                terms["rows"] = json!({"all": [{"country": {"eq": "ES"}}, {"country": {"eq": "XX"}}]});
                let narrowed = world.post(Steward, &format!("{path}/versions"), &json!({"terms": terms, "from": 1})).expect(201);
                assert_eq!(narrowed.json()["state"], "active");
            }
            Self::RevokeToken => {
                let request = world.request(Nobody, Method::POST, "/oauth/revoke");
                let request = request.basic_auth(world.id(PartnerClient.name()), Some(CLIENT_SECRET));
                Answer::to(request.body(format!("token={token}"))).expect(200);
            }
        }
    }
}

fn new_token(world: &World) -> String {
    let request =
        world.request(Nobody, Method::POST, "/oauth/token").basic_auth(world.id(PartnerClient.name()), Some(CLIENT_SECRET));
    Answer::to(request.body("grant_type=client_credentials")).ok()["access_token"].as_str().unwrap().to_owned()
}

/// A small agreement of its own, whose rows all say `Mine`.
fn agreed(world: &World) -> String {
    let made = world
        .post(crate::world::Persona::Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Mine"}))
        .expect(201)
        .json();
    let rows: String = (1..=40).map(|row| format!("MINE-{row},Mine {row},ES\n")).collect();
    world.import(made["id"].as_str().unwrap(), format!("reference,title,country\n{rows}"));
    let mut terms = world.terms(made["id"].as_str().unwrap(), json!({"title": "exact", "country": "exact"}));
    terms["rows"] = json!({"all": [{"country": {"eq": "ES"}}]});
    world.agree(&terms)
}

/// One reader's round: a list, a stream, the feed.
fn read(world: &World, token: &str, round: usize) -> Option<Answer> {
    let (path, accept) = match round % 3 {
        0 => ("/api/v1/opportunities?limit=1000", "application/json"),
        1 => ("/api/v1/opportunities", "application/x-ndjson"),
        _ => ("/api/v1/changes?limit=1000", "application/json"),
    };
    Answer::if_whole(world.server.request(Method::GET, path, Some(token)).header("Accept", accept))
}

/// What one reader has seen.
#[derive(Default)]
struct Seen {
    before: AtomicUsize,
    after: AtomicUsize,
}

fn wait_until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "the readers do not get on");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Readers read without a pause while somebody closes; whoever begins after the acknowledgement gets nothing of it.
fn nothing_after_the_acknowledgement(world: &World, closing: Closing) {
    let (agreement, token) = (agreed(world), new_token(world));
    let (closed, enough) = (AtomicBool::new(false), AtomicBool::new(false));
    let seen: [Seen; 3] = Default::default();
    let reader = |from: usize| {
        for round in from.. {
            if enough.load(Ordering::SeqCst) {
                break;
            }
            let late = closed.load(Ordering::SeqCst);
            let text = read(world, &token, round).map(|answer| answer.text()).unwrap_or_default();
            let given = text.contains("\"Mine ");
            assert!(!(late && given), "{closing:?} was acknowledged, and then came {text}");
            if late {
                seen[from].after.fetch_add(1, Ordering::SeqCst);
            } else if given {
                seen[from].before.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    thread::scope(|scope| {
        let readers: Vec<_> = (0..seen.len())
            .map(|from| {
                let reader = &reader;
                scope.spawn(move || reader(from))
            })
            .collect();
        let going_on = || !readers.iter().any(|reader| reader.is_finished());
        wait_until(|| seen.iter().all(|seen| seen.before.load(Ordering::SeqCst) > 2) || !going_on());
        closing.close(world, &agreement, &token);
        closed.store(true, Ordering::SeqCst);
        wait_until(|| seen.iter().all(|seen| seen.after.load(Ordering::SeqCst) > 5) || !going_on());
        enough.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

on_both! {
    fn nobody_reads_on_after_a_suspension(world: World) {
        nothing_after_the_acknowledgement(&world, Closing::Suspend);
    }
}

on_both! {
    fn nobody_reads_on_after_a_narrowing(world: World) {
        nothing_after_the_acknowledgement(&world, Closing::Narrow);
    }
}

on_both! {
    fn nobody_reads_on_after_an_ending(world: World) {
        nothing_after_the_acknowledgement(&world, Closing::End);
    }
}

on_both! {
    fn nobody_reads_on_with_a_revoked_token(world: World) {
        nothing_after_the_acknowledgement(&world, Closing::RevokeToken);
    }
}

/// A stream that waits for its reader while somebody closes ends without what was not yet handed over; the ledger, whose entries
/// come before the bytes, says what that was.
fn a_stream_ends(world: &World, closing: Closing) {
    let (agreement, token) = (bulk::agreed(world), new_token(world));
    let path = format!("/api/v1/opportunities?agreement={agreement}");
    let mut stream =
        world.server.request(Method::GET, &path, Some(&token)).header("Accept", "application/x-ndjson").send().unwrap();
    let id = stream.headers()["disclosure-id"].to_str().unwrap().to_owned();
    let mut first = [0; 1000];
    stream.read_exact(&mut first).unwrap();
    let given = || -> u64 {
        let entries = raw::ledger::ask(&world.database, &format!("select disclosed as value from entries where id = '{id}'"));
        entries.iter().map(|disclosed| serde_json::from_str::<Value>(disclosed).unwrap()[0]["count"].as_u64().unwrap()).sum()
    };
    closing.close(world, &agreement, &token);
    let at_the_acknowledgement = given();
    let mut rest = Vec::new();
    let broken = stream.read_to_end(&mut rest).is_err();
    let rows = rest.iter().filter(|byte| **byte == b'\n').count() as u64;
    assert!(broken, "{closing:?}: a stream that is cut must not look whole");
    assert!(at_the_acknowledgement < bulk::ROWS as u64, "{closing:?} came too late to show anything");
    assert_eq!(given(), at_the_acknowledgement, "{closing:?}: something was given after the acknowledgement");
    assert!(rows <= at_the_acknowledgement);
}

on_both! {
    fn a_stream_under_way_ends_with_a_suspension(world: World) {
        a_stream_ends(&world, Closing::Suspend);
    }
}

on_both! {
    fn a_stream_under_way_ends_with_a_narrowing(world: World) {
        a_stream_ends(&world, Closing::Narrow);
    }
}

on_both! {
    fn a_stream_under_way_ends_with_its_token(world: World) {
        a_stream_ends(&world, Closing::RevokeToken);
    }
}

on_both! {
    fn a_revocation_on_one_server_holds_on_every_other(world: World) {
        let other = Server::start_again(world.database.url(), SEED, 2, world.server.clock.clone());
        let there = |path: &str| Answer::from(other.get(path, PartnerClient.token().as_deref()));
        let path = "/api/v1/opportunities";
        assert_eq!(there(path).expect(200).body, world.get(PartnerClient, path).expect(200).body);
        world.decide(Steward, world.id("agreement"), "suspend", 1).expect(200);
        assert_eq!(there(path).column("title").len(), 2, "the third's are left");
        world.decide(Steward, world.id("agreement"), "resume", 1).expect(200);
        assert_eq!(there(path).column("title").len(), 10);
        let cursor = world.get(PartnerClient, &format!("{path}?limit=3")).ok()["next"].as_str().unwrap().to_owned();
        there(&format!("{path}?limit=3&cursor={cursor}")).expect(200);
    }
}
