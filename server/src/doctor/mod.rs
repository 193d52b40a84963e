//! `hayward doctor`: looks at a commons from outside, and says what is wrong and what to do.
//!
//! It changes nothing: it migrates nothing, makes no key file, and reads no row of a list. Every check says one sentence; one that is
//! not well says a second, about what to do.

mod database;
mod ledger;
mod machine;

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use hayward_domain::moment::Moment;
use hayward_store::{Inspector, StoreError};
use serde::Serialize;

use crate::app;
use crate::cli::{CertificateArgs, Database, Done};

/// `hayward doctor`, as it is typed.
#[derive(Args)]
pub struct Doctor {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    certificate: CertificateArgs,
    /// Leave out what takes long on a large commons: the database's structure and the chains of the ledger
    #[arg(long)]
    quick: bool,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
}

/// How well something is. The worst of all checks is the report's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Well.
    Ok,
    /// Not well yet.
    Warning,
    /// Not well.
    Failed,
}

/// What one check found.
#[derive(Serialize)]
pub struct Check {
    /// What was looked at.
    name: &'static str,
    status: Status,
    /// What was found.
    found: String,
    /// What to do about it; empty where it is well.
    #[serde(skip_serializing_if = "str::is_empty")]
    advice: &'static str,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, found: found.into(), advice: "" }
    }

    fn warning(name: &'static str, found: impl Into<String>, advice: &'static str) -> Self {
        Self { name, status: Status::Warning, found: found.into(), advice }
    }

    fn failed(name: &'static str, found: impl Into<String>, advice: &'static str) -> Self {
        Self { name, status: Status::Failed, found: found.into(), advice }
    }

    /// A check that could not be made.
    fn unmade(name: &'static str, error: &StoreError) -> Self {
        Self::failed(name, format!("this could not be looked at: {error}"), "See what the other checks say about the database.")
    }
}

/// Looks, and says what was found. 0: all well. 1: something is not well yet. 2: something is not well.
///
/// # Errors
/// A sentence, where nothing could be looked at.
pub fn run(doctor: &Doctor, out: &mut impl Write) -> Done {
    let checks = look(doctor, app::machine_clock()())?;
    let worst = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
    let text = if doctor.json {
        serde_json::json!({"status": worst, "checks": checks}).to_string()
    } else {
        checks.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    writeln!(out, "{text}").map_err(|error| error.to_string())?;
    Ok(match worst {
        Status::Ok => ExitCode::SUCCESS,
        Status::Warning => ExitCode::from(1),
        Status::Failed => ExitCode::from(2),
    })
}

fn line(check: &Check) -> String {
    let status = match check.status {
        Status::Ok => "ok",
        Status::Warning => "warning",
        Status::Failed => "failed",
    };
    let advice = if check.advice.is_empty() { String::new() } else { format!("\n{:27}{}", "", check.advice) };
    format!("{status:9}{:18}{}{advice}", check.name, check.found)
}

fn look(doctor: &Doctor, now: Moment) -> Result<Vec<Check>, String> {
    let url = doctor.database.url()?;
    let keys = doctor.database.key_path(&url);
    let mut checks = vec![machine::disk(&url), machine::files(&url), machine::logs(&url)];
    checks.extend(doctor.certificate.files()?.map(|files| machine::certificate(&files, now)));
    let inspector = match Inspector::open(&url) {
        Ok(inspector) => inspector,
        Err(StoreError::NotFound) => {
            checks.push(Check::failed(
                "database",
                "there is no database here",
                "Name it with DATABASE_URL or --database-url; `hayward serve` makes one.",
            ));
            return Ok(checks);
        }
        Err(error) => return Err(error.to_string()),
    };
    let (reached, up_to_date) = database::reached(&inspector);
    checks.extend(reached);
    // What this program does not know, it cannot judge.
    if !up_to_date {
        return Ok(checks);
    }
    checks.push(machine::keys(&keys, inspector.noted(hayward_store::KEY_PRINT)));
    checks.extend([database::role(&inspector), database::clock(&inspector, now), database::backups(&inspector, now)]);
    checks.extend(database::stale(&inspector, now));
    checks.push(ledger::backlog(&inspector, now));
    if !doctor.quick {
        checks.extend([ledger::chains(&inspector), database::integrity(&inspector)]);
    }
    Ok(checks)
}
