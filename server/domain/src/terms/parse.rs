//! Reading terms.
//!
//! Absence never means permission: what is missing is a fault, except where the default is the narrowest there is.

use chrono::{Months, NaiveDate};
use serde_json::{Map, Value};

use super::document::Faults;
use super::{Audience, Context, Ending, Fault, Fields, Onward, Purpose, PurposeCode, RecordIds, Rows, Terms};
use crate::condition::Condition;
use crate::fault::below;
use crate::id::OrganizationId;
use crate::mutants;

/// Every key that terms may have.
const KEYS: [&str; 15] = [
    "provider",
    "dataset",
    "schema",
    "audience",
    "fields",
    "rows",
    "record_id",
    "purpose",
    "lawful_basis",
    "onward",
    "ending",
    "starts_on",
    "ends_on",
    "review_on",
    "contact",
];
/// How many names `onward` may list.
const MOST_NAMES: usize = 100;
/// The longest time after which a copy may still have to be deleted.
const MOST_DAYS: u64 = 3650;

pub(super) fn terms(raw: &Value, context: &Context<'_>) -> Result<Terms, Vec<Fault>> {
    let mut faults = Faults::default();
    let terms = faults.object(raw, "", &KEYS).and_then(|members| read(members, context, &mut faults));
    match terms {
        Some(terms) if faults.0.is_empty() => Ok(terms),
        Some(_) | None => Err(faults.0),
    }
}

fn read(members: &Map<String, Value>, context: &Context<'_>, faults: &mut Faults) -> Option<Terms> {
    repeated(members, context, faults);
    // Each part is read before the first `?`, so that all faults are found.
    let audience = part(members, "audience", faults, |json, at, faults| audience(json, at, context, faults));
    let fields = part(members, "fields", faults, |json, at, faults| kept(Fields::parse(json, context.schema, at), faults));
    let absent = mutants::on("absent-rows-mean-all") && !members.contains_key("rows");
    let rows =
        if absent { Some(Rows::All) } else { part(members, "rows", faults, |json, at, faults| rows(json, at, context, faults)) };
    let record_id = part(members, "record_id", faults, record_id);
    let purpose = part(members, "purpose", faults, purpose);
    let ending = part(members, "ending", faults, ending);
    let days = days(members, context, faults);
    let lawful_basis = faults.free_text(members, "lawful_basis");
    let contact = faults.free_text(members, "contact");
    let onward = members.get("onward").map_or(Some(Onward::None), |json| onward(json, "/onward", faults));
    let (starts_on, ends_on, review_on) = days?;
    Some(Terms {
        provider: context.provider.clone(),
        dataset: context.dataset.clone(),
        schema_name: context.schema.name.clone(),
        schema_version: context.schema.version,
        audience: audience?,
        fields: fields?,
        rows: rows?,
        record_id: record_id?,
        purpose: purpose?,
        lawful_basis: lawful_basis?,
        onward: onward?,
        ending: ending?,
        starts_on,
        ends_on,
        review_on,
        contact: contact?,
    })
}

/// Reads one member that has to be there.
fn part<T>(
    members: &Map<String, Value>,
    key: &str,
    faults: &mut Faults,
    read: impl FnOnce(&Value, &str, &mut Faults) -> Option<T>,
) -> Option<T> {
    let json = faults.required(members, "", key)?;
    read(json, &below("", key), faults)
}

fn kept<T>(read: Result<T, Vec<Fault>>, faults: &mut Faults) -> Option<T> {
    read.map_err(|found| faults.0.extend(found)).ok()
}

/// Checks what the document may repeat but not decide: so that what we answered can be sent back to us.
fn repeated(members: &Map<String, Value>, context: &Context<'_>, faults: &mut Faults) {
    if let Some(dataset) = faults.required(members, "", "dataset")
        && dataset.as_str() != Some(context.dataset.as_str())
    {
        faults.note::<()>("/dataset", "mismatch", "these terms are about another dataset");
    }
    if members.get("provider").is_some_and(|provider| provider.as_str() != Some(context.provider.as_str())) {
        faults.note::<()>("/provider", "mismatch", "the dataset belongs to another organization");
    }
    let Some(schema) = members.get("schema") else { return };
    let Some(schema) = faults.object(schema, "/schema", &["name", "version"]) else { return };
    let same_name = schema.get("name").and_then(Value::as_str) == Some(context.schema.name.as_str());
    if !same_name || schema.get("version").and_then(Value::as_i64) != Some(context.schema.version) {
        let (name, version) = (&context.schema.name, context.schema.version);
        faults.note::<()>("/schema", "mismatch", format!("the dataset has the schema `{name}`, version {version}"));
    }
}

fn audience(json: &Value, at: &str, context: &Context<'_>, faults: &mut Faults) -> Option<Audience> {
    match json.as_str() {
        Some("members") => return Some(Audience::Members),
        Some("public") => return Some(Audience::Public),
        Some(_) => return faults.note(at, "value", "an audience is `{\"organization\": id}`, `\"members\"` or `\"public\"`"),
        None => {}
    }
    let members = faults.object(json, at, &["organization"])?;
    let id = faults.required(members, at, "organization")?;
    let at = below(at, "organization");
    match id.as_str().and_then(OrganizationId::parse) {
        Some(id) if id == *context.provider => faults.note(&at, "value", "the provider needs no agreement with itself"),
        Some(id) => Some(Audience::Organization(id)),
        None => faults.note(&at, "value", "not the id of an organization"),
    }
}

fn rows(json: &Value, at: &str, context: &Context<'_>, faults: &mut Faults) -> Option<Rows> {
    match json.as_str() {
        Some("all") => Some(Rows::All),
        Some(_) => faults.note(at, "value", "`rows` is `\"all\"` or a condition"),
        None => kept(Condition::parse(json, context.schema, at), faults).map(Rows::Where),
    }
}

fn record_id(json: &Value, at: &str, faults: &mut Faults) -> Option<RecordIds> {
    match json.as_str() {
        Some("stable") => Some(RecordIds::Stable),
        Some("pseudonym") => Some(RecordIds::Pseudonym),
        Some(_) | None => faults.note(at, "value", "`record_id` is `\"stable\"` or `\"pseudonym\"`"),
    }
}

fn purpose(json: &Value, at: &str, faults: &mut Faults) -> Option<Purpose> {
    let members = faults.object(json, at, &["code", "text"])?;
    let code = faults.required(members, at, "code").and_then(|json| match json.as_str().and_then(PurposeCode::parse) {
        Some(code) => Some(code),
        None => {
            let known: Vec<&str> = PurposeCode::ALL.into_iter().map(PurposeCode::as_str).collect();
            faults.note(&below(at, "code"), "value", format!("a purpose is one of {}", known.join(", ")))
        }
    });
    let text = faults.required(members, at, "text").and_then(|json| faults.text(json, &below(at, "text"), false));
    Some(Purpose { code: code?, text: text? })
}

fn onward(json: &Value, at: &str, faults: &mut Faults) -> Option<Onward> {
    match json.as_str() {
        Some("none") => return Some(Onward::None),
        Some("members") => return Some(Onward::Members),
        Some("public") => return Some(Onward::Public),
        Some(_) => return faults.note(at, "value", "`onward` is `\"none\"`, `\"members\"`, `{\"named\": […]}` or `\"public\"`"),
        None => {}
    }
    let members = faults.object(json, at, &["named"])?;
    let names = faults.required(members, at, "named")?;
    let at = below(at, "named");
    let Some(names) = names.as_array().filter(|names| (1..=MOST_NAMES).contains(&names.len())) else {
        return faults.note(&at, "type", format!("a list of one to {MOST_NAMES} names is needed here"));
    };
    let read: Vec<_> =
        names.iter().enumerate().map(|(index, name)| faults.text(name, &below(&at, &index.to_string()), false)).collect();
    read.into_iter().collect::<Option<_>>().map(Onward::Named)
}

fn ending(json: &Value, at: &str, faults: &mut Faults) -> Option<Ending> {
    let members = faults.object(json, at, &["delete_within_days", "keep"])?;
    match (members.get("delete_within_days"), members.get("keep")) {
        (Some(days), None) => match days.as_u64().filter(|days| *days <= MOST_DAYS).and_then(|days| u32::try_from(days).ok()) {
            Some(days) => Some(Ending::DeleteWithinDays(days)),
            None => faults.note(&below(at, "delete_within_days"), "value", format!("a number of days up to {MOST_DAYS}")),
        },
        (None, Some(words)) => faults.text(words, &below(at, "keep"), false).map(Ending::Keep),
        (None, None) | (Some(_), Some(_)) => faults.note(at, "value", "either `delete_within_days` or `keep`"),
    }
}

/// Reads the first day, the last and the review.
fn days(
    members: &Map<String, Value>,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<(NaiveDate, NaiveDate, Option<NaiveDate>)> {
    let day = |json: &Value, at: &str, faults: &mut Faults| faults.day(json, at);
    let starts_on = part(members, "starts_on", faults, day);
    let ends_on = part(members, "ends_on", faults, day);
    let review_on = members.get("review_on").map(|json| faults.day(json, "/review_on"));
    let (starts_on, ends_on) = (starts_on?, ends_on?);
    let longest = context.longest_months;
    if ends_on < starts_on {
        return faults.note("/ends_on", "order", "the last day is before the first");
    }
    if starts_on.checked_add_months(Months::new(longest)).is_none_or(|limit| ends_on > limit) {
        return faults.note("/ends_on", "too-long", format!("an agreement runs at most {longest} months"));
    }
    let review_on = match review_on {
        Some(day) => Some(day?),
        None => None,
    };
    if review_on.is_some_and(|day| day < starts_on || day > ends_on) {
        return faults.note("/review_on", "order", "the review is not between the first day and the last");
    }
    Some((starts_on, ends_on, review_on))
}
