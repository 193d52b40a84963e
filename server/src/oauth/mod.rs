//! The authorization server: how programs get tokens, for themselves and for people, and how they give them back.
//!
//! * Grants: client credentials and authorization codes (RFC 6749), refresh tokens, device codes (RFC 8628). Nothing implicit, no
//!   passwords. A program proves who it is with a secret, in HTTP Basic or in the body, or is public and has PKCE (RFC 7636) instead:
//!   S256 for everybody, `plain` for nobody.
//! * A token opens nothing by itself. What is read is token ∩ roles ∩ organization ∩ agreements in force, in the snapshot that is read.
//! * There is one resource, this commons, and its tokens are opaque: nobody else can take one for theirs (RFC 8707). The program's
//!   address comes from its settings, never from a request's `Host`.
//! * Everything that is stored and may be used once lies in [`hayward_store`], which says who wins; here are forms, answers and words.
//! * Whatever is taken back is acknowledged as [`crate::revocation`] says.
//! * An error is worded as the RFC of its endpoint has it, and never holds what was sent.
//! * No cross-origin sharing anywhere: the API has none, so a page of another origin has no use for a token.
//!
//! Pages (consent, typing in a code) are `crate::web`'s.

mod answer;
mod asked;
mod challenge;
mod client;
mod code;
mod credentials;
mod device;
mod form;
mod introspect;
mod metadata;
mod redirect;
mod refresh;
mod resource;
mod revoke;
mod token;

use std::time::Duration;

use hayward_domain::scope::Scopes;
use hayward_store::Issue;

use crate::auth::secret::{self, Kind};
use crate::commons::Commons;

pub use asked::{Asked, NotAsked, consent};
pub use challenge::point_to_metadata;
pub use device::{begin as begin_device, user_code};
pub use introspect::introspect;
pub use metadata::{resource as resource_metadata, server as server_metadata};
pub use redirect::{RedirectError, checked as checked_redirect_uri};
pub use revoke::revoke;
pub use token::token;

/// How long a bearer token works.
pub const TOKEN_LIFE: Duration = Duration::from_secs(3_600);
/// How long a code works: a browser takes it to the program at once.
pub const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long a refresh token works that is not used.
pub const REFRESH_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// How long a person's consent lasts, however often it is used.
pub const CONSENT_LIFE: Duration = Duration::from_secs(365 * 86_400);
/// How long a person has to type a device's code.
pub const DEVICE_LIFE: Duration = Duration::from_secs(600);
/// Seconds between two questions of a device.
pub const PAUSE: i64 = 5;

/// Tokens that are about to be handed out: what the program gets, and what is kept of it.
struct Fresh {
    token: String,
    refresh: String,
}

impl Fresh {
    fn new(commons: &Commons) -> Self {
        Self { token: Kind::Token.make(commons.random()), refresh: Kind::Refresh.make(commons.random()) }
    }

    fn issue(&self, commons: &Commons) -> Issue {
        let now = commons.store.now();
        Issue {
            token: secret::hash(&self.token),
            token_until: now.plus(TOKEN_LIFE),
            refresh: secret::hash(&self.refresh),
            refresh_until: now.plus(REFRESH_LIFE),
        }
    }

    fn answer(&self, scopes: &Scopes) -> actix_web::HttpResponse {
        answer::tokens(&self.token, Some(&self.refresh), scopes)
    }
}
