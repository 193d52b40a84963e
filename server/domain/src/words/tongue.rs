//! Everything that is said, once for each language.
//!
//! A language is an implementation of [`Tongue`], not a file of messages. What is said hangs on closed sets (treatments, purposes,
//! operators, endings), and an exhaustive `match` in each language makes the build fail where a new one has no words yet; a message file
//! would fail when a steward reads it. It also lets Spanish say `e` before an i, and what stewards wrote never meets a message syntax.
//! Nothing here decides what is said: that is for the modules beside it, which know no language.

use chrono::NaiveDate;

use super::text::Apart;
use super::{Change, Language};
use crate::terms::{PurposeCode, RecordIds};

mod english;
mod spanish;

/// How a list ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// With `and`.
    And,
    /// With `or`.
    Or,
}

/// To whom something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To<'a> {
    /// One member co-op.
    One(&'a str),
    /// All of them.
    Members,
    /// Everybody.
    Public,
}

/// How a field looks, as far as words tell it apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Exact,
    MaskedEmail,
    MaskedPhone,
    MaskedText,
    Pseudonym,
    Year,
    Month,
    Prefix(u32),
    Grid { degrees: String, apart: Apart },
    Band(String),
}

/// What compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Days,
    Numbers,
    Texts,
}

/// What is asked of a field. The texts are values of the condition, in the words of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Is(String),
    More(Order, String),
    AtLeast(Order, String),
    Less(Order, String),
    AtMost(Order, String),
    Begins(String),
    /// In a year or a month.
    During(String),
    Empty,
    Filled,
}

/// What else a recipient sees of a field that a condition tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// Nothing.
    Hidden,
    /// A treated form.
    Treated,
}

/// Whom the data may go on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On<'a> {
    Nobody,
    Members,
    /// These, in a list that is put together already.
    Named(&'a str),
    Public,
}

/// What happens to copies in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copies<'a> {
    Deleted { days: u32 },
    Kept(&'a str),
}

/// How a condition on records changed. The texts are conditions in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RowsChange {
    /// There is none any more.
    Lifted { before: String },
    /// There was none.
    Imposed { now: String },
    /// It demands this too.
    Added(String),
    /// It no longer demands this.
    Dropped(String),
    /// It demands something else; `partly` if the rest of it stays.
    Other { now: String, before: String, partly: bool },
    /// It means the same.
    Respelled,
}

/// One language. Texts that come in are what people wrote, unless they are said to be words already.
pub(super) trait Tongue: Sync {
    /// A text in quotation marks: a label, a value of a condition, a sentence that somebody wrote.
    fn quoted(&self, text: &str) -> String;
    /// Words in a list: `a, b and c`.
    fn joined(&self, items: &[String], joint: Joint) -> String;
    /// A day: `1 December 2026`.
    fn day(&self, day: NaiveDate) -> String;
    /// A day where a value of a condition stands.
    fn day_as_value(&self, day: NaiveDate) -> String;
    /// The month of a day: `December 2026`.
    fn month(&self, day: NaiveDate) -> String;
    /// A number, given as JSON spells it.
    fn number(&self, digits: &str) -> String;
    /// True or false.
    fn truth(&self, truth: bool) -> &'static str;

    /// A sentence: who shows whom something of which list.
    fn shows(&self, provider: &str, list: &str, schema: &str, to: To<'_>) -> String;
    /// A sentence: fields (a list of quoted labels) and how they look.
    fn fields(&self, labels: &str, many: bool, how: &How) -> String;
    /// A sentence: which fields are about identifiable people.
    fn personal(&self, labels: &str) -> String;
    /// A sentence: which fields are especially sensitive.
    fn special(&self, labels: &str) -> String;
    /// A sentence: which fields are not shown, if there are any.
    fn not_shown(&self, labels: Option<&str>) -> String;
    /// A sentence: which fields stay hidden because the version says so.
    fn named_hidden(&self, labels: &str, many: bool) -> String;
    /// A sentence: every record.
    fn every_record(&self) -> String;
    /// A sentence: the records that meet a condition, which is in words already.
    fn some_records(&self, condition: &str) -> String;
    /// A sentence: the person's own no, in a field whose label is quoted already, closes a record to every agreement.
    fn who_said_no(&self, label: &str) -> String;
    /// Several conditions, in words already, of which all or one must hold; `within` another one.
    fn group(&self, joint: Joint, parts: &[String], within: bool) -> String;
    /// One condition on one field, whose label is quoted already.
    fn asked(&self, label: &str, asked: &Asked) -> String;
    /// A sentence: what a condition (in words already) tells about a field that is not shown as it is.
    fn gives_away(&self, told: &str, surely: bool, otherwise: Otherwise) -> String;
    /// A sentence: fields that a condition tells about, and that are shown as they are.
    fn tells_nothing_new(&self, labels: &str) -> String;
    /// A sentence: why.
    fn purpose(&self, code: PurposeCode, text: &str) -> String;
    /// A sentence: the note on the law, if there is one.
    fn lawful_basis(&self, note: &str) -> String;
    /// A sentence: whom the recipient may give it to.
    fn onward(&self, to: To<'_>, on: On<'_>) -> String;
    /// A sentence: what happens to the copies.
    fn ending(&self, to: To<'_>, copies: Copies<'_>) -> String;
    /// A sentence: the first day and the last.
    fn lasts(&self, first: NaiveDate, last: NaiveDate, zone: &str) -> String;
    /// A sentence: when it is looked at again, if that was said.
    fn review(&self, provider: &str, to: To<'_>, day: Option<NaiveDate>) -> String;
    /// A sentence: how records are named.
    fn record_ids(&self, ids: RecordIds) -> String;
    /// A sentence: whom to ask, if somebody is named.
    fn contact(&self, contact: &str) -> String;

    /// What a sentence about this kind of change begins with, without the colon.
    fn heading(&self, change: Change) -> &'static str;
    /// A sentence: fields that would be shown too.
    fn also_shows(&self, provider: &str, labels: &str, many: bool, how: &How) -> String;
    /// A sentence: fields that would no longer be shown.
    fn no_longer_shows(&self, provider: &str, labels: &str) -> String;
    /// A sentence: a field that would look otherwise.
    fn looks_otherwise(&self, label: &str, now: &How, before: &How) -> String;
    /// A sentence: a field that is hidden as before, and now named as such, or no longer.
    fn hidden_as_before(&self, label: &str, named: bool) -> String;
    /// A sentence: other records.
    fn rows_change(&self, change: &RowsChange) -> String;
    /// A sentence: another first day.
    fn begins(&self, now: NaiveDate, before: NaiveDate, zone: &str) -> String;
    /// A sentence: another last day.
    fn ends(&self, now: NaiveDate, before: NaiveDate, zone: &str) -> String;
    /// A sentence: another version of the schema.
    fn schema_version(&self, now: i64, before: i64) -> String;
    /// A sentence: the two versions are not about one list of one organization.
    fn another_list(&self) -> &'static str;
    /// One sentence in place of another.
    fn instead(&self, now: &str, before: &str) -> String;
    /// A sentence: how much is as before.
    fn unchanged(&self, count: usize, of_changed: bool) -> String;
}

/// Who speaks this language.
pub(super) fn of(language: Language) -> &'static dyn Tongue {
    match language {
        Language::English => &english::English,
        Language::Spanish => &spanish::Spanish,
    }
}

/// `a, b and c`, with the words that go between.
fn in_a_list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// `text`, ended by a period unless it ends by itself, quotation marks or not.
fn ended(text: &str, close: char) -> String {
    let inner = text.strip_suffix(close).unwrap_or(text);
    if inner.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}
