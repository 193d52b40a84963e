//! A condition on records in words, and what it gives away.

use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use super::tongue::{self, Asked, Joint, Order, Otherwise, Tongue};
use super::{About, Language, Sentence, Version, fields};
use crate::condition::implied::Told;
use crate::condition::{Condition, Is, Operand};
use crate::schema::{FieldName, Kind, Schema};
use crate::terms::{Rows, Terms};
use crate::treatment::{Treatment, day};

/// A condition as what follows `for which`.
pub(super) fn words(condition: &Condition, schema: &Schema, language: Language) -> String {
    say(condition, schema, language, false)
}

/// Several conditions, all of which must hold, as what follows `for which`.
pub(super) fn all_of(parts: &[&Condition], schema: &Schema, language: Language) -> String {
    match parts {
        [one] => words(one, schema, language),
        several => group(Joint::And, several.iter().copied(), schema, language, false),
    }
}

fn say(condition: &Condition, schema: &Schema, language: Language, within: bool) -> String {
    match condition {
        // One part alone is that part: there is nothing to join.
        Condition::All(parts) | Condition::Any(parts) if parts.len() == 1 => {
            parts.iter().map(|part| say(part, schema, language, within)).collect()
        }
        Condition::All(parts) => group(Joint::And, parts.iter(), schema, language, within),
        Condition::Any(parts) => group(Joint::Or, parts.iter(), schema, language, within),
        Condition::Test { field, is } => test(field, is, schema, language),
    }
}

fn group<'a>(
    joint: Joint,
    parts: impl Iterator<Item = &'a Condition>,
    schema: &Schema,
    language: Language,
    within: bool,
) -> String {
    let parts: Vec<String> = parts.map(|part| say(part, schema, language, true)).collect();
    tongue::of(language).group(joint, &parts, within)
}

/// One question to one field.
fn test(name: &FieldName, is: &Is, schema: &Schema, language: Language) -> String {
    let tongue = tongue::of(language);
    let kind = schema.field(name.as_str()).map_or(Kind::Text, |field| field.kind);
    let (order, value) = (order(kind), |operand: &Operand| value(operand, kind, tongue));
    // What is compared with stands without an article, so that the language can put one.
    let compared = |operand: &Operand| bare(operand, kind, tongue);
    let asked = match is {
        Is::Eq(operand) => Asked::Is(value(operand)),
        Is::In(operands) => Asked::Is(tongue.joined(&operands.iter().map(value).collect::<Vec<_>>(), Joint::Or)),
        Is::Gt(operand) => Asked::More(order, compared(operand)),
        Is::Gte(operand) => Asked::AtLeast(order, value(operand)),
        Is::Lt(operand) => Asked::Less(order, compared(operand)),
        Is::Lte(operand) => Asked::AtMost(order, value(operand)),
        Is::Prefix(prefix) => match time(prefix, kind, tongue) {
            Some(time) => Asked::During(time),
            None => Asked::Begins(tongue.quoted(prefix)),
        },
        Is::Null(true) => Asked::Empty,
        Is::Null(false) => Asked::Filled,
    };
    tongue.asked(&fields::label(name, schema, language), &asked)
}

fn order(kind: Kind) -> Order {
    match kind {
        Kind::Date => Order::Days,
        Kind::Integer | Kind::Number => Order::Numbers,
        Kind::Text | Kind::Boolean | Kind::Structured => Order::Texts,
    }
}

fn value(operand: &Operand, kind: Kind, tongue: &dyn Tongue) -> String {
    match operand_day(operand, kind) {
        Some(day) => tongue.day_as_value(day),
        None => bare(operand, kind, tongue),
    }
}

fn bare(operand: &Operand, kind: Kind, tongue: &dyn Tongue) -> String {
    if let Some(day) = operand_day(operand, kind) {
        return tongue.day(day);
    }
    match operand.to_json() {
        Value::String(text) => tongue.quoted(&text),
        Value::Bool(truth) => tongue.truth(truth).to_owned(),
        number => tongue.number(&number.to_string()),
    }
}

fn operand_day(operand: &Operand, kind: Kind) -> Option<NaiveDate> {
    operand.text.as_deref().filter(|_| kind == Kind::Date).and_then(day)
}

/// The year or the month that a day begins with.
fn time(prefix: &str, kind: Kind, tongue: &dyn Tongue) -> Option<String> {
    let completed = match (kind, prefix.len()) {
        (Kind::Date, 4) => format!("{prefix}-01-01"),
        (Kind::Date, 7) => format!("{prefix}-01"),
        _ => return None,
    };
    let day = day(&completed)?;
    Some(if prefix.len() == 4 { day.year().to_string() } else { tongue.month(day) })
}

/// Something that a condition tells about a field that is not shown as it is.
pub(super) struct GivenAway {
    pub(super) field: FieldName,
    /// What, and whether it is so for certain.
    pub(super) told: (String, bool),
    pub(super) sentence: Sentence,
}

/// What the condition of a version gives away about fields that are not shown as they are.
pub(super) fn given_away(version: &Version<'_>, language: Language) -> Vec<GivenAway> {
    let mut all: Vec<Told<'_>> = Vec::new();
    let told = told(version.terms).into_iter().filter(|told| otherwise(version.terms, told.field).is_some());
    told.for_each(|told| {
        if !all.contains(&told) {
            all.push(told)
        }
    });
    all.into_iter().filter_map(|told| give_away(version, &told, language)).collect()
}

fn give_away(version: &Version<'_>, told: &Told<'_>, language: Language) -> Option<GivenAway> {
    let otherwise = otherwise(version.terms, told.field)?;
    let test = test(told.field, told.is, version.schema, language);
    let text = tongue::of(language).gives_away(&test, told.surely, otherwise);
    let sentence = Sentence::new(About::Implied, &["/rows"], text);
    Some(GivenAway { field: told.field.clone(), told: (test, told.surely), sentence })
}

/// The fields that the condition tells about and that are shown as they are, if there are any.
pub(super) fn shown_anyway(version: &Version<'_>, language: Language) -> Option<Sentence> {
    let mut names: Vec<&FieldName> = Vec::new();
    let shown = told(version.terms).into_iter().map(|told| told.field).filter(|name| is_exact(version.terms, name));
    shown.for_each(|name| {
        if !names.contains(&name) {
            names.push(name)
        }
    });
    let labels = fields::labels(names.into_iter(), version.schema, language)?;
    let text = tongue::of(language).tells_nothing_new(&labels);
    Some(Sentence::new(About::Implied, &["/rows"], text))
}

fn told(terms: &Terms) -> Vec<Told<'_>> {
    match &terms.rows {
        Rows::All => Vec::new(),
        Rows::Where(condition) => condition.told(),
    }
}

/// Whether a field is shown as it is.
pub(super) fn is_exact(terms: &Terms, name: &FieldName) -> bool {
    terms.fields.get(name) == Some(&Treatment::Exact)
}

fn otherwise(terms: &Terms, name: &FieldName) -> Option<Otherwise> {
    match terms.fields.get(name) {
        Some(Treatment::Exact) => None,
        None | Some(Treatment::Hidden) => Some(Otherwise::Hidden),
        Some(Treatment::Pseudonym | Treatment::Generalised(_) | Treatment::Masked) => Some(Otherwise::Treated),
    }
}
