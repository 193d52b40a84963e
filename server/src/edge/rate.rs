//! How often one caller may ask.
//!
//! * A caller is a program or a person; whoever shows no token that works is an address (of IPv6 the /64 that a household or a server
//!   has). Nobody's requests are counted to somebody else with a token.
//! * A limit is requests a second, and as many at once. The commons has one for callers and one for addresses
//!   (`hayward admin settings`); a program may have its own (`hayward admin client limit`).
//! * Counted in memory, by each server for itself: several servers let several times as much through, and a start forgets. Nothing is
//!   written on the way. Whose a token is and what is allowed is remembered for `REMEMBERED`; whether a token opens anything is never
//!   decided here.
//! * What is told (draft-ietf-httpapi-ratelimit-headers-11) hangs on the caller's own requests and on the clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use hayward_store::{Store, StoreError};

use crate::auth::bearer;
use crate::error::Error;

/// How long it is remembered whose a token is, and what is allowed.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Tokens that are remembered at a time.
const TOKENS: usize = 20_000;
/// Callers that are counted before those who have not asked for a while are forgotten.
const CALLERS: usize = 20_000;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Asker {
    Caller(Arc<str>),
    Address(IpAddr),
}

type Limiter = RateLimiter<Asker, DashMapStateStore<Asker>, Steady, StateInformationMiddleware>;

/// Whose a token is.
#[derive(Clone)]
struct Known {
    name: Arc<str>,
    limit: u32,
    until: Nanos,
}

/// What the commons allows.
#[derive(Clone, Copy)]
struct Allowed {
    caller: u32,
    address: u32,
    until: Nanos,
}

/// Everybody who has asked lately.
pub(super) struct Rates {
    store: Arc<Store>,
    clock: Steady,
    allowed: RwLock<Option<Allowed>>,
    known: RwLock<HashMap<String, Known>>,
    /// One for each limit that somebody has.
    limiters: RwLock<HashMap<u32, Arc<Limiter>>>,
}

/// How somebody stands after a request.
pub(super) struct Standing {
    policy: &'static str,
    quota: u32,
    remaining: u32,
    /// Seconds to wait, where this request is refused.
    pub(super) retry_after: Option<u64>,
}

impl Rates {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let clock = Steady::new(Arc::clone(&store));
        Self { store, clock, allowed: RwLock::default(), known: RwLock::default(), limiters: RwLock::default() }
    }

    /// Counts a request; nothing for what is not limited.
    pub(super) async fn ask(&self, request: &ServiceRequest, origin: Option<IpAddr>) -> Result<Option<Standing>, Error> {
        if !request.path().starts_with("/api/") && !request.path().starts_with("/oauth/") {
            return Ok(None);
        }
        let token = bearer::token_hash(request.request()).ok().flatten();
        if let Some(known) = token.as_ref().and_then(|token| self.remembered(token)) {
            return Ok(Some(self.count("client", known.limit, Asker::Caller(known.name))));
        }
        let allowed = self.allowed().await?;
        // Before the database is asked: guesses count to whoever guesses.
        let address = Asker::Address(network(origin));
        let standing = self.count("address", allowed.address, address);
        let Some(token) = token.filter(|_| standing.retry_after.is_none()) else { return Ok(Some(standing)) };
        let hash = token.clone();
        let found = self.read(move |store| match store.holder(&hash) {
            Err(StoreError::NotFound) => Ok(None),
            found => found.map(Some),
        });
        let Some((name, own)) = found.await? else { return Ok(Some(standing)) };
        let known = Known { name: name.into(), limit: own.unwrap_or(allowed.caller), until: self.soon() };
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TOKENS {
            all.clear();
        }
        all.insert(token, known.clone());
        drop(all);
        Ok(Some(self.count("client", known.limit, Asker::Caller(known.name))))
    }

    fn remembered(&self, token: &str) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(token).filter(|known| known.until > self.clock.now()).cloned()
    }

    async fn allowed(&self) -> Result<Allowed, Error> {
        let kept = *self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowed) = kept.filter(|allowed| allowed.until > self.clock.now()) {
            return Ok(allowed);
        }
        let settings = self.read(|store| store.read_settings()).await?;
        let allowed = Allowed { caller: settings.client_limit, address: settings.address_limit, until: self.soon() };
        *self.allowed.write().unwrap_or_else(PoisonError::into_inner) = Some(allowed);
        self.forget();
        Ok(allowed)
    }

    /// Forgets whoever has all of their quota again, where many are counted.
    fn forget(&self) {
        let limiters = self.limiters.read().unwrap_or_else(PoisonError::into_inner);
        limiters.values().filter(|limiter| limiter.len() > CALLERS).for_each(|limiter| limiter.retain_recent());
    }

    async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.store);
        Ok(actix_web::web::block(move || f(&store)).await??)
    }

    fn soon(&self) -> Nanos {
        self.clock.now() + Nanos::from(REMEMBERED)
    }

    fn count(&self, policy: &'static str, limit: u32, asker: Asker) -> Standing {
        let quota = NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
        let limiter = self.limiter(quota);
        let standing = |remaining, retry_after| Standing { policy, quota: quota.get(), remaining, retry_after };
        match limiter.check_key(&asker) {
            Ok(state) => standing(state.remaining_burst_capacity(), None),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                standing(0, Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).map(|wait| wait.max(1)))
            }
        }
    }

    fn limiter(&self, quota: NonZeroU32) -> Arc<Limiter> {
        let found = self.limiters.read().unwrap_or_else(PoisonError::into_inner).get(&quota.get()).cloned();
        if let Some(limiter) = found {
            return limiter;
        }
        let mut limiters = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let limiter = RateLimiter::dashmap_with_clock(Quota::per_second(quota), self.clock.clone());
            Arc::new(limiter.with_middleware::<StateInformationMiddleware>())
        };
        Arc::clone(limiters.entry(quota.get()).or_insert_with(make))
    }
}

impl Standing {
    pub(super) fn words(&self) -> String {
        format!("more than {} requests a second", self.quota)
    }

    /// Says so in the head of an answer.
    pub(super) fn write<B>(&self, response: &mut ServiceResponse<B>) {
        let Self { policy, quota, remaining, retry_after } = self;
        // Until all of the quota is there again.
        let reset = u32::from(remaining < quota);
        let lines = [
            ("ratelimit-policy", format!("\"{policy}\";q={quota};w=1")),
            ("ratelimit", format!("\"{policy}\";r={remaining};t={reset}")),
        ];
        for (name, line) in lines {
            if let Ok(value) = HeaderValue::from_str(&line) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
        }
    }
}

/// What is counted as one where no token tells who it is.
fn network(origin: Option<IpAddr>) -> IpAddr {
    match origin {
        Some(IpAddr::V6(address)) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        Some(address) => address,
        None => IpAddr::V6(0.into()),
    }
}

/// The commons' clock, less its jumps backwards: they would keep everybody out until it is as late again.
#[derive(Clone)]
struct Steady {
    store: Arc<Store>,
    /// The latest moment told, and what is added to the clock, in microseconds.
    last: Arc<AtomicI64>,
    ahead: Arc<AtomicI64>,
}

impl Steady {
    fn new(store: Arc<Store>) -> Self {
        Self { last: Arc::new(AtomicI64::new(store.now().0)), ahead: Arc::default(), store }
    }
}

impl Clock for Steady {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let clock = self.store.now().0;
        let told = clock.saturating_add(self.ahead.load(Ordering::Relaxed));
        let last = self.last.fetch_max(told, Ordering::Relaxed);
        // Threads read the clock a little apart; only what is more than that is a jump.
        if last.saturating_sub(told) > 1_000_000 {
            self.ahead.store(last.saturating_sub(clock), Ordering::Relaxed);
        }
        Nanos::from(u64::try_from(told.max(last)).unwrap_or(0).saturating_mul(1_000))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::network;

    #[test]
    fn a_household_is_one_asker() {
        let of = |text: &str| text.parse::<IpAddr>().map(|address| network(Some(address)));
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
