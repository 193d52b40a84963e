//! The command line.

mod asking;
mod database;
mod login;
mod partner;
pub mod profile;
mod reach;
mod ready;
pub mod remote;
mod serve;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::admin::{self, AdminCommand};
use crate::doctor::{self, Doctor};
use crate::logging::Logging;
use crate::pull::{self, Pull};
use crate::{app, backup, files, ledger, reference, routes, selftest, tls};
use asking::{Catalogue, Request};
pub use database::Database;
use login::{Login, Logout};
use partner::{Agreements, Disclosures};
pub use reach::CertificateArgs;
use ready::Ready;
use serve::{Demo, Serve};

/// A data commons for co-ops: lists shared field by field, under agreements, with a ledger.
#[derive(Parser)]
#[command(name = "hayward", version)]
struct Cli {
    #[command(flatten)]
    logging: Logging,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a commons.
    Serve(Serve),
    /// Serve a made-up commons, to try things on.
    Demo(Demo),
    /// Read a file as an import would, without any database.
    Check(files::Check),
    /// Read a file into a dataset, as the operator.
    Import(files::Import),
    /// Write a whole commons into one file, but for its keys. It may be served meanwhile.
    Backup(backup::BackupArgs),
    /// Make a commons of such a file, in an empty place.
    Restore(backup::RestoreArgs),
    /// What an operator needs before anybody can sign in.
    Admin {
        #[command(flatten)]
        database: Database,
        /// Print one JSON object and nothing else.
        #[arg(long, global = true)]
        json: bool,
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// What there is to ask for at a commons, described by schemas: never a count or a value.
    Catalogue(Catalogue),
    /// Ask a member co-op for fields of one of its lists, for your own organization.
    Request(Request),
    /// Sign in at a commons, for the commands that speak to one: a browser asks whether you allow it.
    Login(Login),
    /// Take that back, and forget it.
    Logout(Logout),
    /// Keep a copy of what is shared with you in a file, and bring it up to date.
    Pull(Pull),
    /// What is agreed, with its state; one agreement in plain words.
    Agreements(Agreements),
    /// Who was given what, as the ledger has it.
    Disclosures(Disclosures),
    /// Write what makes a shell complete these commands: source it, or put it where the shell looks.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Look at a commons from outside, and say what is wrong and what to do. Changes nothing.
    Doctor(Doctor),
    /// Ask the server that runs here whether it can answer: for a container's health check.
    Ready(Ready),
    /// Try on a made-up world whether this program keeps what it promises.
    Selftest(selftest::Selftest),
    /// Look into the ledger.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Write the reference of commands, options and environment variables.
    #[command(hide = true)]
    Reference,
    /// List every route, with what it needs.
    Routes {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Check an export: what `GET /api/v1/disclosures` gives as application/x-ndjson.
    Verify {
        /// The export.
        file: PathBuf,
        /// The commons' public key, to insist on.
        #[arg(long)]
        key: Option<String>,
        /// An earlier checkpoint that was kept: the last line of an earlier export, or that export.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// Print one JSON object and nothing else.
        #[arg(long)]
        json: bool,
    },
}

/// Everything that can be typed.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs a command. 0: done. 1: there were problems. 2: refused.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // A build with seeded leaks may open one; there is no such variable, and no such build, outside the tests.
    #[cfg(feature = "mutants")]
    if let Ok(leak) = std::env::var("HAYWARD_MUTANT")
        && hayward_domain::mutants::enable(&leak).is_err()
    {
        return refuse("one seeded leak is open already");
    }
    // Before anything can speak to somebody: a collector of traces, a database, a commons.
    tls::install();
    // What is written here is people's data: nobody else on this machine is to read it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let mut out = std::io::stdout().lock();
    let _logging = match cli.logging.start() {
        Ok(started) => started,
        Err(sentence) => return refuse(&sentence),
    };
    let done = match cli.command {
        Command::Serve(serve) => serve::commons(&serve, &mut out),
        Command::Demo(demo) => serve::demo(&demo, &mut out),
        Command::Check(check) => files::check(&check, &mut out),
        Command::Import(import) => files::import(&import, &mut out),
        Command::Backup(args) => backup::back_up(&args, &mut out),
        Command::Restore(args) => backup::restore(&args, &mut out),
        Command::Admin { database, json, command } => administer(&database, command, json, &mut out),
        Command::Catalogue(args) => asking::catalogue(&args, &mut out),
        Command::Request(args) => asking::request(&args, &mut out),
        Command::Login(args) => login::login(&args, &mut out),
        Command::Logout(args) => login::logout(&args, &mut out),
        Command::Pull(args) => pull::pull(&args, &mut out),
        Command::Agreements(args) => partner::agreements(&args, &mut out),
        Command::Disclosures(args) => partner::disclosures(&args, &mut out),
        Command::Completions { shell } => completions(shell, &mut out),
        Command::Doctor(doctor) => doctor::run(&doctor, &mut out),
        Command::Ready(ready) => ready::ask(&ready),
        Command::Selftest(selftest) => selftest::run(&selftest, &mut out),
        Command::Ledger { command: LedgerCommand::Verify { file, key, checkpoint, json } } => {
            verify(&file, key.as_deref(), checkpoint.as_deref(), json, &mut out)
        }
        Command::Reference => {
            write!(out, "{}", reference::text(&command())).map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
        }
        Command::Routes { json } => list_routes(json, &mut out),
    };
    match done {
        Ok(code) => code,
        Err(sentence) => refuse(&sentence),
    }
}

fn refuse(sentence: &str) -> ExitCode {
    drop(writeln!(std::io::stderr(), "hayward: {sentence}"));
    ExitCode::from(2)
}

/// What a command comes to: an exit status, or a sentence for whoever typed it.
pub type Done = Result<ExitCode, String>;

fn administer(database: &Database, command: AdminCommand, json: bool, out: &mut impl Write) -> Done {
    let config = database.config()?;
    let commons = app::open(&config, app::machine_clock(), app::system_random()).map_err(|error| error.to_string())?;
    admin::run(&commons.store, &database.key_path(&config.database), command, json, out).map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn verify(file: &Path, key: Option<&str>, kept: Option<&Path>, json: bool, out: &mut impl Write) -> Done {
    let unreadable = |error: std::io::Error| format!("the export cannot be read: {error}");
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    let kept = kept.map(last_line).transpose().map_err(|error| format!("the checkpoint cannot be read: {error}"))?;
    let insist = ledger::verify::Insist { key, checkpoint: kept.as_deref() };
    let report = ledger::verify::verify(std::io::BufReader::new(opened), insist).map_err(unreadable)?;
    let text = if json {
        serde_json::to_string(&report).unwrap_or_default()
    } else {
        let words = format!("{} entries, {} sealed", report.entries, report.sealed);
        let verdict = if report.faults.is_empty() { "the chain holds".to_owned() } else { report.faults.join("\n") };
        let first = report.first.as_ref().and_then(|first| serde_json::to_value(first.what).ok());
        let first = first.and_then(|what| what.as_str().map(|what| format!("first: {what}\n"))).unwrap_or_default();
        format!("{words}\n{first}{verdict}")
    };
    writeln!(out, "{text}").map_err(|error| error.to_string())?;
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The last line of a file that holds something; the file may be long.
fn last_line(file: &Path) -> std::io::Result<String> {
    let mut last = String::new();
    for line in std::io::BufReader::new(std::fs::File::open(file)?).lines() {
        let line = line?;
        if !line.trim().is_empty() {
            last = line;
        }
    }
    Ok(last)
}

fn completions(shell: clap_complete::Shell, out: &mut impl Write) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "hayward", &mut script);
    out.write_all(&script).map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
}

fn list_routes(json: bool, out: &mut impl Write) -> Done {
    let text = if json {
        serde_json::to_string_pretty(routes::ROUTES).unwrap_or_default()
    } else {
        let line = |route: &routes::Route| format!("{:7}{:60}{}", route.method, route.path, route.scope);
        routes::ROUTES.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    writeln!(out, "{text}").map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}
