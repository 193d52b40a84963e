//! `hayward selftest`: whether this very program, on this machine, keeps what it promises, tried on a made-up world.
//!
//! A fresh demo world is served on loopback from a temporary folder (or an empty database that is named), and asked over HTTP like
//! any other, by everybody who is in it. What should come out is worked out again from the originals and the terms, which the program
//! knows, and not by the functions that are tried. Nothing of a commons that is in use is touched, and no value is printed.

mod canary;
mod keeping;
mod ledger;
mod preview;
mod routes;
mod twins;
mod world;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use clap::builder::PossibleValuesParser;
use hayward_store::DatabaseUrl;
use serde::Serialize;

use crate::cli::Done;
use world::World;

/// `hayward selftest`, as it is typed.
#[derive(Args)]
pub struct Selftest {
    /// What to try: one of the checks, or all of them
    #[arg(value_parser = PossibleValuesParser::new(names()))]
    name: String,
    /// An empty database to make the world in, instead of a temporary folder
    #[arg(long)]
    database_url: Option<String>,
    /// The same number makes the same world
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
}

/// What a check comes to: a sentence about what was tried, or one about what is wrong.
type Found = Result<String, String>;

/// A check over one world.
type Check = fn(&World) -> Found;

/// The checks in the order in which they are made: what changes the world comes last.
const CHECKS: [(&str, Check); 8] = [
    ("routes", routes::check),
    ("canary", canary::check),
    ("preview", preview::check),
    ("twins", twins::check),
    ("accounting", keeping::accounting),
    ("undo", keeping::undo),
    ("feed", keeping::feed),
    ("ledger", ledger::check),
];

fn names() -> Vec<&'static str> {
    CHECKS.iter().map(|(name, _)| *name).chain(["all"]).collect()
}

/// One line of the report.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    ok: bool,
    found: String,
    milliseconds: u64,
}

/// Makes the checks. 0: all hold. 1: one does not.
///
/// # Errors
/// A sentence, where nothing could be tried.
pub fn run(selftest: &Selftest, out: &mut impl Write) -> Done {
    let database = selftest.database_url.as_deref().map(DatabaseUrl::parse).transpose()?;
    let world = World::start(selftest.seed, false, database)?;
    let wanted = |name: &str| selftest.name == "all" || selftest.name == name;
    let mut lines = Vec::new();
    for (name, check) in CHECKS.into_iter().filter(|(name, _)| wanted(name)) {
        let began = Instant::now();
        let (ok, found) = match check(&world) {
            Ok(found) => (true, found),
            Err(found) => (false, found),
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = Line { name, ok, found, milliseconds };
        if !selftest.json {
            let word = if line.ok { "ok" } else { "failed" };
            writeln!(out, "{word:9}{:12}{}", line.name, line.found)
                .and_then(|()| out.flush())
                .map_err(|error| error.to_string())?;
        }
        lines.push(line);
    }
    let ok = lines.iter().all(|line| line.ok);
    if selftest.json {
        let report = serde_json::json!({"ok": ok, "seed": selftest.seed, "checks": lines});
        writeln!(out, "{report}").map_err(|error| error.to_string())?;
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
