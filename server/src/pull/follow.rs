//! Applying the feed of changes to a copy, page after page.
//!
//! * A page without items is the end: everything that was there when it was asked for is applied.
//! * A place that the commons does not know any more (too old, keys exchanged, a backup restored, other scopes) is no failure: the feed is
//!   read from its beginning, once, and what it does not name goes at the end.
//! * A commons that is busy says for how long, and is asked again; one that does not answer is asked a few times. Whoever gives up leaves
//!   the copy at a page's end.

use std::thread::sleep;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::Method;
use serde_json::{Value, json};

use super::copy::Copy;
use crate::cli::remote::{Failed, Remote, RemoteArgs};

/// Items of one page: as many as the commons gives.
const PAGE: &str = "1000";
/// How often a page is asked for that does not come.
const TRIES: u32 = 6;
/// The longest wait that a commons can ask for.
const LONGEST: Duration = Duration::from_secs(120);

/// What was done.
#[derive(Default)]
pub(super) struct Pulled {
    pub(super) upserted: u64,
    pub(super) removed: u64,
    /// Whether everything was read from the beginning, though something had been before.
    pub(super) anew: bool,
    /// Whether the commons knows that it is applied.
    pub(super) acknowledged: bool,
}

/// Applies whatever the feed has.
pub(super) fn follow(args: &RemoteArgs, mut remote: Remote, copy: &mut Copy, agreement: Option<&str>) -> Result<Pulled, String> {
    let mut pulled = Pulled::default();
    let shown = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
    if let Ok(style) = ProgressStyle::with_template("{spinner} pulling {human_pos} changes {elapsed}") {
        shown.set_style(style);
    }
    let mut renewed = false;
    loop {
        let place = copy.place()?;
        let page = match patiently(&remote, place.as_deref(), agreement) {
            Ok(page) => page,
            Err(Failed::Refused(status, problem, _)) if place.is_some() && !pulled.anew && is_forgotten(status, &problem) => {
                pulled.anew = true;
                copy.begin_anew()?;
                continue;
            }
            // A token can run out while much is read.
            Err(Failed::Refused(401, ..)) if !renewed => {
                renewed = true;
                remote = args.remote()?;
                continue;
            }
            Err(other) => return Err(other.into()),
        };
        let items = page.get("items").and_then(Value::as_array).ok_or("the answer is no feed")?;
        let next = page.get("next").and_then(Value::as_str).ok_or("the answer is no feed")?;
        let (upserted, removed) = copy.apply(items, next)?;
        (pulled.upserted, pulled.removed) = (pulled.upserted + upserted, pulled.removed + removed);
        shown.inc(upserted + removed);
        if items.is_empty() {
            pulled.removed += copy.end()?;
            pulled.acknowledged = remote.is_signed_in() && acknowledge(&remote, next, agreement);
            shown.finish_and_clear();
            return Ok(pulled);
        }
    }
}

/// Whether a place in the feed is none any more.
fn is_forgotten(status: u16, problem: &Value) -> bool {
    let kind = problem.get("type").and_then(Value::as_str).unwrap_or_default();
    status == 410 || (status == 400 && kind.ends_with("/invalid-cursor"))
}

/// One page, however often it has to be asked for.
fn patiently(remote: &Remote, place: Option<&str>, agreement: Option<&str>) -> Result<Value, Failed> {
    let mut query = vec![("limit", PAGE)];
    query.extend(place.map(|place| ("cursor", place)));
    query.extend(agreement.map(|agreement| ("agreement", agreement)));
    let mut tried = 0;
    loop {
        tried += 1;
        let failed = match remote.get("/api/v1/changes", &query) {
            Ok(page) => return Ok(page),
            Err(failed) if tried == TRIES => return Err(failed),
            Err(failed) => failed,
        };
        match &failed {
            Failed::Silent(_) | Failed::Refused(429 | 500 | 502 | 503 | 504, ..) => sleep(wait(&failed, tried)),
            Failed::Refused(..) => return Err(failed),
        }
    }
}

/// As long as the commons asks for; where it says nothing, twice as long each time.
fn wait(failed: &Failed, tried: u32) -> Duration {
    let asked = if let Failed::Refused(_, _, asked) = failed { *asked } else { None };
    asked.unwrap_or(Duration::from_millis(250 << tried)).min(LONGEST)
}

/// Tells the commons that everything up to `place` is applied. That this fails changes nothing in the copy.
fn acknowledge(remote: &Remote, place: &str, agreement: Option<&str>) -> bool {
    let mut said = json!({"cursor": place});
    if let (Some(agreement), Some(said)) = (agreement, said.as_object_mut()) {
        said.insert("agreement".to_owned(), agreement.into());
    }
    let told = remote.request(Method::POST, "/api/v1/changes/ack").and_then(|request| remote.send(request.json(&said)));
    if let Err(failed) = told {
        tracing::warn!(why = %String::from(failed), "the commons was not told that its changes are applied");
        return false;
    }
    true
}
