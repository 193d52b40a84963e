//! A fault in words that the owner of a spreadsheet can act on. Words of the schema may appear in them, the value may not.

use serde_json::Value;

use super::check::Violation;
use super::exact::Inexact;
use super::oracle::Fault;
use super::{Field, FieldName};

/// Choices that still fit into a sentence.
const MOST_LISTED: usize = 12;

/// Says a fault of the oracle. `value` is looked at for a suggestion, and never quoted.
pub(super) fn of_fault(fault: &Fault, fields: &[Field], value: Option<&Value>) -> Violation {
    let said = say(&fault.keyword, &fault.demand);
    let message = if fault.inside { format!("a value inside it {}", said.message) } else { said.message };
    let known = |name: &String| FieldName::parse(name);
    let mut violation =
        Violation { field: fault.field.as_ref().and_then(known), code: said.code, message, suggestion: suggestion(fault, value) };
    match (fault.keyword.as_str(), &fault.field, fault.inside) {
        ("required", Some(_), false) if value.is_none() => violation.code = MISSING,
        ("additionalProperties", Some(name), false) => {
            violation.message = "is not a field of this list".to_owned();
            violation.suggestion = nearest(name, fields.iter().map(|field| field.name.as_str())).map(|name| format!("`{name}`"));
        }
        _ => {}
    }
    violation
}

/// Says what cannot be kept exactly.
pub(super) fn of_inexact(name: &FieldName, inexact: Inexact) -> Violation {
    let (code, message) = match inexact {
        Inexact::Digits => (TYPE, "has too many digits to keep exactly"),
        Inexact::Nul => (CONSTRAINT, "holds the character U+0000, which cannot be kept"),
    };
    Violation { field: Some(name.clone()), code, message: message.to_owned(), suggestion: None }
}

/// Says that a name is not one of the schema's.
pub(super) fn of_stranger(name: &FieldName, fields: &[Field]) -> Violation {
    let fault = Fault {
        field: Some(name.as_str().to_owned()),
        inside: false,
        keyword: "additionalProperties".to_owned(),
        demand: Value::Null,
    };
    of_fault(&fault, fields, None)
}

const TYPE: &str = "type-error";
const CONSTRAINT: &str = "constraint-error";
const MISSING: &str = "missing-cell";

struct Said {
    code: &'static str,
    message: String,
}

fn say(keyword: &str, demand: &Value) -> Said {
    let constraint = |message: String| Said { code: CONSTRAINT, message };
    match keyword {
        "type" => Said { code: TYPE, message: format!("must be {}", type_name(demand)) },
        "format" => format_name(demand),
        "minLength" if *demand == 1 => constraint("must not be empty".to_owned()),
        "minLength" => constraint(format!("must be at least {}", counted(demand, "character"))),
        "maxLength" => constraint(format!("must be at most {}", counted(demand, "character"))),
        "minItems" => constraint(format!("must list at least {}", counted(demand, "entry"))),
        "maxItems" => constraint(format!("must list at most {}", counted(demand, "entry"))),
        "minimum" => constraint(format!("must be at least {demand}")),
        "maximum" => constraint(format!("must be at most {demand}")),
        "exclusiveMinimum" => constraint(format!("must be more than {demand}")),
        "exclusiveMaximum" => constraint(format!("must be less than {demand}")),
        "multipleOf" => constraint(format!("must be a multiple of {demand}")),
        "pattern" => constraint(format!("must have the form `{}`", demand.as_str().unwrap_or_default())),
        "const" => constraint(format!("must be {}", quoted(demand))),
        "enum" => constraint(choices(demand)),
        "required" => constraint("is missing".to_owned()),
        "uniqueItems" => constraint("must not list the same twice".to_owned()),
        // What remains joins schemas by logic, and has no short way to say what is missing.
        other => constraint(format!("does not satisfy `{other}` of the schema")),
    }
}

fn type_name(demand: &Value) -> &'static str {
    match demand.as_str() {
        Some("string") => "text",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        Some("object") => "a group of named values",
        _ => "of another type",
    }
}

fn format_name(demand: &Value) -> Said {
    let (code, message) = match demand.as_str().unwrap_or_default() {
        "date" => (TYPE, "is not a day in the calendar"),
        "date-time" => (TYPE, "is not a moment in time"),
        "time" => (TYPE, "is not a time of day"),
        "duration" => (TYPE, "is not a length of time"),
        "email" | "idn-email" => (CONSTRAINT, "is not an e-mail address"),
        "uri" | "iri" | "uri-reference" => (CONSTRAINT, "is not a web address"),
        other => return Said { code: CONSTRAINT, message: format!("is not of the format `{other}`") },
    };
    Said { code, message: message.to_owned() }
}

fn counted(count: &Value, thing: &str) -> String {
    let (stem, many) = thing.strip_suffix('y').map_or((thing, "s"), |stem| (stem, "ies"));
    if *count == 1 { format!("1 {thing}") } else { format!("{count} {stem}{many}") }
}

fn quoted(choice: &Value) -> String {
    choice.as_str().map_or_else(|| choice.to_string(), |text| format!("`{text}`"))
}

fn choices(demand: &Value) -> String {
    let choices = demand.as_array().map(Vec::as_slice).unwrap_or_default();
    if choices.len() > MOST_LISTED {
        return format!("is not one of the {} choices", choices.len());
    }
    format!("must be one of {}", choices.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

fn suggestion(fault: &Fault, value: Option<&Value>) -> Option<String> {
    let text = value?.as_str().filter(|_| !fault.inside)?;
    match (fault.keyword.as_str(), fault.demand.as_str()) {
        ("enum", _) => {
            let choices = fault.demand.as_array()?.iter().filter_map(Value::as_str);
            nearest(text, choices).map(|choice| format!("`{choice}`"))
        }
        ("format", Some("date")) if text.contains(['/', '.', ' ']) => Some("write it as YYYY-MM-DD".to_owned()),
        ("format", Some("uri")) if !text.contains("://") => Some("begin it with https://".to_owned()),
        ("format", Some("email")) if text.contains([' ', ',', ';']) => Some("write one address, without spaces".to_owned()),
        ("pattern", _) if text != text.trim() => Some("take away the spaces around it".to_owned()),
        _ => None,
    }
}

/// The choice that a slip of the pen separates from `written`, if there is just one so near.
fn nearest<'a>(written: &str, choices: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Edit distance is quadratic, and no slip turns a page of text into a word.
    if written.len() > 100 {
        return None;
    }
    let written = written.trim().to_lowercase();
    let mut near: Vec<(usize, &str)> =
        choices.map(|choice| (strsim::osa_distance(&written, &choice.to_lowercase()), choice)).collect();
    near.sort_by_key(|(distance, _)| *distance);
    let close = |distance: usize, choice: &str| distance <= 2 && distance * 3 <= choice.chars().count().max(3);
    match near.as_slice() {
        [(first, _), (second, _), ..] if first == second => None,
        [(distance, choice), ..] if close(*distance, choice) => Some(choice),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_guess_is_not_made() {
        let choices = || ["theatre", "classroom", "board"].into_iter();
        assert_eq!(nearest("Theater", choices()), Some("theatre"));
        assert_eq!(nearest("clasroom", choices()), Some("classroom"));
        assert_eq!(nearest("circus", choices()), None);
        assert_eq!(nearest("cat", ["bat", "rat"].into_iter()), None);
    }
}
