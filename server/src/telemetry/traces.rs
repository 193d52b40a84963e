//! Traces, for an OpenTelemetry collector that the operator named.
//!
//! A span carries the route's template, the method, the status and the request's id. Log lines are not sent along: they may
//! hold what a database said.

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tracing::{Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, Filtered};
use tracing_subscriber::registry::LookupSpan;

/// Sends spans in batches to the collector at `address`, such as `http://127.0.0.1:4318`.
///
/// # Errors
/// A sentence for the operator.
pub fn provider(address: &str) -> Result<SdkTracerProvider, String> {
    let url = url::Url::parse(address).map_err(|_| "the collector's address is no URL".to_owned())?;
    if url.scheme() != "http" {
        // What lies between is the operator's own machine or network; this program would need its own list of certificates.
        return Err("the collector is reached by http://; put one on this machine that passes spans on".to_owned());
    }
    let endpoint = format!("{}/v1/traces", address.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build();
    let exporter = exporter.map_err(|error| format!("spans cannot be sent: {error}"))?;
    let about = [KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    let resource = Resource::builder_empty().with_service_name("hayward").with_attributes(about).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// What hands this program's own spans to the provider: no other crate's, and no log lines.
pub fn layer<S>(provider: &SdkTracerProvider) -> Filtered<OpenTelemetryLayer<S, Tracer>, FilterFn, S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("hayward"));
    let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
    let own: fn(&Metadata<'_>) -> bool = |meta| meta.is_span() && meta.target().starts_with("hayward");
    layer.with_filter(FilterFn::new(own))
}
