//! Where a caller comes from: a handler that wants one names the scope in its signature.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use hayward_domain::scope::Scope;
use hayward_store::{Caller, StoreError, Viewer};

use super::secret;
use crate::commons::Commons;
use crate::error::Error;

/// A scope, as a type.
pub trait Needs {
    /// The scope; nothing where any token will do.
    fn scope() -> Option<Scope>;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident => $scope:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Needs for $name {
            fn scope() -> Option<Scope> {
                $scope
            }
        }
    )*};
}

needs! {
    /// Any token.
    Anyone => None;
    /// `datasets:read`
    DatasetsRead => Some(Scope::DatasetsRead);
    /// `datasets:write`
    DatasetsWrite => Some(Scope::DatasetsWrite);
    /// `imports:write`
    ImportsWrite => Some(Scope::ImportsWrite);
    /// `agreements:read`
    AgreementsRead => Some(Scope::AgreementsRead);
    /// `agreements:propose`
    AgreementsPropose => Some(Scope::AgreementsPropose);
    /// `agreements:approve`
    AgreementsApprove => Some(Scope::AgreementsApprove);
    /// `ledger:read`
    LedgerRead => Some(Scope::LedgerRead);
    /// `people:manage`
    PeopleManage => Some(Scope::PeopleManage);
    /// `clients:manage`
    ClientsManage => Some(Scope::ClientsManage);
}

/// A caller whose token has the scope `S`.
pub struct Bearer<S> {
    /// Who it is.
    pub caller: Caller,
    /// The hash of the token, for revoking it.
    pub token_hash: String,
    needs: PhantomData<S>,
}

impl<S: Needs> FromRequest for Bearer<S> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let commons = request.app_data::<Data<Commons>>().cloned();
        let hash = token_hash(request);
        Box::pin(async move {
            let commons = commons.ok_or_else(|| Error::Internal("no commons".to_owned()))?;
            let token_hash = hash?.ok_or(Error::Unauthenticated)?;
            let hash = token_hash.clone();
            let found = commons.run(move |store| Ok::<_, Error>(store.caller(&hash))).await?;
            let caller = found.map_err(unknown_token)?;
            match S::scope() {
                Some(scope) if !caller.scopes.has(&scope) => Err(Error::MissingScope(scope)),
                Some(_) | None => Ok(Self { caller, token_hash, needs: PhantomData }),
            }
        })
    }
}

impl<S: Needs> Bearer<S> {
    /// The caller, looked up again once the body has arrived: a body can take its time, and a token may be revoked meanwhile.
    ///
    /// # Errors
    /// As the extractor.
    pub async fn still(self, commons: &Commons) -> Result<Caller, Error> {
        let hash = self.token_hash;
        let caller = commons.run(move |store| store.caller(&hash).map_err(unknown_token)).await?;
        match S::scope() {
            Some(scope) if !caller.scopes.has(&scope) => Err(Error::MissingScope(scope)),
            Some(_) | None => Ok(caller),
        }
    }
}

/// A token that is not found opens nothing: that is the caller's to mend, and no `404`.
pub fn unknown_token(error: StoreError) -> Error {
    match error {
        StoreError::NotFound => Error::Unauthenticated,
        other => other.into(),
    }
}

/// The hash of the request's token, if it has one.
///
/// # Errors
/// [`Error::Unauthenticated`] for a header that is no bearer token: a typo must not turn into an anonymous read.
pub fn token_hash(request: &HttpRequest) -> Result<Option<String>, Error> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Ok(None) };
    if headers.next().is_some() {
        return Err(Error::Unauthenticated);
    }
    let text = header.to_str().map_err(|_| Error::Unauthenticated)?;
    let (scheme, token) = text.split_once(' ').ok_or(Error::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(Error::Unauthenticated);
    }
    // Cut off or mistyped: no database has to be asked.
    if secret::is_mistyped(token.trim()) {
        return Err(Error::Unauthenticated);
    }
    Ok(Some(secret::hash(token.trim())))
}

/// Who reads shares: the token's holder, or somebody without one.
pub struct Reader(pub Viewer);

impl FromRequest for Reader {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(token_hash(request).map(|hash| Self(hash.map_or(Viewer::Nobody, Viewer::Token))))
    }
}
