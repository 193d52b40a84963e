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
    /// The last day comes to its end.
    Expire,
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
            Self::Expire => world.pass(Duration::from_secs(366 * 86_400)),
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

/// A token that outlives what is closed: a program's lasts an hour, and the last day is a year away.
fn token_for(world: &World, closing: Closing) -> String {
    if matches!(closing, Closing::Expire) { PartnerClient.token().unwrap() } else { new_token(world) }
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

/// What a reader who began before knows: a record, the tag of a page, a place in the feed.
struct Known {
    record: String,
    agreement: String,
    tag: String,
    feed: String,
}

impl Known {
    fn learn(server: &Server, token: &str, agreement: &str) -> Self {
        let page = Answer::from(server.get(&format!("/api/v1/opportunities?agreement={agreement}"), Some(token))).expect(200);
        let feed = Answer::from(server.get("/api/v1/changes?limit=1", Some(token))).expect(200).json();
        let tag = page.header("etag").to_owned();
        Self {
            record: page.items()[0]["id"].as_str().unwrap().to_owned(),
            agreement: agreement.to_owned(),
            tag,
            feed: feed["next"].as_str().unwrap().to_owned(),
        }
    }
}

/// One reader's round: a list, a stream, the feed, a record, a page it has already, the feed from where it was. Whether it was given
/// anything of the agreement; nothing where the answer broke off.
fn read(server: &Server, known: &Known, token: &str, round: usize) -> Option<bool> {
    let Known { record, agreement, tag, feed } = known;
    let (path, accept) = match round % 6 {
        0 => ("/api/v1/opportunities?limit=1000".to_owned(), "application/json"),
        1 => ("/api/v1/opportunities".to_owned(), "application/x-ndjson"),
        2 => ("/api/v1/changes?limit=1000".to_owned(), "application/json"),
        3 => (format!("/api/v1/opportunities/{record}"), "application/json"),
        4 => (format!("/api/v1/opportunities?agreement={agreement}"), "application/json"),
        _ => (format!("/api/v1/changes?limit=1000&cursor={feed}"), "application/json"),
    };
    let request = server.request(Method::GET, &path, Some(token)).header("Accept", accept);
    let request = if round % 6 == 4 { request.header("If-None-Match", tag) } else { request };
    // That a page still is what it was says what it holds.
    Answer::if_whole(request).map(|answer| answer.status == 304 || answer.text().contains("\"Mine "))
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

/// Readers read without a pause, at two servers, while somebody closes at one of them; whoever begins after the acknowledgement gets
/// nothing of it anywhere.
fn nothing_after_the_acknowledgement(world: &World, closing: Closing) {
    let other = Server::start_again(world.database.url(), SEED, 2, world.server.clock.clone());
    let servers = [&world.server, &other];
    let (agreement, token) = (agreed(world), token_for(world, closing));
    let known = Known::learn(&world.server, &token, &agreement);
    let (closed, enough) = (AtomicBool::new(false), AtomicBool::new(false));
    let seen: [Seen; 4] = Default::default();
    let reader = |from: usize| {
        for round in from.. {
            if enough.load(Ordering::SeqCst) {
                break;
            }
            let late = closed.load(Ordering::SeqCst);
            let given = read(servers[from % servers.len()], &known, &token, round).unwrap_or(false);
            assert!(!(late && given), "{closing:?} was acknowledged, and then round {} gave something", round % 6);
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
        wait_until(|| seen.iter().all(|seen| seen.after.load(Ordering::SeqCst) > 12) || !going_on());
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
    fn nobody_reads_on_after_the_last_day(world: World) {
        nothing_after_the_acknowledgement(&world, Closing::Expire);
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
