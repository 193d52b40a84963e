//! Where a request comes from.
//!
//! * Without trusted proxies: the other end of the connection. Whatever a header says is the caller's own claim, and not read.
//! * From a trusted proxy: the **last** address of the **one** header that this proxy was said to write. Proxies add to the end, so the
//!   last address is the one that the trusted proxy saw itself; whatever stands before it may have been made up.
//! * Exactly one proxy is believed. Where several stand in a row, the one nearest to the program has to say who came to the first.
//! * The other header is never read, not even from a trusted proxy: it would be passed on as the caller wrote it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::HeaderMap;
use clap::ValueEnum;
use ipnet::IpNet;

/// Which header a trusted proxy writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Who may say for whom they speak.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Their networks; nobody, where there are none.
    pub trusted: Vec<IpNet>,
    /// What they write.
    pub header: ProxyHeader,
}

impl Proxies {
    /// The address that a request comes from. What a trusted proxy writes that cannot be read leaves the proxy's own address: then all
    /// of its callers count as one, which is never to the advantage of a caller.
    #[must_use]
    pub fn origin(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer?.ip().to_canonical();
        if !self.trusted.iter().any(|network| network.contains(&peer)) {
            return Some(peer);
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        let last = headers.get_all(name).last().and_then(|line| line.to_str().ok());
        let last = last.and_then(|line| line.rsplit(',').next()).map(str::trim);
        let told = last.and_then(|last| match self.header {
            ProxyHeader::XForwardedFor => address(last),
            ProxyHeader::Forwarded => element(last),
        });
        Some(told.unwrap_or(peer))
    }
}

/// The `for` of one element (RFC 7239, section 4). A name that says nothing (`unknown`, `_hidden`) is none.
fn element(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(node.trim_matches('"'))
}

/// An address, with or without a port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let ported = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse::<IpAddr>().ok().or_else(bare).or_else(ported)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Proxies, ProxyHeader};

    fn origin(header: ProxyHeader, peer: &str, lines: &[(&'static str, &'static str)]) -> String {
        let proxies = Proxies { trusted: "10.0.0.0/8".parse().into_iter().collect(), header };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        proxies.origin(peer.parse().ok(), &headers).map(|address| address.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_last_word() {
        let plain = |peer, lines: &[_]| origin(ProxyHeader::XForwardedFor, peer, lines);
        assert_eq!(plain("192.0.2.1:9", &[("x-forwarded-for", "203.0.113.5")]), "192.0.2.1");
        assert_eq!(plain("10.1.1.1:9", &[("x-forwarded-for", "203.0.113.5")]), "203.0.113.5");
        assert_eq!(plain("10.1.1.1:9", &[("x-forwarded-for", "1.1.1.1, 203.0.113.5")]), "203.0.113.5");
        assert_eq!(plain("10.1.1.1:9", &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.5")]), "203.0.113.5");
        assert_eq!(plain("[::ffff:10.1.1.1]:9", &[("x-forwarded-for", "[2001:db8::7]:80")]), "2001:db8::7");
        assert_eq!(plain("10.1.1.1:9", &[("x-forwarded-for", "not an address")]), "10.1.1.1");
        assert_eq!(plain("10.1.1.1:9", &[]), "10.1.1.1");
    }

    #[test]
    fn the_header_that_the_proxy_does_not_write_is_the_callers() {
        let lines = [("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "203.0.113.5")];
        assert_eq!(origin(ProxyHeader::XForwardedFor, "10.1.1.1:9", &lines), "203.0.113.5");
        assert_eq!(origin(ProxyHeader::Forwarded, "10.1.1.1:9", &lines), "1.1.1.1");
    }

    #[test]
    fn an_element_of_forwarded_is_read_as_its_rfc_says() {
        let told = |line| origin(ProxyHeader::Forwarded, "10.1.1.1:9", &[("forwarded", line)]);
        assert_eq!(told("for=1.1.1.1, For=\"[2001:db8:cafe::17]:4711\";proto=https"), "2001:db8:cafe::17");
        assert_eq!(told("proto=https;for=198.51.100.17;by=203.0.113.60"), "198.51.100.17");
        assert_eq!(told("for=unknown"), "10.1.1.1");
        assert_eq!(told("for=_hidden"), "10.1.1.1");
    }
}
