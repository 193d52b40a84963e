//! Reading the members of a closed document, noting every fault on the way.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::fault::{Fault, below};
use crate::treatment::day;

/// How many bytes a text in terms may have.
const LONGEST_TEXT: usize = 4000;

/// A document being read, and what was wrong with it so far.
///
/// Readers answer `None` only after they noted a fault: whoever has all the parts and no faults has a sound document.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    /// Notes a fault. Returns nothing, always, so that a reader can end with it.
    pub(super) fn note<T>(&mut self, at: &str, code: &'static str, detail: impl Into<String>) -> Option<T> {
        self.0.push(Fault::new(at, code, detail));
        None
    }

    /// The members of an object of which `known` are all the names.
    pub(super) fn object<'j>(&mut self, json: &'j Value, at: &str, known: &[&str]) -> Option<&'j Map<String, Value>> {
        let Some(members) = json.as_object() else {
            return self.note(at, "type", "an object is needed here");
        };
        for key in members.keys().filter(|key| !known.contains(&key.as_str())) {
            self.note::<()>(&below(at, key), "unknown-key", format!("`{key}` is not known here"));
        }
        Some(members)
    }

    /// A member that has to be there. `null` is not a way to be there.
    pub(super) fn required<'j>(&mut self, members: &'j Map<String, Value>, at: &str, key: &str) -> Option<&'j Value> {
        match members.get(key) {
            Some(value) => Some(value),
            None => self.note(&below(at, key), "missing", format!("`{key}` is missing")),
        }
    }

    /// A text of bounded length; blank where `blank` allows it.
    pub(super) fn text(&mut self, json: &Value, at: &str, blank: bool) -> Option<String> {
        match json.as_str() {
            None => self.note(at, "type", "a text is needed here"),
            Some(text) if text.len() > LONGEST_TEXT => self.note(at, "too-long", format!("at most {LONGEST_TEXT} bytes")),
            Some(text) if text.contains('\0') => self.note(at, "character", "the character U+0000 is not taken"),
            Some(text) if !blank && text.trim().is_empty() => self.note(at, "empty", "say it in words"),
            Some(text) => Some(text.to_owned()),
        }
    }

    /// A text in free words, which may be absent and then is empty.
    pub(super) fn free_text(&mut self, members: &Map<String, Value>, key: &str) -> Option<String> {
        members.get(key).map_or(Some(String::new()), |json| self.text(json, &below("", key), true))
    }

    /// A day.
    pub(super) fn day(&mut self, json: &Value, at: &str) -> Option<NaiveDate> {
        match json.as_str().and_then(day) {
            Some(day) => Some(day),
            None => self.note(at, "date", "a day is written `2026-12-31`"),
        }
    }
}
