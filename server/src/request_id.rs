//! One id per request: in its answer, in its log lines, in its ledger entries, in its span. Here requests are counted, too.

use std::time::Duration;

use actix_web::ResponseError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use opentelemetry::trace::TraceContextExt;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::error::Error;

/// Where an answer names its request.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that this task answers; empty outside one.
#[must_use]
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// What to say instead where the framework refused a request in words of its own.
fn wordless(response: &ServiceResponse<BoxBody>) -> Option<Error> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !response.status().is_client_error() && !response.status().is_server_error()
        || kind.starts_with("application/")
        || kind.starts_with("text/html")
    {
        return None;
    }
    Some(match response.status() {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Error::bad("payload-too-large", "the body is larger than this call takes"),
        status if status.is_client_error() => Error::bad("invalid-body", "the request cannot be read"),
        status => Error::Internal(format!("the framework answered {status}")),
    })
}

/// Runs `work` as part of the request `id`.
pub async fn with<T>(id: String, work: impl Future<Output = T>) -> T {
    CURRENT.scope(id, work).await
}

/// Runs `work` elsewhere as part of the request that this task answers.
pub fn carry<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    CURRENT.scope(current(), work.in_current_span())
}

/// A method by its name; one that no route has, by none of its own: it is the caller's text.
fn known(method: &Method) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}

/// A request whose answer has not begun.
struct Flying(metrics::Gauge);

impl Flying {
    fn start() -> Self {
        let gauge = metrics::gauge!("hayward_http_requests_in_flight");
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

fn measured(method: &'static str, route: &str, status: u16, took: Duration) {
    let class = match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", class.to_owned())];
    metrics::histogram!("hayward_http_request_duration_seconds", &labels).record(took.as_secs_f64());
    metrics::counter!("hayward_http_requests_total", &labels).increment(1);
}

fn traced(span: &Span, method: &str, route: &str, status: u16) {
    // A span that has begun keeps the name it was made with, unless it is told where it is exported.
    span.context().span().update_name(format!("{method} {route}"));
    span.record("http.route", route).record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// Gives a request its id and logs how it went: the route, never the address, which may hold values.
pub async fn give(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = format!("req_{}", uuid::Uuid::new_v4().simple());
    let method = request.method().clone();
    let method = known(&method);
    let span = tracing::info_span!(
        "request",
        id = %id,
        method,
        otel.kind = "server",
        otel.status_code = Empty,
        http.route = Empty,
        http.response.status_code = Empty
    );
    let within = span.clone();
    let flying = Flying::start();
    let started = std::time::Instant::now();
    let work = async move {
        let mut response = next.call(request).await?.map_into_boxed_body();
        if let Some(error) = wordless(&response) {
            response = response.into_response(error.error_response());
        }
        let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
        let (status, took) = (response.status().as_u16(), started.elapsed());
        drop(flying);
        traced(&within, method, &route, status);
        measured(method, &route, status, took);
        tracing::info!(route, status, micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX), "answered");
        if let Ok(value) = HeaderValue::from_str(&current()) {
            response.headers_mut().insert(HEADER, value);
        }
        Ok(response)
    };
    CURRENT.scope(id, work.instrument(span)).await
}
