//! Where a browser may be sent back to.
//!
//! * Registered in full, compared letter by letter (RFC 9700, section 4.1.3). No pattern, no path that only begins alike.
//! * Over TLS, or on the person's own machine. There a program takes whatever port is free, so that any port fits (RFC 8252, section
//!   7.3): of `127.0.0.1` and `[::1]`, written so, and not of a name that somebody may lead elsewhere (section 8.3).

use url::Url;

/// The longest address, in bytes.
const LONGEST: usize = 2_000;

/// The person's own machine.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Why an address cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// Not a URL, or one with letters that are read differently by different programs.
    #[error("a redirect URI is an absolute URL of visible ASCII letters, at most {LONGEST} long")]
    NotUrl,
    /// Neither `https` nor on the person's own machine.
    #[error(
        "a redirect URI begins with `https://`, `http://127.0.0.1` or `http://[::1]`; `localhost` is a name, and may lead elsewhere"
    )]
    Scheme,
    /// It has a `#`.
    #[error("a redirect URI has no fragment")]
    Fragment,
    /// It has a user name or a password.
    #[error("a redirect URI has no user name and no password")]
    Credentials,
}

/// An address that may be registered, as it was written.
///
/// # Errors
/// [`RedirectError`].
pub fn checked(uri: &str) -> Result<String, RedirectError> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\<>\"^`{|}".contains(&byte);
    if uri.len() > LONGEST || !uri.bytes().all(plain) {
        return Err(RedirectError::NotUrl);
    }
    let url = Url::parse(uri).map_err(|_| RedirectError::NotUrl)?;
    if uri.contains('#') {
        return Err(RedirectError::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() || uri.contains('@') {
        return Err(RedirectError::Credentials);
    }
    let tls = uri.starts_with("https://") && url.has_host();
    if tls || without_port(uri).is_some() { Ok(uri.to_owned()) } else { Err(RedirectError::Scheme) }
}

/// An address on the person's own machine: the host, and what follows the port.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    LOOPBACK.into_iter().find_map(|host| {
        let rest = uri.strip_prefix(host)?;
        let rest = match rest.strip_prefix(':') {
            Some(rest) => {
                let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
                let (port, rest) = rest.split_at_checked(digits)?;
                port.parse::<u16>().ok().filter(|port| *port > 0)?;
                rest
            }
            None => rest,
        };
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
    })
}

/// Whether `asked` is one of the addresses that were registered.
pub(super) fn is_registered(asked: &str, registered: &[String]) -> bool {
    let fits = |known: &String| {
        known == asked || without_port(known).is_some_and(|known| Some(known) == without_port(asked)) && checked(asked).is_ok()
    };
    registered.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{RedirectError, checked, is_registered};

    #[test]
    fn what_is_neither_over_tls_nor_on_ones_own_machine_is_not_registered() {
        for uri in
            ["https://a.example/back", "https://a.example", "http://127.0.0.1:8080/back", "http://[::1]/", "http://127.0.0.1"]
        {
            assert_eq!(checked(uri).as_deref(), Ok(uri));
        }
        for (uri, why) in [
            ("http://a.example/back", RedirectError::Scheme),
            ("http://localhost/back", RedirectError::Scheme),
            ("http://127.0.0.1.evil.example/", RedirectError::Scheme),
            ("http://127.0.0.10/", RedirectError::Scheme),
            ("http://127.0.0.1:99999/", RedirectError::NotUrl),
            ("http://127.0.0.1:0/", RedirectError::Scheme),
            ("myapp:/back", RedirectError::Scheme),
            ("javascript:alert(1)", RedirectError::Scheme),
            ("data:text/html,x", RedirectError::Scheme),
            ("https:a.example", RedirectError::Scheme),
            ("HTTPS://a.example", RedirectError::Scheme),
            ("https://a.example/#", RedirectError::Fragment),
            ("https://a.example/#x", RedirectError::Fragment),
            ("https://a@b.example/", RedirectError::Credentials),
            ("http://127.0.0.1@b.example/", RedirectError::Credentials),
            ("https://a.example\\@b.example/", RedirectError::NotUrl),
            ("https://a.example/ b", RedirectError::NotUrl),
            ("https://a.example/\n", RedirectError::NotUrl),
            ("https://ä.example/", RedirectError::NotUrl),
            ("/back", RedirectError::NotUrl),
            ("", RedirectError::NotUrl),
        ] {
            assert_eq!(checked(uri), Err(why), "{uri}");
        }
    }

    #[test]
    fn only_the_port_of_ones_own_machine_may_differ() {
        let known = ["https://a.example/back".to_owned(), "http://127.0.0.1/back?x=1".to_owned(), "http://[::1]:1/".to_owned()];
        for asked in ["https://a.example/back", "http://127.0.0.1:50000/back?x=1", "http://127.0.0.1/back?x=1", "http://[::1]:2/"]
        {
            assert!(is_registered(asked, &known), "{asked}");
        }
        for asked in [
            "https://a.example/back/",
            "https://a.example/back?x",
            "https://a.example:443/back",
            "https://a.example/Back",
            "https://A.example/back",
            "https://a.example/b%61ck",
            "https://a.example/x/../back",
            "https://b.a.example/back",
            "http://127.0.0.1:50000/back",
            "http://127.0.0.1:50000/back?x=1&y=2",
            "http://127.0.0.1:50000/back?x=1#y",
            "http://127.0.0.1:5@evil.example/back?x=1",
            "http://localhost/back?x=1",
            "http://[::1]:2",
            "",
        ] {
            assert!(!is_registered(asked, &known), "{asked}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_asked_for_a_browser_stays_with_the_host_that_was_registered(
            host in "[a-z]{1,8}", asked in "(https?://)?([a-z0-9.@:\\[\\]\\\\/?#%-]{0,40})",
        ) {
            let known = [format!("https://{host}.example/back"), "http://127.0.0.1/back".to_owned()];
            if is_registered(&asked, &known) {
                let at = url::Url::parse(&asked).map(|url| url.host_str().unwrap_or_default().to_owned()).unwrap_or_default();
                let registered = [format!("{host}.example"), "127.0.0.1".to_owned()];
                prop_assert!(registered.contains(&at));
            }
        }
    }
}
