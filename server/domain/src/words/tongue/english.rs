//! English.

use chrono::{Datelike, NaiveDate};

use super::{Asked, Copies, How, Joint, On, Order, Otherwise, RowsChange, To, Tongue, ended, in_a_list};
use crate::terms::{PurposeCode, RecordIds};
use crate::words::Change;
use crate::words::text::{self, Apart, Figures, plain};

pub(super) struct English;

const FIGURES: Figures = Figures { group: ',', point: '.', grouped_from: 4 };
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl Tongue for English {
    fn quoted(&self, text: &str) -> String {
        text::quoted(text, ['“', '”'], ['‘', '’'])
    }

    fn joined(&self, items: &[String], joint: Joint) -> String {
        in_a_list(items, word(joint))
    }

    fn day(&self, day: NaiveDate) -> String {
        format!("{} {}", day.day(), self.month(day))
    }

    fn day_as_value(&self, day: NaiveDate) -> String {
        self.day(day)
    }

    fn month(&self, day: NaiveDate) -> String {
        let name = usize::try_from(day.month0()).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
        format!("{name} {}", day.year())
    }

    fn number(&self, digits: &str) -> String {
        text::number(digits, &FIGURES)
    }

    fn truth(&self, truth: bool) -> &'static str {
        if truth { "yes" } else { "no" }
    }

    fn shows(&self, provider: &str, list: &str, schema: &str, to: To<'_>) -> String {
        let what = format!("the following from its list {} ({schema})", self.quoted(list));
        let provider = plain(provider);
        match to {
            To::One(name) => format!("{provider} shows {} {what}, and nothing else.", plain(name)),
            To::Members => format!("{provider} shows {what} to every member co-op, also to those that join later."),
            To::Public => format!("{provider} shows {what} to anybody, without signing in."),
        }
    }

    fn fields(&self, labels: &str, many: bool, how: &How) -> String {
        format!("{labels} {} shown {}.", if many { "are" } else { "is" }, self.how(how, many))
    }

    fn personal(&self, labels: &str) -> String {
        format!("About identifiable people: {labels}.")
    }

    fn special(&self, labels: &str) -> String {
        format!("Especially sensitive: {labels}.")
    }

    fn not_shown(&self, labels: Option<&str>) -> String {
        match labels {
            Some(labels) => format!("Not shown: {labels}. A field that the list gets later is not shown either."),
            None => "Every field of the list is shown. A field that the list gets later is not.".to_owned(),
        }
    }

    fn named_hidden(&self, labels: &str, many: bool) -> String {
        format!("The version says by name that {labels} {} hidden.", if many { "stay" } else { "stays" })
    }

    fn every_record(&self) -> String {
        "Every record of the list is shown, those that are added later too.".to_owned()
    }

    fn some_records(&self, condition: &str) -> String {
        format!("Only those records are shown for which {condition}. That goes for records that are added or changed later too.")
    }

    fn who_said_no(&self, label: &str) -> String {
        format!("No record is shown in which {label} is no, whatever is agreed: everyone who is shown has not said no.")
    }

    fn group(&self, joint: Joint, parts: &[String], within: bool) -> String {
        let parts = parts.join(&format!("; {} ", word(joint)));
        match (joint, within) {
            (Joint::And, false) => format!("all of this holds: {parts}"),
            (Joint::Or, false) => format!("at least one of these holds: {parts}"),
            (Joint::And, true) => format!("(all of this: {parts})"),
            (Joint::Or, true) => format!("(at least one of these: {parts})"),
        }
    }

    fn asked(&self, label: &str, asked: &Asked) -> String {
        let after = "in the order of the characters";
        match asked {
            Asked::Is(values) => format!("{label} is {values}"),
            Asked::More(Order::Days, day) => format!("{label} is after {day}"),
            Asked::AtLeast(Order::Days, day) => format!("{label} is {day} or later"),
            Asked::Less(Order::Days, day) => format!("{label} is before {day}"),
            Asked::AtMost(Order::Days, day) => format!("{label} is {day} or earlier"),
            Asked::More(Order::Numbers, number) => format!("{label} is more than {number}"),
            Asked::AtLeast(Order::Numbers, number) => format!("{label} is at least {number}"),
            Asked::Less(Order::Numbers, number) => format!("{label} is less than {number}"),
            Asked::AtMost(Order::Numbers, number) => format!("{label} is at most {number}"),
            Asked::More(Order::Texts, text) => format!("{label} comes after {text} {after}"),
            Asked::AtLeast(Order::Texts, text) => format!("{label} is {text} or comes after it {after}"),
            Asked::Less(Order::Texts, text) => format!("{label} comes before {text} {after}"),
            Asked::AtMost(Order::Texts, text) => format!("{label} is {text} or comes before it {after}"),
            Asked::Begins(text) => format!("{label} begins with {text}"),
            Asked::During(time) => format!("{label} is in {time}"),
            Asked::Empty => format!("{label} is empty"),
            Asked::Filled => format!("{label} is not empty"),
        }
    }

    fn gives_away(&self, told: &str, surely: bool, otherwise: Otherwise) -> String {
        let or = if surely { "" } else { ", or that another of the alternatives holds" };
        let field = match otherwise {
            Otherwise::Hidden => "The field itself is not shown",
            Otherwise::Treated => "The field itself is shown only as said above",
        };
        format!("Whoever sees a record learns from the condition that {told}{or}. {field}.")
    }

    fn tells_nothing_new(&self, labels: &str) -> String {
        format!("The condition also tells about {labels}, which can be seen anyway.")
    }

    fn purpose(&self, code: PurposeCode, text: &str) -> String {
        let code = match code {
            PurposeCode::Directory => "a directory of organizations",
            PurposeCode::JobMatching => "bringing people and work together",
            PurposeCode::Procurement => "buying and selling",
            PurposeCode::Funding => "loans, grants and investment",
            PurposeCode::Training => "courses and learning",
            PurposeCode::MutualAid => "helping each other out",
            PurposeCode::Statistics => "statistics",
            PurposeCode::Research => "research",
            PurposeCode::Governance => "running a co-op or a federation",
            PurposeCode::Other => "another one",
        };
        format!("The purpose is {code}: {}", self.said(text))
    }

    fn lawful_basis(&self, note: &str) -> String {
        match plain(note).is_empty() {
            true => "No legal basis is written down.".to_owned(),
            false => format!("As the legal basis the version gives: {}", self.said(note)),
        }
    }

    fn onward(&self, to: To<'_>, on: On<'_>) -> String {
        let who = receiver(to);
        match on {
            On::Nobody => format!("{who} may not pass the data on to anybody."),
            On::Members => format!("{who} may pass the data on to member co-ops, and to nobody else."),
            On::Named(names) => format!("{who} may pass the data on to {names}, and to nobody else."),
            On::Public => format!("{who} may pass the data on to anybody."),
        }
    }

    fn ending(&self, to: To<'_>, copies: Copies<'_>) -> String {
        let who = receiver(to);
        match copies {
            Copies::Deleted { days: 0 } => {
                format!("{who} deletes every copy on the day on which the agreement ends, and certifies it.")
            }
            Copies::Deleted { days: 1 } => format!("{who} deletes every copy within one day of the end, and certifies it."),
            Copies::Deleted { days } => {
                let days = self.number(&days.to_string());
                format!("{who} deletes every copy within {days} days of the end, and certifies it.")
            }
            Copies::Kept(terms) => format!("{who} may keep copies after the end, on these terms: {}", self.said(terms)),
        }
    }

    fn lasts(&self, first: NaiveDate, last: NaiveDate, zone: &str) -> String {
        let (first, last) = (self.day(first), self.day(last));
        format!("The agreement holds from the beginning of {first} until the end of {last} ({zone}).")
    }

    fn review(&self, provider: &str, to: To<'_>, day: Option<NaiveDate>) -> String {
        match (day.map(|day| self.day(day)), to) {
            (None, _) => "No day is set for looking at the agreement again.".to_owned(),
            (Some(day), To::One(_)) => format!("Both sides look at the agreement again on {day}."),
            (Some(day), To::Members | To::Public) => format!("{} looks at the agreement again on {day}.", plain(provider)),
        }
    }

    fn record_ids(&self, ids: RecordIds) -> String {
        match ids {
            RecordIds::Stable => {
                "A record has the same id here as under other agreements with lasting ids, so that what is received \
                under several of them can be put together."
                    .to_owned()
            }
            RecordIds::Pseudonym => {
                "A record has an id that only this agreement uses, so that ids alone do not link it to what other \
                agreements show."
                    .to_owned()
            }
        }
    }

    fn contact(&self, contact: &str) -> String {
        match plain(contact).is_empty() {
            true => "Nobody is named for questions.".to_owned(),
            false => format!("Questions go to {}", self.said(contact)),
        }
    }

    fn heading(&self, change: Change) -> &'static str {
        match change {
            Change::More => "More",
            Change::Longer => "Longer",
            Change::Different => "Different",
            Change::Shorter => "Shorter",
            Change::Less => "Less",
        }
    }

    fn also_shows(&self, provider: &str, labels: &str, many: bool, how: &How) -> String {
        format!("{} would also show {labels}, {}.", plain(provider), self.how(how, many))
    }

    fn no_longer_shows(&self, provider: &str, labels: &str) -> String {
        format!("{} would no longer show {labels}.", plain(provider))
    }

    fn looks_otherwise(&self, label: &str, now: &How, before: &How) -> String {
        format!("{label} would be shown {}. Before: {}.", self.how(now, false), self.how(before, false))
    }

    fn hidden_as_before(&self, label: &str, named: bool) -> String {
        let how = if named { "now says so by name" } else { "no longer says so by name" };
        format!("{label} stays hidden, as before; the version {how}.")
    }

    fn rows_change(&self, change: &RowsChange) -> String {
        match change {
            RowsChange::Lifted { before } => format!("Every record would be shown. Before: only those for which {before}."),
            RowsChange::Imposed { now } => format!("Only those records would be shown for which {now}. Before: every record."),
            RowsChange::Added(demand) => format!("Fewer records would be shown: only those for which, besides, {demand}."),
            RowsChange::Dropped(demand) => {
                format!("More records would be shown: it would no longer be necessary that {demand}.")
            }
            RowsChange::Other { now, before, partly } => {
                let rest = if *partly { " The rest of the condition stays." } else { "" };
                format!("Other records would be shown: those for which {now}. Before: those for which {before}.{rest}")
            }
            RowsChange::Respelled => {
                "The condition on records is written in another way, and lets the same records through.".to_owned()
            }
        }
    }

    fn begins(&self, now: NaiveDate, before: NaiveDate, zone: &str) -> String {
        let (now, before) = (self.day(now), self.day(before));
        format!("The agreement would hold from the beginning of {now} ({zone}). Before: of {before}.")
    }

    fn ends(&self, now: NaiveDate, before: NaiveDate, zone: &str) -> String {
        let (now, before) = (self.day(now), self.day(before));
        format!("The agreement would hold until the end of {now} ({zone}). Before: of {before}.")
    }

    fn schema_version(&self, now: i64, before: i64) -> String {
        format!("The version was written for form {now} of the list. Before: for form {before}.")
    }

    fn another_list(&self) -> &'static str {
        "The two versions are about different lists."
    }

    fn instead(&self, now: &str, before: &str) -> String {
        format!("{now} Before: {before}")
    }

    fn unchanged(&self, count: usize, of_changed: bool) -> String {
        match (count, of_changed) {
            (_, false) => "Nothing changes.".to_owned(),
            (0, true) => "Nothing stays as it is.".to_owned(),
            (1, true) => "One other point stays as it is.".to_owned(),
            (count, true) => format!("{count} other points stay as they are."),
        }
    }
}

impl English {
    fn how(&self, how: &How, many: bool) -> String {
        match how {
            How::Exact if many => "exactly as they are".to_owned(),
            How::Exact => "exactly as it is".to_owned(),
            How::MaskedEmail => "masked: only the first letter and what stands after the @ can be read".to_owned(),
            How::MaskedPhone => "masked: only the last three digits can be read, and none of a short number".to_owned(),
            How::MaskedText => "masked: only the first letter can be read".to_owned(),
            How::Pseudonym => {
                "as a stand-in that only this agreement has: the same value always gets the same stand-in here, and another \
                one elsewhere"
                    .to_owned()
            }
            How::Year => "only as a year".to_owned(),
            How::Month => "only as a month and a year, without the day".to_owned(),
            How::Prefix(1) => "only in part: the first character".to_owned(),
            How::Prefix(length) => format!("only in part: the first {length} characters"),
            How::Grid { degrees, apart } => {
                let degrees = self.number(degrees);
                let apart = match apart {
                    Apart::Kilometres(far) => format!("about {} km", self.number(far)),
                    Apart::Metres(far) => format!("about {} m", self.number(far)),
                    Apart::Less => "a metre".to_owned(),
                };
                format!(
                    "only roughly: as the nearest point of a fixed grid with {apart} or less between its points ({degrees} degrees)"
                )
            }
            How::Band(width) => format!("only roughly: as the lower end of a band of {}", self.number(width)),
        }
    }

    /// What somebody wrote, as the end of a sentence.
    fn said(&self, text: &str) -> String {
        ended(&self.quoted(text), '”')
    }
}

fn word(joint: Joint) -> &'static str {
    match joint {
        Joint::And => "and",
        Joint::Or => "or",
    }
}

fn receiver(to: To<'_>) -> String {
    match to {
        To::One(name) => plain(name),
        To::Members | To::Public => "Whoever receives the data".to_owned(),
    }
}
