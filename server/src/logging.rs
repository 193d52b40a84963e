//! What is logged: how requests went and why they failed. Never a value of a record, however much is asked for.

use std::time::Duration;

use clap::Args;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::telemetry::traces;

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

/// What the command line says about logging.
#[derive(Args, Clone)]
pub struct Logging {
    /// What is logged on standard error: `error`, `warn`, `info`, `debug`, `trace`, also by part (`info,hayward=debug`).
    /// Values of records are never logged, however much is asked for.
    #[arg(long, env = "HAYWARD_LOG", default_value = "info", global = true)]
    log: String,
    /// Where an OpenTelemetry collector takes spans over HTTP, such as `http://127.0.0.1:4318`. Without it no spans are made.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    otlp_endpoint: Option<String>,
}

/// Logging that was started. Dropping it sends what is still to be sent.
#[must_use = "what is dropped sends nothing more"]
pub struct Started(Option<SdkTracerProvider>);

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // A collector that is gone must not keep the program from ending.
            drop(provider.shutdown_with_timeout(Duration::from_secs(5)));
        }
    }
}

impl Logging {
    /// Starts logging to standard error, and tracing if a collector is named.
    ///
    /// # Errors
    /// A sentence, if the collector cannot be used.
    pub fn start(&self) -> Result<Started, String> {
        let named = self.otlp_endpoint.as_deref().filter(|address| !address.is_empty());
        let provider = named.map(traces::provider).transpose()?;
        let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
        // A line that cannot be written is lost. Saying so would take a line too, and a thread that cannot print it panics: a full disk
        // under the log would end the ledger.
        let lines = lines.log_internal_errors(false).with_filter(filter(&self.log));
        let spans = provider.as_ref().map(traces::layer);
        // A second start in one process (tests) keeps the first.
        drop(tracing_subscriber::registry().with(spans).with(lines).try_init());
        Ok(Started(provider))
    }
}
