//! Searching in what is disclosed: which tokens a payload has, and what a query wants of them.
//!
//! * A token is made of the payload alone, so that an index of tokens knows nothing that the payload does not show. Which rows hold
//!   a token of somebody else's is no part of it: relevance is never taken from a whole index.
//! * Both sides are folded in the same way: case, accents and the letters that only look like accented ones are one.
//! * A script with spaces gives one token for each word. A script without them (Chinese, Japanese, Thai …) gives one for each
//!   letter: it and the two after it, fewer at the end of a run. So every piece of up to three letters is the beginning of a token.
//! * A query wants all of its words. A word is wanted whole, or as a beginning where it ends with `*`; a run without spaces is
//!   wanted as a piece: up to three letters anywhere, a longer one by all of its three-letter pieces.

mod fold;

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_normalization::char::is_combining_mark;

/// The version of the rules in this module: an index that was made by others is made anew.
pub const RULES: u32 = 1;

/// So much of a word tells it apart, in letters.
const LONGEST: usize = 32;
/// So many tokens of one record are searched: what PostgreSQL takes for one row.
const MOST: usize = 5_000;
/// So many tokens a query may want.
const WANTED: usize = 64;
/// Letters in a piece of a run without spaces.
const PIECE: usize = 3;

/// What a query wants: all of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query(Vec<Want>);

/// One token that a query wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    /// The token, folded: letters, digits and marks.
    pub token: String,
    /// Whether tokens that only begin so will do.
    pub beginning: bool,
}

/// Why a query wants nothing that could be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// It holds no letter and no digit.
    #[error("there is no word in it")]
    Empty,
    /// It wants too much at once.
    #[error("it has more than {WANTED} words")]
    Long,
}

impl Query {
    /// Reads what somebody wrote into a search field. No sign in it means anything but a `*` at the end of a word.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut wants = BTreeSet::new();
        for word in text.split_whitespace() {
            let starred = word.ends_with('*');
            let folded = fold::fold(word);
            let mut runs = runs(&folded).peekable();
            while let Some((run, spaced)) = runs.next() {
                // The star stands behind the last run of the word.
                want(run, spaced, starred && runs.peek().is_none(), &mut wants);
            }
            if wants.len() > WANTED {
                return Err(QueryError::Long);
            }
        }
        if wants.is_empty() { Err(QueryError::Empty) } else { Ok(Self(wants.into_iter().collect())) }
    }

    /// What it wants.
    #[must_use]
    pub fn wants(&self) -> &[Want] {
        &self.0
    }

    /// Whether a payload has all of it: what any index has to agree with.
    #[must_use]
    pub fn matches(&self, payload: &str) -> bool {
        let mut tokens = BTreeSet::new();
        each_token(payload, |token| {
            tokens.insert(token.to_owned());
        });
        self.0.iter().all(|want| match want.beginning {
            false => tokens.contains(&want.token),
            true => tokens.range(want.token.clone()..).next().is_some_and(|token| token.starts_with(&want.token)),
        })
    }
}

fn want(run: &str, spaced: bool, starred: bool, wants: &mut BTreeSet<Want>) {
    if spaced {
        let word = cut(run, LONGEST);
        wants.insert(Want { token: word.to_owned(), beginning: starred });
        return;
    }
    let length = run.chars().count();
    if length <= PIECE {
        wants.insert(Want { token: run.to_owned(), beginning: length < PIECE });
        return;
    }
    let pieces = pieces(run).take(length - PIECE + 1);
    wants.extend(pieces.map(|piece| Want { token: piece.to_owned(), beginning: false }));
}

/// Hands over every token of a payload, some more than once. Texts are searched, wherever they stand in it; days, months and years are
/// not, and neither are numbers and truths: filters find those.
pub fn each_token(payload: &str, mut take: impl FnMut(&str)) {
    let value: Value = serde_json::from_str(payload).unwrap_or_default();
    let mut left = MOST;
    tokens_of(&value, &mut |token| {
        take(token);
        left -= 1;
        left > 0
    });
}

/// Returns whether more is wanted.
fn tokens_of(value: &Value, take: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_date(text) || tokens_in(text, take),
        Value::Array(values) => values.iter().all(|value| tokens_of(value, take)),
        Value::Object(members) => members.values().all(|value| tokens_of(value, take)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn tokens_in(text: &str, take: &mut impl FnMut(&str) -> bool) -> bool {
    let folded = fold::fold(text);
    runs(&folded).all(|(run, spaced)| if spaced { take(cut(run, LONGEST)) } else { pieces(run).all(&mut *take) })
}

/// `2026`, `2026-12`, `2026-12-01`.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.len(), 4 | 7 | 10)
        && bytes.iter().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// The words of a folded text: runs of letters, digits and marks, each of one kind of script; with whether that has spaces.
fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(char::is_alphanumeric)?;
        let from = rest.get(start..)?;
        let spaced = !fold::has_no_spaces(from.chars().next()?);
        let ends = |letter: char| {
            let inside = letter.is_alphanumeric() || is_combining_mark(letter);
            // A mark belongs to the letter before it.
            !inside || (fold::has_no_spaces(letter) == spaced && !is_combining_mark(letter))
        };
        let end = from.find(ends).unwrap_or(from.len());
        rest = from.get(end..)?;
        Some((from.get(..end)?, spaced))
    })
}

/// Of every letter of a run: it and those after it.
fn pieces(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices().map(|(at, _)| cut(run.get(at..).unwrap_or_default(), PIECE))
}

/// The first letters of a text.
fn cut(text: &str, letters: usize) -> &str {
    text.char_indices().nth(letters).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
