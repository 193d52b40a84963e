//! The command line.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};
use hayward_store::DatabaseUrl;
use serde_json::Value;

use crate::admin::{self, AdminCommand};
use crate::commons::Commons;
use crate::config::{self, Config};
use crate::doctor::{self, Doctor};
use crate::logging::Logging;
use crate::telemetry::scrape;
use crate::{app, backup, credentials, demo, files, ledger, reference, routes};

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
    /// Look at a commons from outside, and say what is wrong and what to do. Changes nothing.
    Doctor(Doctor),
    /// Ask the server that runs here whether it can answer: for a container's health check.
    Ready(Ready),
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
        /// Print one JSON object and nothing else.
        #[arg(long)]
        json: bool,
    },
}

/// Where the commons is kept.
#[derive(Args, Clone)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite:hayward.db", hide_env_values = true, global = true)]
    database_url: String,
    /// A file whose first line is the database's address, so that its password stands in no environment. Goes before the former.
    #[arg(long, env = "DATABASE_URL_FILE", global = true)]
    database_url_file: Option<PathBuf>,
    /// The commons' key file. By default beside the SQLite database, else `hayward.keys`.
    #[arg(long, env = "HAYWARD_KEY_FILE", global = true)]
    key_file: Option<PathBuf>,
    /// Where it is written down what was closed. By default beside the key file.
    #[arg(long, env = "HAYWARD_JOURNAL", global = true)]
    journal: Option<PathBuf>,
}

impl Database {
    /// Which database it is.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn url(&self) -> Result<DatabaseUrl, String> {
        let Some(file) = &self.database_url_file else { return DatabaseUrl::parse(&self.database_url) };
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("the file with the database's address cannot be read: {error}"))?;
        DatabaseUrl::parse(text.lines().next().unwrap_or_default().trim())
    }

    /// Where its key file is.
    #[must_use]
    pub fn key_path(&self, database: &DatabaseUrl) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| config::key_file(database))
    }

    /// Opens it, with its keys.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn config(&self) -> Result<Config, String> {
        let database = self.url()?;
        let path = self.key_path(&database);
        let random = app::system_random();
        let keyring = config::keys(&path, |bytes| random(bytes))?;
        let keyring = config::settle(&path, &keyring, &database, app::machine_clock()())?.unwrap_or(keyring);
        Ok(Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database,
            keyring,
            journal: Some(self.journal.clone().unwrap_or_else(|| config::journal_file(&path))),
            upload_limit: config::UPLOAD_LIMIT,
            kept: config::KEPT,
            workers: None,
        })
    }
}

#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, env = "HAYWARD_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    database: Database,
    /// The largest upload, in bytes.
    #[arg(long, env = "HAYWARD_UPLOAD_LIMIT", default_value_t = config::UPLOAD_LIMIT)]
    upload_limit: u64,
    /// How many days old editions are kept.
    #[arg(long, env = "HAYWARD_KEEP_DAYS", default_value_t = 90)]
    keep_days: u64,
    /// Where Prometheus may ask for numbers, such as 127.0.0.1:9464; an address of its own, never the one above. Off unless set.
    #[arg(long, env = "HAYWARD_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
}

#[derive(Args)]
struct Ready {
    /// Where the server listens.
    #[arg(long, env = "HAYWARD_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[derive(Args)]
struct Demo {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…`. Without it the world is gone when the program ends.
    #[arg(long)]
    database_url: Option<String>,
    /// The commons' key file, if it is not to lie beside the database.
    #[arg(long, env = "HAYWARD_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// The same number makes the same world.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Write who can sign in, and with what, to this file.
    #[arg(long)]
    credentials: Option<PathBuf>,
}

/// Everything that can be typed.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs a command. 0: done. 1: there were problems. 2: refused.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // What is written here is people's data: nobody else on this machine is to read it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let mut out = std::io::stdout().lock();
    let _logging = match cli.logging.start() {
        Ok(started) => started,
        Err(sentence) => return refuse(&sentence),
    };
    let done = match cli.command {
        Command::Serve(serve) => serve_commons(&serve, &mut out),
        Command::Demo(demo) => serve_demo(&demo, &mut out),
        Command::Check(check) => files::check(&check, &mut out),
        Command::Import(import) => files::import(&import, &mut out),
        Command::Backup(args) => backup::back_up(&args, &mut out),
        Command::Restore(args) => backup::restore(&args, &mut out),
        Command::Admin { database, json, command } => administer(&database, command, json, &mut out),
        Command::Doctor(doctor) => doctor::run(&doctor, &mut out),
        Command::Ready(ready) => ask_ready(&ready),
        Command::Ledger { command: LedgerCommand::Verify { file, key, json } } => verify(&file, key.as_deref(), json, &mut out),
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

fn serve_commons(serve: &Serve, out: &mut impl Write) -> Done {
    let config = Config {
        listen: serve.listen,
        upload_limit: serve.upload_limit,
        kept: Duration::from_secs(serve.keep_days.saturating_mul(86_400)),
        ..serve.database.config()?
    };
    serve_with(&config, serve.metrics_listen, out, |_| Ok(()), |(), _, _| Ok(()))
}

fn serve_demo(demo: &Demo, out: &mut impl Write) -> Done {
    let throwaway = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let database = match &demo.database_url {
        Some(url) => DatabaseUrl::parse(url)?,
        None => DatabaseUrl::Sqlite(throwaway.path().join("demo.db")),
    };
    let keyring = demo::keyring(demo.seed);
    let path = demo.key_file.clone().unwrap_or_else(|| config::key_file(&database));
    match config::write_keys(&path, &keyring) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            if config::keys(&path, |_| {})?.print() != keyring.print() {
                return Err("the key file there is not this demo's; name another with --key-file".to_owned());
            }
        }
        Err(error) => return Err(format!("the key file cannot be written: {error}")),
    }
    let kept = config::KEPT;
    // A world that is gone with the program needs no journal.
    let journal = demo.database_url.as_ref().map(|_| config::journal_file(&path));
    let upload_limit = config::UPLOAD_LIMIT;
    let config = Config { listen: demo.listen, database, keyring, journal, upload_limit, kept, workers: None };
    let seed = |commons: &Commons| {
        let world = demo::seed(&commons.store, demo.seed).map_err(|error| error.to_string())?;
        *commons.setup.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        serde_json::to_value(&world).map_err(|error| error.to_string())
    };
    let announce = |world: Value, url: &str, out: &mut _| credentials::announce(&world, url, demo.credentials.as_deref(), out);
    serve_with(&config, None, out, seed, announce)
}

/// Opens, serves, prints the one line with the URL, and waits for the end.
fn serve_with<W: Write, T>(
    config: &Config,
    metrics: Option<SocketAddr>,
    out: &mut W,
    prepare: impl FnOnce(&Commons) -> Result<T, String>,
    announce: impl FnOnce(T, &str, &mut W) -> Result<(), String>,
) -> Done {
    let commons = app::open(config, app::machine_clock(), app::system_random()).map_err(|error| error.to_string())?;
    let prepared = prepare(&commons)?;
    let served = actix_web::rt::System::new().block_on(async {
        let setup = commons.setup.clone();
        let running = app::serve(commons.clone(), config).map_err(|error| error.to_string())?;
        let url = running.url();
        let say =
            |out: &mut W, line: String| writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| error.to_string());
        say(out, format!("listening on {url}"))?;
        if let Some(listen) = metrics {
            let address = scrape::serve(listen, &commons, &config.database)?;
            say(out, format!("metrics on http://{address}/metrics"))?;
        }
        announce(prepared, &url, out)?;
        let key = setup.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some(key) = key {
            say(out, format!("nobody can sign in yet; set the commons up, once, at {url}/setup?key={key}"))?;
        }
        drop(commons);
        running.wait().await.map_err(|error| error.to_string())
    });
    served.map(|()| ExitCode::SUCCESS)
}

fn administer(database: &Database, command: AdminCommand, json: bool, out: &mut impl Write) -> Done {
    let config = database.config()?;
    let commons = app::open(&config, app::machine_clock(), app::system_random()).map_err(|error| error.to_string())?;
    admin::run(&commons.store, &database.key_path(&config.database), command, json, out).map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn verify(file: &std::path::Path, key: Option<&str>, json: bool, out: &mut impl Write) -> Done {
    let opened = std::fs::File::open(file).map_err(|error| format!("the export cannot be read: {error}"))?;
    let report = ledger::verify::verify(std::io::BufReader::new(opened), key)
        .map_err(|error| format!("the export cannot be read: {error}"))?;
    let text = if json {
        serde_json::to_string(&report).unwrap_or_default()
    } else {
        let words = format!("{} entries, {} sealed", report.entries, report.sealed);
        let verdict = if report.faults.is_empty() { "the chain holds".to_owned() } else { report.faults.join("\n") };
        format!("{words}\n{verdict}")
    };
    writeln!(out, "{text}").map_err(|error| error.to_string())?;
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// 0: it can. 1: it answers, and cannot. 2: nothing answers.
fn ask_ready(ready: &Ready) -> Done {
    const PATIENCE: Duration = Duration::from_secs(5);
    let mut address = ready.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let silent = |error: std::io::Error| format!("nothing answers at {address}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(silent)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(silent)?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(silent)?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).map_err(silent)?;
    Ok(if head == *b"HTTP/1.1 200" { ExitCode::SUCCESS } else { ExitCode::from(1) })
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
