//! Formats, as far as they are certain at a glance. A day is decided here in full; of the others, the common case.

use chrono::NaiveDate;

/// The test for a format: what passes is certainly of it. None for a format that is left to the oracle.
pub(super) fn certain(format: &str) -> Option<fn(&str) -> bool> {
    match format {
        "date" => Some(is_day),
        "date-time" => Some(is_moment),
        "email" => Some(is_common_email),
        "uri" => Some(is_common_web_address),
        _ => None,
    }
}

/// `YYYY-MM-DD` (RFC 3339), a day that the calendar has.
fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    let part = |from, to| text.get(from..to).and_then(|digits| digits.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day), true) = (part(0, 4), part(5, 7), part(8, 10), shaped) else { return false };
    i32::try_from(year).is_ok_and(|year| NaiveDate::from_ymd_opt(year, month, day).is_some())
}

/// `2026-03-01T12:30:00Z`: in UTC, to the second. Offsets, fractions and leap seconds are for the oracle.
fn is_moment(text: &str) -> bool {
    let Some((day, clock)) = text.split_once('T') else { return false };
    let parts: Vec<&str> = clock.strip_suffix('Z').unwrap_or_default().split(':').collect();
    let below = |digits: &str, limit: u8| {
        digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u8>().is_ok_and(|n| n < limit)
    };
    is_day(day) && matches!(parts[..], [hour, minute, second] if below(hour, 24) && below(minute, 60) && below(second, 60))
}

/// `name.surname+list@mail.example.coop`: unquoted, ASCII, under a domain of at least two plain labels.
fn is_common_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let atom =
        |atom: &str| !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'));
    local.len() <= 64 && local.split('.').all(atom) && domain.contains('.') && is_common_host(domain)
}

/// `https://www.example.coop/about?page=2#who`, without anything that needs escaping, a port or a user.
fn is_common_web_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |end| rest.split_at(end));
    let plain = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'_' | b'~' | b'?' | b'=' | b'&' | b'+' | b',' | b'#')
    };
    is_common_host(host) && path.bytes().all(plain) && path.bytes().filter(|b| *b == b'#').count() <= 1
}

fn is_common_host(host: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        // `--` marks an encoded label, which has rules of its own.
        inner
            && !label.is_empty()
            && label.len() <= 63
            && !label.contains("--")
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::certain;

    fn passes(format: &str, text: &str) -> bool {
        certain(format).is_some_and(|test| test(text))
    }

    #[test]
    fn a_day_is_one_that_the_calendar_has() {
        for day in ["2024-02-29", "0000-01-01", "9999-12-31"] {
            assert!(passes("date", day), "{day}");
        }
        for none in
            ["2023-02-29", "2024-13-01", "2024-00-10", "2024-1-1", "20240101", "2024-01-01T00:00:00Z", "+024-01-01", "２024-01-1"]
        {
            assert!(!passes("date", none), "{none}");
        }
    }

    #[test]
    fn common_addresses_are_certain() {
        for email in ["a@b.coop", "first.last+list@mail.example.org"] {
            assert!(passes("email", email), "{email}");
        }
        for address in ["https://example.coop", "http://a.example/b?c=d&e=f#g", "https://example.coop/%20x"] {
            assert_eq!(passes("uri", address), !address.contains('%'), "{address}");
        }
        assert!(passes("date-time", "2026-03-01T12:30:59Z"));
        assert!(!passes("date-time", "2026-03-01T24:00:00Z"));
    }
}
