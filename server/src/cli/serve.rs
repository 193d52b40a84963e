//! `hayward serve` and `hayward demo`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hayward_store::DatabaseUrl;
use serde_json::Value;

use super::reach::ReachArgs;
use super::{Database, Done};
use crate::commons::Commons;
use crate::config::{self, Config};
use crate::edge::Reach;
use crate::telemetry::scrape;
use crate::{app, credentials, demo};

/// The arguments of `hayward serve`.
#[derive(Args)]
pub(super) struct Serve {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, env = "HAYWARD_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    reach: ReachArgs,
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

/// The arguments of `hayward demo`.
#[derive(Args)]
pub(super) struct Demo {
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

pub(super) fn commons(serve: &Serve, out: &mut impl Write) -> Done {
    let config = Config {
        listen: serve.listen,
        upload_limit: serve.upload_limit,
        kept: Duration::from_secs(serve.keep_days.saturating_mul(86_400)),
        reach: serve.reach.reach()?,
        ..serve.database.config()?
    };
    serve_with(&config, serve.metrics_listen, out, |_| Ok(()), |(), _, _| Ok(()))
}

pub(super) fn demo(demo: &Demo, out: &mut impl Write) -> Done {
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
    let reach = Reach::default();
    let config = Config { listen: demo.listen, database, keyring, journal, upload_limit, kept, reach, workers: None };
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
            let url = config.reach.public_url.as_deref().unwrap_or(&url);
            say(out, format!("nobody can sign in yet; set the commons up, once, at {url}/setup?key={key}"))?;
        }
        drop(commons);
        running.wait().await.map_err(|error| error.to_string())
    });
    served.map(|()| ExitCode::SUCCESS)
}
