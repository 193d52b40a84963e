//! Pages for people, in plain HTML that works without scripts.
//!
//! * A cookie authorizes pages and never `/api/v1`; a bearer token authorizes `/api/v1` and never a page. So no other site can make a
//!   browser use the API, and no page needs a token.
//! * Who is signed in comes out of [`Visitor`] in a handler's signature. Where nobody is, a `GET` goes to `/sign-in` and comes back.
//! * Every `POST` is read by [`Posted`], which insists on the token of the form and on the browser's own word that the form was ours.
//! * Every page goes out through [`Frame::page`], which sets what the browser may do with it: no script, no frame, no other origin.
//! * What a page shows is escaped by its template; nothing is put into HTML by hand.
//! * An address with a key in it is never given to another site (`Referrer-Policy`), and looking at it uses nothing up.
//! * A form whose answer leads to another origin has to say so ([`Frame::leading_to`]): browsers hold redirects against `form-action`.

pub mod account;
pub mod acting;
pub mod assets;
pub mod authorize;
pub mod codes;
pub mod commons;
mod consent;
mod cookie;
pub mod device;
mod form;
mod frame;
mod halt;
pub mod invite;
mod place;
pub mod setup;
pub mod sign_in;
mod visitor;

use actix_web::HttpRequest;
use hayward_domain::scope::Role;

pub use form::Posted;
pub use frame::Frame;
pub use halt::Halt;
pub use place::local;
pub use visitor::Visitor;

/// A parameter of the address; nothing where it cannot be read.
fn query(request: &HttpRequest, name: &str) -> Option<String> {
    let found = url::form_urlencoded::parse(request.query_string().as_bytes()).find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned()).filter(|value| !value.contains('\0'))
}

/// Roles in words: `owner, steward`.
fn words(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}
