//! What terms show of records, and that nothing else shows.

use hayward_domain::keys::AgreementKeys;
use hayward_domain::record::{OrganizationNumber, Record, Sealed};
use hayward_domain::terms::{Rows, Terms};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{SCHEMA, cells, read, record, shown, terms_document, with};
use crate::generated::{conditions, documents, records, with_demand};

fn spanish_room() -> Value {
    json!({"tags": ["quiet"], "email": "maria@x.org", "country": "ES", "opened_on": "2021-05-06", "code": "B7", "alarm_code": "1234"})
}

#[test]
fn a_record_is_shown_treated_in_the_order_of_the_schema() {
    let shared = shown(&read(&terms_document()).unwrap(), &record(&spanish_room())).unwrap();
    assert_eq!(shared.payload(), r#"{"code":"B7","email":"m•••@x.org","opened_on":"2021-05"}"#);
    assert_eq!(serde_json::to_string(&shared).unwrap(), shared.payload());
    assert!(!format!("{shared:?}").contains("B7"));
}

#[test]
fn an_empty_disclosed_field_is_null_and_a_hidden_one_is_absent() {
    let terms = read(&with("fields", json!({"code": "exact", "email": "masked", "seats": "exact", "tags": "hidden"}))).unwrap();
    let room = record(&json!({"code": "B7", "country": "FR", "opened_on": "2022-01-01"}));
    assert_eq!(shown(&terms, &room).unwrap().payload(), r#"{"code":"B7","email":null,"seats":null}"#);
}

#[test]
fn a_row_outside_the_condition_is_not_shown() {
    let terms = read(&terms_document()).unwrap();
    for (field, value) in [("country", json!("PT")), ("country", Value::Null), ("opened_on", json!("2019-12-31"))] {
        let mut room = spanish_room();
        room[field] = value;
        assert_eq!(shown(&terms, &record(&room)), None);
    }
}

#[test]
fn a_field_added_to_the_schema_later_is_hidden() {
    // The terms name three fields; the schema has nine, as if six of them had been added since.
    let cells = cells(&read(&terms_document()).unwrap(), &record(&spanish_room())).unwrap();
    assert_eq!(cells.keys().collect::<Vec<_>>(), ["code", "email", "opened_on"]);
}

#[test]
fn two_agreements_share_no_pseudonym() {
    let terms = read(&with("fields", json!({"code": "pseudonym"}))).unwrap();
    let under = |secret| {
        let sealed = Sealed::new(OrganizationNumber(1), record(&spanish_room()));
        terms.disclose(&SCHEMA, &AgreementKeys::new([secret; 32]), &sealed).unwrap()
    };
    assert_eq!(under(1), under(1));
    assert_ne!(under(1), under(2));
}

#[test]
fn the_preview_says_what_the_condition_gives_away() {
    let implied = read(&terms_document()).unwrap().implied();
    let implied: Vec<String> = implied.into_iter().map(|(field, phrase)| format!("{field} {phrase}")).collect();
    assert_eq!(implied, [r#"country is one of "ES", "FR""#, r#"opened_on is at least "2020-01-01""#]);
}

/// Pointers to every member and element below `json`, except the demands of an `all`: without one of those, more rows are meant.
fn removable(json: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match json {
        Value::Object(members) => {
            for (key, value) in members {
                found.push((at.to_owned(), key.clone()));
                removable(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if !at.ends_with("/all") {
                    found.push((at.to_owned(), index.to_string()));
                }
                removable(element, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn without(document: &Value, at: &str, key: &str) -> Value {
    let mut document = document.clone();
    match document.pointer_mut(at) {
        Some(Value::Object(members)) => drop(members.remove(key)),
        Some(Value::Array(elements)) => drop(elements.remove(key.parse().unwrap())),
        _ => unreachable!("only objects and arrays have parts"),
    }
    document
}

fn shows_no_more(less: &Terms, more: &Terms, record: &Record) -> bool {
    let (Some(less), more) = (cells(less, record), cells(more, record)) else { return true };
    less.iter().all(|(field, value)| more.as_ref().is_some_and(|more| more.get(field) == Some(value)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn terms_read_back(document in documents()) {
        let Ok(terms) = read(&document) else { return Ok(()) };
        let again = read(&terms.to_json()).unwrap();
        prop_assert_eq!(again.hash(), terms.hash());
        prop_assert_eq!(again, terms);
    }

    #[test]
    fn removing_anything_from_terms_never_shows_more(document in documents(), records in prop::collection::vec(records(), 1..6)) {
        let Ok(terms) = read(&document) else { return Ok(()) };
        let document = terms.to_json();
        let mut parts = Vec::new();
        removable(&document, "", &mut parts);
        for (at, key) in parts {
            if let Ok(less) = read(&without(&document, &at, &key)) {
                prop_assert!(records.iter().all(|record| shows_no_more(&less, &terms, record)), "without {at}/{key}");
            }
        }
    }

    #[test]
    fn a_further_demand_never_shows_more(document in documents(), demand in conditions(), records in prop::collection::vec(records(), 1..6)) {
        let stricter = with_demand(&document, &demand);
        let (Ok(stricter), Ok(terms)) = (read(&stricter), read(&document)) else { return Ok(()) };
        prop_assert!(records.iter().all(|record| shows_no_more(&stricter, &terms, record)));
    }

    #[test]
    fn exactly_the_disclosed_names_are_in_the_payload(document in documents(), record in records()) {
        let Ok(terms) = read(&document) else { return Ok(()) };
        if let Some(cells) = cells(&terms, &record) {
            let open: Vec<&str> = terms.disclosed().map(|(name, _)| name.as_str()).collect();
            let mut named: Vec<&str> = cells.keys().map(String::as_str).collect();
            named.sort_unstable();
            prop_assert_eq!(named, open);
        }
    }

    #[test]
    fn what_is_not_shown_changes_nothing(document in documents(), record in records(), other in records()) {
        let Ok(terms) = read(&document) else { return Ok(()) };
        let Some(before) = cells(&terms, &record) else { return Ok(()) };
        let tested = match &terms.rows {
            Rows::All => Default::default(),
            Rows::Where(condition) => condition.fields(),
        };
        for field in SCHEMA.fields.iter().filter(|field| !tested.contains(&field.name)) {
            let mut changed = record.clone();
            changed.fields.remove(&field.name);
            changed.fields.extend(other.fields.get(&field.name).map(|value| (field.name.clone(), value.clone())));
            let after = cells(&terms, &changed).unwrap();
            // Hidden, or two values that are treated alike: not one byte may tell them apart.
            if before.get(field.name.as_str()) == after.get(field.name.as_str()) {
                prop_assert_eq!(shown(&terms, &changed), shown(&terms, &record));
            }
        }
    }

    #[test]
    fn showing_is_repeatable(document in documents(), record in records()) {
        let Ok(terms) = read(&document) else { return Ok(()) };
        prop_assert_eq!(shown(&terms, &record), shown(&terms, &record));
    }
}
