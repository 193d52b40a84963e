//! Who looks at a page: a person who is signed in at this browser.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use hayward_domain::scope::Role;
use hayward_store::{Caller, Organization, PageSession, StoreError};

use super::{Halt, cookie, place};
use crate::auth::secret;
use crate::commons::Commons;
use crate::error::Error;

/// A person who is signed in at this browser. Only `cookie`s say so; what else the request carries does not count.
pub struct Visitor {
    session: PageSession,
    /// The hash of the session's cookie.
    hash: String,
    /// Where they are, if it can be come back to.
    here: Option<String>,
}

impl Deref for Visitor {
    type Target = PageSession;

    fn deref(&self) -> &PageSession {
        &self.session
    }
}

impl Visitor {
    /// The hash that their session is kept under.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The member co-op that they act for, if they have said so.
    #[must_use]
    pub fn acts_for(&self) -> Option<&Organization> {
        self.positions.iter().map(|(at, _)| at).find(|at| Some(at.number) == self.organization)
    }

    /// What they are in the member co-op that they act for.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        let acting = self.positions.iter().find(|(at, _)| Some(at.number) == self.organization);
        acting.map_or(&[], |(_, roles)| roles)
    }

    /// What they may do for the member co-op that they act for, as if they asked the API.
    ///
    /// # Errors
    /// [`Halt::Choose`] where they have not said for which of several they act, and not found where they belong to none.
    pub async fn caller(&self, commons: &Data<Commons>) -> Result<Caller, Halt> {
        if self.acts_for().is_none() {
            return Err(if self.positions.is_empty() { Error::NotFound.into() } else { Halt::Choose(self.here.clone()) });
        }
        let hash = self.hash.clone();
        match commons.run(move |store| Ok::<_, Error>(store.caller_of_page(&hash))).await? {
            Ok(caller) => Ok(caller),
            // It ended meanwhile.
            Err(StoreError::NotFound) => Err(Halt::SignIn(self.here.clone())),
            Err(error) => Err(error.into()),
        }
    }
}

impl FromRequest for Visitor {
    type Error = Halt;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Halt>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let commons = request.app_data::<Data<Commons>>().ok_or_else(|| Error::Internal("no commons".to_owned()))?;
            // Only what can be asked for again is come back to.
            let here = request.uri().path_and_query().filter(|_| request.method() == Method::GET);
            let here = here.and_then(|path| place::local(path.as_str()));
            let Some(value) = cookie::value(&request, cookie::Kind::Session) else { return Err(Halt::SignIn(here)) };
            let hash = secret::hash(&value);
            let looked_up = hash.clone();
            let found = commons.run(move |store| {
                let session = store.page_session(&looked_up)?;
                store.page_session_used(&session)?;
                Ok::<_, StoreError>(session)
            });
            match found.await {
                Ok(session) => Ok(Self { session, hash, here }),
                Err(Error::NotFound) => Err(Halt::SignIn(here)),
                Err(error) => Err(error.into()),
            }
        })
    }
}
