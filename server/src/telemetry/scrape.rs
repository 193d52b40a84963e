//! Numbers for Prometheus, at `/metrics` of an address of its own.
//!
//! What is counted is counted where it happens, with the `metrics` macros. What is asked of the database (commits, imports by
//! state, what waits for the sealer) is asked when somebody scrapes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use hayward_store::{DatabaseUrl, Kind, StoreError};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::commons::Commons;

/// Bounds of the histograms, in seconds: from a read out of memory to what somebody would call hanging.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Begins to count. A second call in one process (tests) goes on with the first.
///
/// # Errors
/// A sentence, where something else counts already.
pub fn count() -> Result<PrometheusHandle, String> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    let begin = || {
        let builder = PrometheusBuilder::new().set_buckets(SECONDS).map_err(|error| error.to_string())?;
        let handle = builder.install_recorder().map_err(|error| error.to_string())?;
        describe();
        Ok(handle)
    };
    HANDLE.get_or_init(begin).clone()
}

fn describe() {
    describe_counter!("hayward_http_requests_total", "Requests that were answered");
    describe_histogram!("hayward_http_request_duration_seconds", Unit::Seconds, "Until the head of the answer was ready");
    describe_gauge!("hayward_http_requests_in_flight", "Requests whose answer has not begun");
    describe_counter!("hayward_ledger_entries_total", "Entries asked of the ledger");
    describe_histogram!("hayward_ledger_write_seconds", Unit::Seconds, "Until an entry was durable");
    describe_gauge!("hayward_ledger_unsealed_entries", "Entries that wait for the sealer");
    describe_gauge!("hayward_ledger_sealing_lag_seconds", Unit::Seconds, "Age of the oldest entry that waits for the sealer");
    describe_histogram!("hayward_database_wait_seconds", Unit::Seconds, "Until a connection to the database was free");
    describe_counter!("hayward_job_runs_total", "Runs of the jobs that happen by themselves");
    describe_counter!("hayward_job_done_total", "What these jobs did: shares built, entries sealed, versions expired …");
    describe_counter!("hayward_commits_total", "Commits since the commons began");
    describe_gauge!("hayward_shares_open", "Shares that answer");
    describe_gauge!("hayward_imports", "Imports by state");
    describe_gauge!("hayward_claims_stale", "Lists whose writer fell silent");
    describe_gauge!("hayward_wal_bytes", Unit::Bytes, "Size of SQLite's write-ahead logs");
    describe_gauge!("hayward_database_up", "1 if the database answered this scrape");
    describe_gauge!("hayward_build_info", "1, with the version of the program and the kind of its database");
    metrics_process::Collector::default().describe();
}

/// What a scrape looks at.
struct Watched {
    commons: Commons,
    handle: PrometheusHandle,
    process: metrics_process::Collector,
    kind: Kind,
    /// SQLite's write-ahead logs; none on PostgreSQL.
    logs: Vec<PathBuf>,
}

/// Serves the numbers of a commons until the program ends. Returns where.
///
/// # Errors
/// A sentence, if the address cannot be listened on.
pub fn serve(listen: SocketAddr, commons: &Commons, database: &DatabaseUrl) -> Result<SocketAddr, String> {
    let watched = Data::from(Arc::new(Watched {
        commons: commons.clone(),
        handle: count()?,
        process: metrics_process::Collector::default(),
        kind: database.kind(),
        logs: logs(database),
    }));
    let server = HttpServer::new(move || App::new().app_data(watched.clone()).route("/metrics", get().to(scrape)))
        .workers(1)
        .disable_signals()
        .bind(listen)
        .map_err(|error| format!("the metrics cannot be served: {error}"))?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    actix_web::rt::spawn(server.run());
    Ok(address)
}

fn logs(database: &DatabaseUrl) -> Vec<PathBuf> {
    match database {
        DatabaseUrl::Sqlite(path) => {
            let log = |path: PathBuf| {
                let mut name = path.into_os_string();
                name.push("-wal");
                PathBuf::from(name)
            };
            vec![log(path.clone()), log(hayward_store::commons_file(path, "ledger.db"))]
        }
        DatabaseUrl::Postgres(_) => Vec::new(),
    }
}

async fn scrape(watched: Data<Watched>) -> HttpResponse {
    let looked = actix_web::web::block(move || {
        let answered = ask(&watched);
        gauge!("hayward_database_up").set(if answered.is_ok() { 1.0 } else { 0.0 });
        watched.process.collect();
        watched.handle.run_upkeep();
        watched.handle.render()
    });
    match looked.await {
        Ok(text) => HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float: no count here comes near 2^53")]
fn ask(watched: &Watched) -> Result<(), StoreError> {
    let kind = match watched.kind {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgres",
    };
    gauge!("hayward_build_info", "version" => env!("CARGO_PKG_VERSION"), "database" => kind).set(1.0);
    if watched.kind == Kind::Sqlite {
        let bytes: u64 = watched.logs.iter().filter_map(|path| path.metadata().ok()).map(|meta| meta.len()).sum();
        gauge!("hayward_wal_bytes").set(bytes as f64);
    }
    let figures = watched.commons.store.figures()?;
    counter!("hayward_commits_total").absolute(u64::try_from(figures.commits).unwrap_or_default());
    gauge!("hayward_shares_open").set(figures.open_shares as f64);
    gauge!("hayward_claims_stale").set(figures.stale_claims as f64);
    for (state, count) in figures.imports {
        gauge!("hayward_imports", "state" => state).set(count as f64);
    }
    let unsealed = watched.commons.ledger.store.unsealed()?;
    let now = watched.commons.store.now();
    let micros = unsealed.oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
    gauge!("hayward_ledger_unsealed_entries").set(unsealed.count as f64);
    let lag = Duration::from_micros(u64::try_from(micros).unwrap_or_default());
    gauge!("hayward_ledger_sealing_lag_seconds").set(lag.as_secs_f64());
    Ok(())
}
