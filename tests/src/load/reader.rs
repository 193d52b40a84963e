//! A partner's program, or somebody without a token: pages, items, exports, the feed; and what of it arrived.

use std::collections::BTreeSet;
use std::io::Read;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::Value;

use super::{Body, Caller, Gone, Path, Work, judge, pause};
use crate::checker::Answer;

/// What every item has around its fields.
const ENVELOPE: [&str; 6] = ["id", "provider", "agreement", "edition", "type", "collection"];

/// The answer where an agreement was closed while the answer was being made.
const CLOSED: u16 = 503;

/// Somebody who reads.
pub struct Reader {
    name: String,
    caller: Caller,
    random: StdRng,
    /// An item that was seen.
    item: Option<String>,
    /// Where the next page begins.
    next: Option<String>,
    /// Where the feed goes on.
    feed: Option<String>,
    died_in: Option<Path>,
    /// Everything that was received since it was last taken away, whole or in part.
    pub received: Vec<Answer>,
}

impl Reader {
    pub(super) fn new(name: &str, token: Option<&str>, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            caller: Caller::new(token.map(str::to_owned)),
            random: StdRng::seed_from_u64(seed ^ 0x5ead),
            item: None,
            next: None,
            feed: None,
            died_in: None,
            received: Vec::new(),
        }
    }

    /// Reads until the server is gone, or it is told to stop.
    pub fn work(&mut self, work: &Work) {
        self.died_in = None;
        while !work.stopped() {
            match self.turn(work) {
                Ok(()) => pause(&mut self.random, 15),
                Err(Gone) => return,
            }
        }
    }

    fn turn(&mut self, work: &Work) -> Result<(), Gone> {
        match self.random.random_range(0..10) {
            0..=3 => {
                let filter = ["", "&country=ES", "&sort=title", "&fields=title"].choose(&mut self.random).unwrap_or(&"");
                let path = match self.next.take() {
                    Some(next) => format!("/api/v1/opportunities?limit=20&cursor={next}"),
                    None => format!("/api/v1/opportunities?limit=20{filter}"),
                };
                // A filter by a field that no share opens at the moment is a bad request; so is a cursor after its share closed.
                let answer = self.read(work, Path::Page, &path, "application/json", &[400, 410, CLOSED])?;
                self.next = answer["next"].as_str().map(str::to_owned).filter(|_| path.ends_with("limit=20"));
                self.item = answer["items"][0]["id"].as_str().map(str::to_owned).or(self.item.take());
            }
            4..=5 => {
                let Some(item) = self.item.take() else { return Ok(()) };
                self.read(work, Path::Page, &format!("/api/v1/opportunities/{item}"), "application/json", &[404, CLOSED])?;
            }
            6..=7 => {
                self.read(work, Path::Export, "/api/v1/opportunities", "application/x-ndjson", &[CLOSED])?;
            }
            _ => {
                let path = match &self.feed {
                    Some(cursor) => format!("/api/v1/changes?limit=200&cursor={cursor}"),
                    None => "/api/v1/changes?limit=200".to_owned(),
                };
                // After pruning a cursor may be too old.
                let answer = self.read(work, Path::Feed, &path, "application/json", &[410, CLOSED])?;
                self.feed = answer["next"].as_str().map(str::to_owned);
            }
        }
        Ok(())
    }

    /// Asks, takes what comes for as long as it comes, and notes it. The answer as JSON where it is whole.
    fn read(&mut self, work: &Work, path: Path, url: &str, kind: &'static str, expected: &[u16]) -> Result<Value, Gone> {
        self.died_in = Some(path);
        work.begin(&self.name, path);
        let mut response = self.caller.ask(work, Method::GET, url, Some(Body::Accept(kind)))?;
        let status = response.status().as_u16();
        let id = response.headers().get("disclosure-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let mut bytes = Vec::new();
        let mut piece = [0; 4_096];
        let whole = loop {
            match response.read(&mut piece) {
                Ok(0) => break true,
                Ok(count) => bytes.extend(piece.iter().take(count)),
                Err(_) => break false,
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        if status == 200 || status == 304 {
            let answer = received(id, &text);
            // Without a token an answer has no id; only what it held can be counted.
            if answer.id.is_some() || !answer.given.is_empty() {
                self.received.push(answer);
            }
        }
        if !whole && status == 200 {
            // An export ends in the middle where an agreement is closed meanwhile; a server that is gone is found out next time.
            work.end(&self.name);
            return if kind == "application/json" { Err(Gone) } else { Ok(Value::Null) };
        }
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        judge(work, &format!("GET {}", url.split("cursor=").next().unwrap_or(url)), status, &json, expected);
        work.end(&self.name);
        self.died_in = None;
        Ok(json)
    }

    /// Which path a server that died here was on.
    #[must_use]
    pub fn died_in(&self) -> Option<Path> {
        self.died_in
    }
}

/// What stands in an answer, whole or broken off: every item from its beginning, whatever of its fields came.
fn received(id: Option<String>, text: &str) -> Answer {
    let mut answer = Answer { id, ..Answer::default() };
    let begins: Vec<usize> = text.match_indices("\"id\":\"rec_").map(|(at, _)| at).collect();
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    for (from, until) in begins.iter().zip(ends) {
        let item = text.get(*from..until).unwrap_or_default();
        let (Some(record), Some(agreement)) = (value(item, "id"), value(item, "agreement")) else { continue };
        answer.given.entry(agreement).or_default().entry(record).or_default().extend(fields(item));
    }
    answer
}

/// The value of a name that stands in the text of an item; nothing where the text breaks off in it.
fn value(item: &str, name: &str) -> Option<String> {
    let (_, rest) = item.split_once(&format!("\"{name}\":\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// The names of the fields whose values have begun to arrive. The lists that are worked on hold no quotation marks.
fn fields(item: &str) -> BTreeSet<String> {
    let own = item.split('}').next().unwrap_or_default();
    let mut names = BTreeSet::new();
    let mut words = own.split('"').skip(1).peekable();
    while let Some(word) = words.next() {
        if words.peek().is_some_and(|after| after.starts_with(':')) && !ENVELOPE.contains(&word) {
            names.insert(word.to_owned());
        }
    }
    names
}
