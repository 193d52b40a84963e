//! The two cookies: who is signed in, and, before anybody is, which browser a form was given to.
//!
//! * Over TLS their names begin with `__Host-` (RFC 6265bis, section 4.1.3.2): no other host, path or plain connection can set them.
//!   On a loopback address, where browsers may not keep such cookies, they have plain names.
//! * Both hold 32 random bytes. Only a hash of the session's is kept, and nothing of the form's.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use hayward_domain::id::from_base32;

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    Form,
}

/// Whether the browser reached us over TLS. A browser that says so wrongly harms only itself.
fn secure(request: &HttpRequest) -> bool {
    let told = request.headers().get("X-Forwarded-Proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    request.app_config().secure() || told || !loopback(request.connection_info().host())
}

/// Whether a `Host` is this very machine.
fn loopback(host: &str) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn name(kind: Kind, secure: bool) -> &'static str {
    match (kind, secure) {
        (Kind::Session, true) => "__Host-hayward",
        (Kind::Session, false) => "hayward",
        (Kind::Form, true) => "__Host-hayward-form",
        (Kind::Form, false) => "hayward-form",
    }
}

/// The value of a cookie, if it is one that we could have given.
pub(super) fn value(request: &HttpRequest, kind: Kind) -> Option<String> {
    let value = request.cookie(name(kind, secure(request)))?.value().to_owned();
    (from_base32(&value)?.len() == 32).then_some(value)
}

fn cookie(request: &HttpRequest, kind: Kind, value: String) -> Cookie<'static> {
    let secure = secure(request);
    Cookie::build(name(kind, secure), value).path("/").secure(secure).http_only(true).same_site(SameSite::Lax).finish()
}

/// A cookie that lasts as long as the browser runs; what it stands for ends earlier.
pub(super) fn given(request: &HttpRequest, kind: Kind, value: String) -> Cookie<'static> {
    cookie(request, kind, value)
}

/// A cookie that takes the browser's away.
pub(super) fn taken(request: &HttpRequest, kind: Kind) -> Cookie<'static> {
    let mut cookie = cookie(request, kind, String::new());
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::{Kind, given, loopback, taken};

    #[test]
    fn this_machine_is_told_from_others_that_look_like_it() {
        for host in ["127.0.0.1:8080", "localhost", "localhost:1", "[::1]:80", "127.9.9.9"] {
            assert!(loopback(host), "{host}");
        }
        for host in ["127.0.0.1.example.org", "example.org", "localhost.example.org", "10.0.0.1", "[::2]", "a b", ""] {
            assert!(!loopback(host), "{host}");
        }
    }

    #[test]
    fn cookies_are_bound_to_this_host_wherever_it_is_not_this_machine() {
        let far = TestRequest::get().insert_header(("Host", "commons.example")).to_http_request();
        let near = TestRequest::get().insert_header(("Host", "127.0.0.1:8080")).to_http_request();
        let given = |request| given(request, Kind::Session, "x".to_owned()).to_string();
        assert_eq!(given(&far), "__Host-hayward=x; HttpOnly; SameSite=Lax; Secure; Path=/");
        assert_eq!(given(&near), "hayward=x; HttpOnly; SameSite=Lax; Path=/");
        assert!(taken(&far, Kind::Session).to_string().contains("Max-Age=0"));
        let proxied = TestRequest::get().insert_header(("Host", "127.0.0.1:1")).insert_header(("X-Forwarded-Proto", "https"));
        assert!(given(&proxied.to_http_request()).starts_with("__Host-hayward="));
    }
}
