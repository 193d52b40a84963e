//! Bodies that arrive at a snail's pace are not waited for.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes a second that a body arrives at, at least, once the patience of the server is used up.
pub(super) const LEAST: u64 = 10 * 1024;

/// Whether the body of a request was given up.
#[derive(Clone, Default)]
pub(super) struct Late(Rc<Cell<bool>>);

impl Late {
    pub(super) fn is_set(&self) -> bool {
        self.0.get()
    }
}

/// Lets the body of a request, if it has one, be read only as long as it keeps pace: it may take `patience`, and a second more for
/// every [`LEAST`] bytes that have come.
pub(super) fn keep(request: &mut ServiceRequest, patience: Duration) -> Late {
    let late = Late::default();
    let body: Payload = match request.take_payload() {
        Payload::None => Payload::None,
        body => {
            let until = Instant::now() + patience;
            let paced = Paced { body, until, timer: Box::pin(sleep_until(until)), late: late.clone() };
            Payload::Stream { payload: Box::pin(paced) }
        }
    };
    request.set_payload(body);
    late
}

struct Paced {
    body: Payload,
    until: Instant,
    timer: Pin<Box<Sleep>>,
    late: Late,
}

impl Stream for Paced {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.body).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            let micros = (bytes.len() as u64).saturating_mul(1_000_000) / LEAST;
            self.until += Duration::from_micros(micros);
        }
        if polled.is_ready() {
            return polled;
        }
        let until = self.until;
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        if self.timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.late.0.set(true);
        Poll::Ready(Some(Err(PayloadError::Io(std::io::ErrorKind::TimedOut.into()))))
    }
}
