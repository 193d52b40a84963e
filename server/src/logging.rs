//! What is logged: how requests went and why they failed. Never a value of a record, however much is asked for.

use tracing_subscriber::EnvFilter;

/// At more than a warning it logs the parameters of statements: people's data and the hashes of tokens.
const INDISCREET: &str = "tokio_postgres";

/// What to log: `words` as operators write them (`info`, `hayward=debug`), `info` where they make no sense.
#[must_use]
pub fn filter(words: &str) -> EnvFilter {
    let discreet: Vec<&str> = words.split(',').filter(|word| !word.trim().starts_with(INDISCREET)).collect();
    let filter = EnvFilter::try_new(discreet.join(",")).unwrap_or_else(|_| EnvFilter::new("info"));
    match format!("{INDISCREET}=warn").parse() {
        Ok(capped) => filter.add_directive(capped),
        Err(_) => filter,
    }
}

/// Starts logging to standard error, as `HAYWARD_LOG` says.
pub fn start() {
    let filter = filter(&std::env::var("HAYWARD_LOG").unwrap_or_else(|_| "info".to_owned()));
    // A second start in one process (tests) keeps the first.
    let format = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr);
    // A line that cannot be written is lost. Saying so would take a line too, and a thread that cannot print it panics: a full disk
    // under the log would end the ledger.
    drop(format.log_internal_errors(false).try_init());
}
