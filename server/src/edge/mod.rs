//! What no handler should have to think of: what every request passes on its way in.
//!
//! * Everything that a caller can make us hold is bounded: requests under way, the head and the body of each, the time a body takes to
//!   arrive, the time a read takes to be answered, and how often one caller asks. Each bound has a problem of its own.
//! * A bound says nothing about data: it hangs on the caller's own requests, on the clock and on how busy this server is.
//! * Addresses come from [`origin`] and from nowhere else.

mod again;
pub mod origin;
mod pace;
pub mod rate;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY};
use actix_web::http::{Method, Version};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, HttpMessage, ResponseError};

use crate::commons::Commons;
use crate::error::Error;
use crate::{request_id, tls};
use origin::Proxies;
use rate::Rates;

/// Connections that one server holds open.
pub const CONNECTIONS: usize = 10_000;
/// Requests whose answer has not begun. HTTP/2 puts many on one connection, so that connections alone bound nothing.
pub const UNDER_WAY: usize = 2_000;
/// The largest head of a request, in bytes. HTTP/1.1 heads are refused by the framework from 32 KiB on.
const HEAD: usize = 32 * 1024;
/// A browser that has come by TLS once comes by nothing else for a year (RFC 6797).
const STRICT: &str = "max-age=31536000";

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// What it speaks TLS with, if it does.
    pub tls: Option<tls::Files>,
    /// Whether plain HTTP is wanted beyond loopback.
    pub plain_http: bool,
    /// Whether `SIGHUP` means to read the certificate again, even where there is none. A demo ends with its terminal.
    pub takes_hangup: bool,
    /// Who may say for whom they speak.
    pub proxies: Proxies,
    /// Where people reach the commons, without a slash at the end; where it listens, if nobody says.
    pub public_url: Option<String>,
    /// How long a head may take, and a body that does not arrive at `pace::LEAST` bytes a second.
    pub patience: Duration,
    /// How long a read may take until its answer begins.
    pub answer_within: Duration,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            tls: None,
            plain_http: false,
            takes_hangup: false,
            proxies: Proxies::default(),
            public_url: None,
            patience: Duration::from_secs(30),
            answer_within: Duration::from_secs(300),
        }
    }
}

/// What requests pass, shared by all threads of a server.
pub struct Gate {
    proxies: Proxies,
    is_tls: bool,
    patience: Duration,
    answer_within: Duration,
    rates: Rates,
    under_way: Arc<AtomicUsize>,
}

/// The address that a request comes from; see [`origin`].
#[derive(Clone, Copy, Debug)]
pub struct Origin(pub Option<IpAddr>);

impl Gate {
    /// A gate in front of `commons`.
    #[must_use]
    pub fn new(reach: &Reach, commons: &Commons) -> Self {
        Self {
            proxies: reach.proxies.clone(),
            is_tls: reach.tls.is_some(),
            patience: reach.patience,
            answer_within: reach.answer_within,
            rates: Rates::new(Arc::clone(&commons.store)),
            under_way: Arc::default(),
        }
    }
}

/// A request whose answer has not begun.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn begin(count: &Arc<AtomicUsize>) -> Option<Self> {
        let one = Self(Arc::clone(count));
        (count.fetch_add(1, Ordering::Relaxed) < UNDER_WAY).then_some(one)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets a request in, or says why not.
///
/// # Errors
/// Only the framework's own.
pub async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let Some(gate) = request.app_data::<Data<Gate>>().cloned() else {
        return Ok(request.error_response(Error::Internal("no gate".to_owned())));
    };
    let origin = gate.proxies.origin(request.peer_addr(), request.headers());
    request.extensions_mut().insert(Origin(origin));
    let mut response = admit(&gate, origin, request, next).await?;
    if gate.is_tls {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT));
    }
    Ok(response)
}

async fn admit(
    gate: &Gate,
    origin: Option<IpAddr>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let Some(_under_way) = UnderWay::begin(&gate.under_way) else {
        return Ok(request.error_response(Error::bad("overloaded", "this server has too much to do")));
    };
    // PostgreSQL knows no text with U+0000, so nothing is called so.
    if request.path().contains("%00") {
        return Ok(request.error_response(Error::NotFound));
    }
    if request.version() == Version::HTTP_2 && head_size(&request) > HEAD {
        return Ok(request.error_response(Error::bad("head-too-large", "the head of this request is larger than 32 KiB")));
    }
    let standing = match gate.rates.ask(&request, origin).await {
        Ok(standing) => standing,
        Err(error) => return Ok(request.error_response(error)),
    };
    if let Some(refused) = standing.as_ref().filter(|standing| standing.retry_after.is_some()) {
        let mut response = request.error_response(Error::bad("rate-limited", refused.words()));
        refused.write(&mut response);
        return Ok(response);
    }
    let mut response = in_time(gate, request, next).await?;
    if let Some(standing) = standing {
        standing.write(&mut response);
    }
    Ok(response)
}

/// Calls the handler with a body that keeps pace, and waits for a read no longer than it may take. What a read leaves behind when it
/// is given up ends by itself: queries run where nobody waits for them.
async fn in_time(
    gate: &Gate,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let late = pace::keep(&mut request, gate.patience);
    let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
    let answer = again::once(request, next);
    let answered = match is_read {
        true => tokio::time::timeout(gate.answer_within, answer).await.map_err(|_| too_slow())?,
        false => answer.await,
    };
    let answered = answered?.map_into_boxed_body();
    if !late.is_set() {
        return Ok(answered);
    }
    let refused = Error::bad("body-too-slow", "the body of this request did not arrive in time");
    Ok(answered.into_response(refused.error_response()))
}

/// The request went with what was given up, so that this travels as an error; it is complete all the same.
fn too_slow() -> ActixError {
    tracing::warn!("a read was given up: it took longer than an answer may take");
    let error = Error::bad("too-slow", "this took longer than an answer may take");
    let mut response = error.error_response();
    if let Ok(id) = HeaderValue::from_str(&request_id::current()) {
        response.headers_mut().insert(request_id::HEADER, id);
    }
    InternalError::from_response(error, response).into()
}

fn head_size(request: &ServiceRequest) -> usize {
    let line = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 32;
    request.headers().iter().map(line).sum::<usize>() + request.uri().to_string().len()
}
