//! From which network a request comes, for counting guesses: what one household or one server can be expected to have.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpRequest;

/// The network of a request: an IPv4 address, or the first 64 bits of an IPv6 address. Requests without one share a name.
#[must_use]
pub fn of(request: &HttpRequest) -> String {
    request.peer_addr().map_or_else(|| "nowhere".to_owned(), |peer| named(peer.ip()))
}

fn named(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let bits = u128::from(address) & (u128::MAX << 64);
            format!("{}/64", Ipv6Addr::from(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn an_address_of_the_new_kind_counts_with_its_neighbours() {
        let named = |text: &str| named(text.parse().unwrap_or_else(|_| [0, 0, 0, 0].into()));
        assert_eq!(named("192.0.2.7"), "192.0.2.7");
        assert_eq!(named("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(named("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(named("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
    }
}
