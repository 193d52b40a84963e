//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that may be sent again.
//!
//! * For every `POST` of the API but those that tell a secret (`TOLD_ONCE`), where the key counts for nothing. Who may ask is decided
//!   first: a token that opens nothing, or lacks the scope of the route, is answered by the handler as if there were no key.
//! * The same request (method, address, body) gets the same answer: status, body, `Location` and `ETag`, with
//!   `Idempotency-Replayed: true`. Another request under the key is `422`, one that is still under way `409`.
//! * Only successes are kept. What was refused with `4xx` did nothing, and is judged anew. What ended with `5xx` may have done
//!   something: the key says so from then on, and is never worked on again.
//! * The work goes on where the caller has gone: it is for such callers that there are keys.
//! * An upload is hashed as it goes by. It is never held.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BoxBody, MessageBody, to_bytes_limited};
use actix_web::dev::{Payload, ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, HttpMessage, HttpResponse};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use hayward_domain::scope::Scope;
use hayward_store::{Begun, Caller, KeptAnswer, StoreError};
use sha2::{Digest, Sha256};

use crate::api::body;
use crate::auth::bearer;
use crate::commons::Commons;
use crate::error::Error;
use crate::routes;

/// What answers with a secret that is told once: such an answer is never kept, and so never repeated.
const TOLD_ONCE: [&str; 4] = ["/api/v1/sessions", "/api/v1/invites", "/api/v1/clients", "/api/v1/clients/{id}/secret"];
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key.
const LONGEST: usize = 255;
/// The largest body of an answer that is kept.
const LARGEST: usize = 256 * 1024;

/// Answers a request that names a key: with what was answered before, or with what comes of it now.
///
/// # Errors
/// Only the framework's own.
pub(super) async fn once(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    // The path as the router reads it: there are other spellings of it.
    let path = request.match_info().as_str();
    let is_meant = request.method() == Method::POST && path.starts_with("/api/v1/");
    let is_meant = is_meant && !TOLD_ONCE.iter().any(|told| ResourceDef::new(*told).is_match(path));
    if !is_meant || !request.headers().contains_key(KEY) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    match entitled(&request).await {
        Ok(Some((commons, caller, key))) => under(commons, caller, key, request, next).await,
        // The handler says why not.
        Ok(None) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(error) => Ok(request.error_response(error)),
    }
}

/// The caller and the hash of the key, if the caller may ask this at all.
async fn entitled(request: &ServiceRequest) -> Result<Option<(Data<Commons>, Caller, String)>, Error> {
    let Some(commons) = request.app_data::<Data<Commons>>().cloned() else { return Ok(None) };
    let Some(token) = bearer::token_hash(request.request())? else { return Ok(None) };
    let Some(route) = routes::at(request.method(), request.path()) else { return Ok(None) };
    let caller = match commons.run(move |store| Ok::<_, Error>(store.caller(&token))).await? {
        Ok(caller) => caller,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let may = Scope::parse(route.scope).is_none_or(|scope| caller.scopes.has(&scope));
    if !may {
        return Ok(None);
    }
    // A person may act for several organizations: for each, a key is another one.
    let key = hex(&Sha256::digest(format!("{} {}", caller.organization_id, key(request)?).as_bytes()));
    Ok(Some((commons, caller, key)))
}

/// The key: a string of structured fields (RFC 9651, section 3.3.3). What many send without quotation marks is taken as well.
fn key(request: &ServiceRequest) -> Result<String, Error> {
    let bad = || Error::bad("invalid-idempotency-key", "`Idempotency-Key` is one string of 1 to 255 characters in double quotes");
    let mut lines = request.headers().get_all(KEY);
    let line = lines.next().and_then(|line| line.to_str().ok()).ok_or_else(bad)?.trim();
    if lines.next().is_some() {
        return Err(bad());
    }
    let inner = match line.strip_prefix('"') {
        Some(rest) => unescaped(rest.strip_suffix('"').ok_or_else(bad)?).ok_or_else(bad)?,
        None if line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=~".contains(&byte)) => line.to_owned(),
        None => return Err(bad()),
    };
    if inner.is_empty() || inner.len() > LONGEST { Err(bad()) } else { Ok(inner) }
}

fn unescaped(text: &str) -> Option<String> {
    let (mut plain, mut characters) = (String::new(), text.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            ' '..='~' => plain.push(character),
            _ => return None,
        }
    }
    Some(plain)
}

async fn under(
    commons: Data<Commons>,
    caller: Caller,
    key: String,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let (asking, asked) = (caller.clone(), key.clone());
    let begun = match commons.run(move |store| store.begin_answer(&asking, &asked)).await {
        Ok(begun) => begun,
        Err(error) => return Ok(request.error_response(error)),
    };
    let print = Print::begin(&request);
    let refused = match begun {
        Begun::New => {
            // Not cut short where the caller goes away.
            let work = actix_web::rt::spawn(crate::request_id::carry(work(commons, caller, key, print, request, next)));
            return work.await.map_err(|_| Error::Internal("a request ended in the middle".to_owned()))?;
        }
        Begun::UnderWay => {
            let detail = "the first request with this key is not answered yet".to_owned();
            Error::Conflict { code: "in-flight", detail }
        }
        Begun::Unknown => {
            let detail = "the request with this key was not answered, and may have been done or not".to_owned();
            Error::Conflict { code: "outcome-unknown", detail }
        }
        Begun::Done(answer) => match print.drained(request.take_payload(), commons.upload_limit).await {
            Ok(same) if same == answer.request => match replay(&answer) {
                Ok(response) => return Ok(request.into_response(response)),
                Err(error) => error,
            },
            Ok(_) => Error::bad("key-reused", "another request was sent with this key before"),
            Err(_) => Error::bad("invalid-body", "the body did not arrive whole"),
        },
    };
    Ok(request.error_response(refused))
}

/// Does what is asked, and keeps what comes of it.
async fn work(
    commons: Data<Commons>,
    caller: Caller,
    key: String,
    print: Print,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    print.follow(&mut request).await;
    let answered = next.call(request).await;
    let status = match &answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    if !status.is_success() {
        let done = commons.run(move |store| match status.is_client_error() {
            true => store.drop_answer(&caller, &key),
            false => store.lose_answer(&caller, &key),
        });
        if let Err(error) = done.await {
            tracing::warn!(%error, "a key stays under way");
        }
        return Ok(answered?.map_into_boxed_body());
    }
    let (head, response) = answered?.into_parts();
    let (response, content) = response.into_parts();
    let headers = [CONTENT_TYPE, LOCATION, ETAG].iter().filter_map(|name| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(format!("{name}: {value}\n"))
    });
    let headers = headers.collect::<String>();
    // Answers to a POST are short; one that is not leaves as it is, and is told only once.
    let (kept, content) = match content.size() {
        actix_web::body::BodySize::Sized(size) if size <= LARGEST as u64 => match to_bytes_limited(content, LARGEST).await {
            Ok(Ok(bytes)) => (String::from_utf8(bytes.to_vec()).ok(), BoxBody::new(bytes)),
            Ok(Err(_)) | Err(_) => return Err(Error::Internal("an answer could not be read back".to_owned()).into()),
        },
        actix_web::body::BodySize::None => (Some(String::new()), BoxBody::new(())),
        actix_web::body::BodySize::Sized(_) | actix_web::body::BodySize::Stream => (None, content.boxed()),
    };
    let answer = KeptAnswer { request: print.end(), status: i64::from(status.as_u16()), headers, body: kept };
    if let Err(error) = commons.run(move |store| store.keep_answer(&caller, &key, &answer)).await {
        // It is done, and is answered. The same request again is told that nobody knows.
        tracing::warn!(%error, "an answer could not be kept");
    }
    Ok(ServiceResponse::new(head, response.set_body(content)))
}

fn replay(answer: &KeptAnswer) -> Result<HttpResponse, Error> {
    let status = u16::try_from(answer.status).ok().and_then(|status| actix_web::http::StatusCode::from_u16(status).ok());
    let status = status.ok_or_else(|| Error::Internal("a kept answer has no status".to_owned()))?;
    let Some(body) = answer.body.clone() else {
        let detail = "this was done; what was answered is not kept any more".to_owned();
        return Err(Error::Conflict { code: "answer-forgotten", detail });
    };
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers.lines().filter_map(|line| line.split_once(": ")) {
        response.insert_header((name, value));
    }
    response.insert_header((REPLAYED, HeaderValue::from_static("true"))).insert_header(("Cache-Control", "private, no-store"));
    Ok(response.body(body))
}

/// A hash of a request, taken while its body goes by.
#[derive(Clone)]
struct Print(Rc<RefCell<Sha256>>);

impl Print {
    fn begin(request: &ServiceRequest) -> Self {
        let mut hash = Sha256::new();
        let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        for part in [request.method().as_str().as_bytes(), request.uri().to_string().as_bytes(), kind] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(Rc::new(RefCell::new(hash)))
    }

    /// Takes in the body of a request: a short one at once, since not every handler reads it, and the rest of a long one as it is read.
    async fn follow(&self, request: &mut ServiceRequest) {
        let mut body = Followed { body: request.take_payload(), print: self.clone() };
        let (mut pieces, mut size) = (Vec::new(), 0);
        while size <= body::LARGEST {
            let Some(piece) = body.next().await else { break };
            size += piece.as_ref().map_or(usize::MAX, Bytes::len).min(body::LARGEST + 1);
            pieces.push(piece);
        }
        request.set_payload(Payload::Stream { payload: Box::pin(stream::iter(pieces).chain(body)) });
    }

    /// The hash of the whole request, of which nothing is kept.
    async fn drained(&self, body: Payload, limit: u64) -> Result<String, PayloadError> {
        let (mut body, mut size) = (Followed { body, print: self.clone() }, 0);
        while let Some(piece) = body.next().await {
            size += piece?.len() as u64;
            if size > limit.max(body::LARGEST as u64) {
                return Err(PayloadError::Overflow);
            }
        }
        Ok(self.end())
    }

    fn end(&self) -> String {
        hex(&self.0.borrow().clone().finalize())
    }
}

struct Followed {
    body: Payload,
    print: Print,
}

impl Stream for Followed {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.body).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            self.print.0.borrow_mut().update(bytes);
        }
        polled
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
