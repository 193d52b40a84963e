//! When two answers are the same: byte for byte, up to a renaming of what is random in each commons.
//!
//! Record ids, disclosure ids, request ids and ETags are renamed to the order in which the trace first saw them. Two traces that
//! read the same after that differ by a one-to-one renaming only. A cursor counts by its presence and its length; the page that it
//! opens is compared when it is followed.

use std::collections::HashMap;
use std::fmt;

use reqwest::blocking::Response;

/// What a caller can see of an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The cursor as it came. Not compared.
    pub next: Option<String>,
    /// The ETag as it came. Not compared.
    pub etag: Option<String>,
}

/// Two answers that should have been the same.
pub struct Difference {
    pub asked: String,
    pub answers: Box<[Answer; 2]>,
}

/// Headers that differ between any two answers, of one commons too. How many requests are left counts those of the test itself, of which
/// one world may have had more; that it tells nothing else, the tests of the limits hold.
const PASSING: [&str; 3] = ["date", "x-request-id", "ratelimit"];
/// What random names begin with.
const RANDOM: [&str; 3] = ["rec_", "dis_", "req_"];

/// The random names of one commons, in the order in which the trace saw them.
#[derive(Default)]
pub struct Names {
    known: HashMap<String, usize>,
    seen: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        self.known.insert(name.to_owned(), self.seen.len());
        self.seen.push(name.to_owned());
        self.seen.len() - 1
    }

    /// One of the names seen so far that begin with `prefix`.
    pub fn pick(&self, prefix: &str, nth: usize) -> Option<&str> {
        let some: Vec<&String> = self.seen.iter().filter(|name| name.starts_with(prefix)).collect();
        some.get(nth.checked_rem(some.len())?).map(|name| name.as_str())
    }

    /// `text` with each random name replaced by its number. The length stays part of the name.
    fn renamed(&mut self, text: &str) -> String {
        let mut done = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((at, prefix)) = first_of(rest) {
            let (before, from) = rest.split_at(at);
            let end = from[prefix.len()..]
                .find(|letter: char| !letter.is_ascii_alphanumeric())
                .map_or(from.len(), |end| end + prefix.len());
            let (name, after) = from.split_at(end);
            done.push_str(before);
            done.push_str(&format!("{prefix}#{}({})", self.number(name), name.len()));
            rest = after;
        }
        done + rest
    }

    /// Reads an answer. `word` is the one that stands in this commons where another stands in its twin.
    pub fn read(&mut self, response: Response, word: Option<&str>) -> Answer {
        let status = response.status().as_u16();
        let here = response.url().origin().ascii_serialization();
        let mut headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .filter(|(name, _)| !PASSING.contains(&name.as_str()))
            // Where a commons is served says nothing of what is in it.
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).replace(&here, "«here»")))
            .collect();
        headers.sort();
        let etag = headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.clone());
        let text = response.text().unwrap();
        let (body, next) = without_next(&text);
        for (name, value) in &mut headers {
            *value = if name == "etag" { format!("etag#{}", self.number(value)) } else { self.renamed(value) };
        }
        let body = self.renamed(&body);
        let body = word.map_or(body.clone(), |word| body.replace(word, "«word»"));
        Answer { status, headers, body, next, etag }
    }
}

fn first_of(text: &str) -> Option<(usize, &'static str)> {
    RANDOM.into_iter().filter_map(|prefix| Some((text.find(prefix)?, prefix))).min()
}

/// The body with its cursor replaced by the length of it.
fn without_next(body: &str) -> (String, Option<String>) {
    const MARK: &str = "\"next\":\"";
    let Some((before, rest)) = body.split_once(MARK) else { return (body.to_owned(), None) };
    let Some((next, after)) = rest.split_once('"') else { return (body.to_owned(), None) };
    (format!("{before}{MARK}({})\"{after}", next.len()), Some(next.to_owned()))
}

impl Answer {
    /// Whether a caller sees the same.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.status, &self.headers, &self.body) == (other.status, &other.headers, &other.body)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {:?}", self.status, self.headers)?;
        f.write_str(&self.body)
    }
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = &*self.answers;
        write!(f, "the twins differ\n{}\nfirst:  {first:?}\nsecond: {second:?}", self.asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_where_they_were_first_seen() {
        let mut names = [Names::default(), Names::default()];
        let [first, second] = &mut names;
        assert_eq!(first.renamed("rec_aa rec_bb rec_aa"), second.renamed("rec_cc rec_aa rec_cc"));
        assert_ne!(first.renamed("rec_bb"), second.renamed("rec_cc"));
        assert_eq!(first.pick("rec_", 3), Some("rec_bb"));
    }

    #[test]
    fn a_cursor_counts_by_its_length() {
        assert_eq!(without_next("{\"next\":\"abc\"}"), ("{\"next\":\"(3)\"}".to_owned(), Some("abc".to_owned())));
        assert_eq!(without_next("{\"next\":null}").1, None);
    }
}
