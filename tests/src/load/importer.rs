//! Somebody who keeps a list: uploads, commits, takes back; and knows what the list must hold.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::json;

use super::{Body, Caller, Gone, Path, Work, pause};
use crate::checker::Seen;
use crate::commons::List;

/// What a list holds: the title of each record, by its reference. A title says in which turn it was written.
type Content = BTreeMap<String, String>;

/// A step that was begun and not acknowledged.
enum Pending {
    Nothing,
    /// An upload, or the reading of what was uploaded.
    Upload,
    /// A commit or an undo of this import; the list holds this afterwards.
    Change {
        import: String,
        undo: bool,
        after: Content,
    },
}

/// Somebody who keeps a list.
pub struct Importer {
    name: String,
    caller: Caller,
    dataset: String,
    prefix: String,
    size: usize,
    turn: usize,
    random: StdRng,
    content: Content,
    /// The import that was committed last, with what the list held before.
    last: Option<(String, Content)>,
    /// A checked import that waits for being committed, with what the list holds afterwards.
    waiting: Option<(String, Content)>,
    pending: Pending,
    /// Steps that were acknowledged.
    pub acknowledged: u64,
}

/// A file: the records with these numbers as they are written in a turn.
pub(super) fn csv(prefix: &str, numbers: Range<usize>, turn: usize) -> String {
    let mut text = "reference,title,category,city,country,salary_min,closes_on,contact_email,description\n".to_owned();
    for number in numbers {
        let country = ["ES", "FR", "PT"].get(number % 3).unwrap_or(&"ES");
        let (reference, title) = (reference(prefix, number), title(number, turn));
        // Writing to a string does not fail.
        let _written = writeln!(
            text,
            "{reference},{title},job,City {},{country},{},2026-12-{:02},p{number}@x.example,Turn {turn}",
            number % 7,
            20_000 + (number + turn) % 9_000,
            1 + (number + turn) % 28,
        );
    }
    text
}

fn reference(prefix: &str, number: usize) -> String {
    format!("{prefix}-{number}")
}

fn title(number: usize, turn: usize) -> String {
    format!("Work {number} of turn {turn}")
}

impl Importer {
    pub(super) fn new(name: &str, token: &str, list: &List, prefix: &str, size: usize, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            caller: Caller::new(Some(token.to_owned())),
            dataset: list.id.to_string(),
            prefix: prefix.to_owned(),
            size,
            turn: 0,
            random: StdRng::seed_from_u64(seed ^ size as u64),
            content: (0..size).map(|number| (reference(prefix, number), title(number, 0))).collect(),
            last: None,
            waiting: None,
            pending: Pending::Nothing,
            acknowledged: 0,
        }
    }

    /// Works until the server is gone, or it is told to stop.
    pub fn work(&mut self, work: &Work) {
        while !work.stopped() {
            match self.turn(work) {
                Ok(()) => pause(&mut self.random, 40),
                Err(Gone) => return,
            }
        }
    }

    fn turn(&mut self, work: &Work) -> Result<(), Gone> {
        if self.waiting.is_none() {
            if self.last.is_some() && self.random.random_bool(0.4) {
                return self.undo(work);
            }
            self.upload(work)?;
        }
        if self.waiting.is_some() { self.commit(work) } else { Ok(()) }
    }

    /// Part of the list, rewritten, and a few records more.
    fn upload(&mut self, work: &Work) -> Result<(), Gone> {
        self.turn += 1;
        let from = self.random.random_range(0..self.size / 3);
        let until = self.random.random_range(self.size / 2..self.size + 5);
        let mut after = self.content.clone();
        after.extend((from..until).map(|number| (reference(&self.prefix, number), title(number, self.turn))));
        let path = format!("/api/v1/datasets/{}/imports?filename=turn-{}.csv", self.dataset, self.turn);
        self.pending = Pending::Upload;
        work.begin(&self.name, Path::Upload);
        let file = Body::File(csv(&self.prefix, from..until, self.turn));
        let (status, import) = self.caller.told(work, Method::POST, &path, Some(file), &[])?;
        work.end(&self.name);
        self.pending = Pending::Nothing;
        if status == 201 && import["state"] == "draft" {
            work.complain(format!("a file whose columns are known is a draft: {}", import["columns"]));
        } else if status == 201 {
            self.waiting = import["id"].as_str().map(|id| (id.to_owned(), after));
            self.acknowledged += 1;
        }
        Ok(())
    }

    fn commit(&mut self, work: &Work) -> Result<(), Gone> {
        let Some((import, after)) = self.waiting.clone() else { return Ok(()) };
        let path = if self.size > 500 { Path::LargeCommit } else { Path::SmallCommit };
        if self.change(work, &import, false, after.clone(), path)? {
            self.last = Some((import, std::mem::replace(&mut self.content, after)));
            self.waiting = None;
        }
        Ok(())
    }

    fn undo(&mut self, work: &Work) -> Result<(), Gone> {
        let Some((import, before)) = self.last.clone() else { return Ok(()) };
        if self.change(work, &import, true, before.clone(), Path::Undo)? {
            self.content = before;
            self.last = None;
        }
        Ok(())
    }

    /// Whether it was acknowledged.
    fn change(&mut self, work: &Work, import: &str, undo: bool, after: Content, path: Path) -> Result<bool, Gone> {
        self.pending = Pending::Change { import: import.to_owned(), undo, after };
        let verb = if undo { "undo" } else { "commit" };
        work.begin(&self.name, path);
        let url = format!("/api/v1/imports/{import}/{verb}");
        // Somebody else may be building a share of the same list.
        let (status, told) = self.caller.told(work, Method::POST, &url, Some(Body::Json(json!({}))), &[409])?;
        work.end(&self.name);
        if undo && told["type"] == "/problems/too-old" {
            // Pruned: what it replaced is no longer kept.
            (self.last, self.pending) = (None, Pending::Nothing);
            return Ok(false);
        }
        if status == 409 && told["type"] != "/problems/busy" {
            work.complain(format!("{verb} was answered 409 {}: {}", told["type"], told["detail"]));
        }
        let expected = if undo { "undone" } else { "committed" };
        if status == 200 && !told.is_null() && told["state"] != expected {
            work.complain(format!("{verb} was answered with an import that is {}", told["state"]));
        }
        if status == 202 {
            // Not acknowledged: it may be done or not.
            return Ok(false);
        }
        self.pending = Pending::Nothing;
        self.acknowledged += u64::from(status == 200);
        Ok(status == 200)
    }

    /// Which path a server that died here was on; nothing where this worker was not in the middle of anything.
    #[must_use]
    pub fn died_in(&self, seen: &Seen) -> Option<Path> {
        match &self.pending {
            Pending::Nothing => None,
            Pending::Upload if seen.uploads(&self.dataset).iter().any(|whole| *whole) => Some(Path::Reading),
            Pending::Upload => Some(Path::Upload),
            Pending::Change { undo: true, .. } => Some(Path::Undo),
            Pending::Change { .. } if self.size > 500 => Some(Path::LargeCommit),
            Pending::Change { .. } => Some(Path::SmallCommit),
        }
    }

    /// Compares the list with what was acknowledged; what was not must be there wholly or not at all.
    pub fn compare(&self, seen: &Seen) -> Vec<String> {
        let live = seen.live(&self.dataset, "reference", "title");
        let possible = match &self.pending {
            Pending::Change { after, .. } => vec![&self.content, after],
            Pending::Nothing | Pending::Upload => vec![&self.content],
        };
        if possible.contains(&&live) {
            return Vec::new();
        }
        let off = self.content.iter().filter(|(reference, title)| live.get(*reference) != Some(*title)).count();
        vec![format!("the list `{}` holds what nobody acknowledged: {off} of {} records are off", self.name, live.len())]
    }

    /// Finds out what became of what was not acknowledged, once the server is back and has settled.
    ///
    /// # Errors
    /// What is wrong: a commons goes on by itself.
    pub fn resume(&mut self, seen: &Seen) -> Result<(), String> {
        let faults = self.compare(seen);
        if let Some(fault) = faults.into_iter().next() {
            return Err(fault);
        }
        if let Pending::Change { import, undo, after } = std::mem::replace(&mut self.pending, Pending::Nothing) {
            let live = seen.live(&self.dataset, "reference", "title");
            let done =
                live == after && (live != self.content || seen.import(&import).is_some_and(|(state, _)| finished(state, undo)));
            let state = seen.import(&import).map(|(state, _)| state).unwrap_or("gone");
            let expected: &[&str] = match (done, undo) {
                (true, false) => &["committed"],
                (true, true) => &["undone"],
                (false, false) => &["checked", "interrupted"],
                (false, true) => &["committed"],
            };
            if !expected.contains(&state) {
                return Err(format!("an import of `{}` is {state} after a crash, not {}", self.name, expected.join(" or ")));
            }
            if done {
                let before = std::mem::replace(&mut self.content, after);
                self.waiting = None;
                self.last = (!undo).then_some((import, before));
            }
        }
        Ok(())
    }

    /// Where an import of this list stands; empty if nobody can be asked.
    #[must_use]
    pub fn state(&self, work: &Work, import: &str) -> String {
        let told = self.caller.told(work, Method::GET, &format!("/api/v1/imports/{import}"), None, &[]);
        told.map(|(_, told)| told["state"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
    }

    /// The status with which a commit is answered; 0 if nobody can be asked.
    #[must_use]
    pub fn commit_again(&self, work: &Work, import: &str) -> u16 {
        let body = Body::Json(json!({}));
        let told = self.caller.told(work, Method::POST, &format!("/api/v1/imports/{import}/commit"), Some(body), &[409]);
        told.map(|(status, _)| status).unwrap_or_default()
    }

    /// The dataset it keeps.
    #[must_use]
    pub fn dataset(&self) -> &str {
        &self.dataset
    }
}

fn finished(state: &str, undo: bool) -> bool {
    state == if undo { "undone" } else { "committed" }
}
