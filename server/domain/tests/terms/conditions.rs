//! Conditions: what is refused, and what reads back.

use hayward_domain::condition::{Cell, Condition};
use hayward_domain::schema::FieldName;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{SCHEMA, name};
use crate::generated::{conditions, records};

fn faults(json: &Value) -> Vec<String> {
    let faults = Condition::parse(json, &SCHEMA, "").err().unwrap_or_default();
    faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
}

fn nested(depth: usize, innermost: Value) -> Value {
    (0..depth).fold(innermost, |inner, level| if level % 2 == 0 { json!({"all": [inner]}) } else { json!({"any": [inner]}) })
}

#[test]
fn an_empty_in_is_refused() {
    assert_eq!(faults(&json!({"country": {"in": []}})), ["/country/in empty"]);
    assert_eq!(faults(&json!({"any": []})), ["/any type"]);
}

#[test]
fn what_is_not_known_is_refused() {
    assert_eq!(faults(&json!({"Country": {"eq": "ES"}})), ["/Country unknown-field"]);
    assert_eq!(faults(&json!({"country.code": {"eq": "ES"}})), ["/country.code unknown-field"]);
    assert_eq!(faults(&json!({"country": {"regex": "E."}})), ["/country/regex unknown-key"]);
    assert_eq!(faults(&json!({"not": [{"country": {"eq": "ES"}}]})), ["/not unknown-field"]);
    assert_eq!(faults(&json!({"any": {"0": {"country": {"eq": "ES"}}}})), ["/any type"]);
    assert_eq!(faults(&json!({"country": {"eq": "ES"}, "seats": {"eq": 1}})), [" type"]);
}

#[test]
fn an_operand_has_the_type_of_its_field() {
    for (condition, fault) in [
        (json!({"country": {"eq": 1}}), "/country/eq type"),
        (json!({"country": {"in": ["ES", null]}}), "/country/in/1 type"),
        (json!({"country": {"eq": "a\u{0}"}}), "/country/eq character"),
        (json!({"opened_on": {"gte": "2026-13-01"}}), "/opened_on/gte date"),
        (json!({"seats": {"eq": "5"}}), "/seats/eq type"),
        (json!({"seats": {"eq": 5.5}}), "/seats/eq type"),
        (json!({"seats": {"eq": 9_007_199_254_740_993i64}}), "/seats/eq type"),
        (json!({"seats": {"prefix": "5"}}), "/seats/prefix type"),
        (json!({"step_free": {"gt": false}}), "/step_free/gt type"),
        (json!({"step_free": {"eq": "true"}}), "/step_free/eq type"),
        (json!({"tags": {"eq": ["x"]}}), "/tags/eq type"),
        (json!({"tags": {"null": "true"}}), "/tags/null type"),
        (json!({"country": {"prefix": ""}}), "/country/prefix empty"),
    ] {
        assert_eq!(faults(&condition), [fault]);
    }
    assert_eq!(faults(&json!({"tags": {"null": true}})), [] as [&str; 0]);
    assert_eq!(faults(&json!({"opened_on": {"prefix": "2026-12"}})), [] as [&str; 0]);
}

#[test]
fn a_condition_is_neither_deep_nor_long() {
    let test = json!({"seats": {"gte": 1}});
    assert_eq!(faults(&nested(4, test.clone())), [] as [&str; 0]);
    assert!(faults(&nested(5, test.clone())).iter().all(|fault| fault.ends_with("too-deep")));
    assert!(faults(&nested(4, json!({"seats": {"gte": 1, "lt": 9}})))[0].ends_with("too-deep"));
    assert_eq!(faults(&json!({"any": vec![test; 201]})), [" too-many"]);
    assert_eq!(faults(&json!({"country": {"in": vec!["ES"; 1001]}})), ["/country/in too-many"]);
}

#[test]
fn several_operators_on_a_field_mean_all_of_them() {
    let condition = Condition::parse(&json!({"seats": {"gte": 5, "lt": 9}}), &SCHEMA, "").unwrap();
    for (seats, matches) in [(4, false), (5, true), (8, true), (9, false)] {
        let seats = json!(seats);
        assert_eq!(condition.matches(&|_: &FieldName| Cell::Value(&seats)), matches);
    }
    assert_eq!(condition.to_json(), json!({"all": [{"seats": {"gte": 5}}, {"seats": {"lt": 9}}]}));
    assert!(condition.fields().contains(&name("seats")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_condition_reads_back(document in conditions()) {
        let condition = Condition::parse(&document, &SCHEMA, "/rows").unwrap();
        prop_assert_eq!(Condition::parse(&condition.to_json(), &SCHEMA, "/rows").unwrap(), condition);
    }

    #[test]
    fn hiding_a_field_never_makes_a_row_match(document in conditions(), record in records(), hidden in 0usize..9) {
        let condition = Condition::parse(&document, &SCHEMA, "").unwrap();
        let hidden = &SCHEMA.fields[hidden].name;
        let open = |field: &FieldName| record.fields.get(field).map_or(Cell::Null, Cell::Value);
        let closed = |field: &FieldName| if field == hidden { Cell::Hidden } else { open(field) };
        prop_assert!(!condition.matches(&closed) || condition.matches(&open));
    }

    #[test]
    fn parsing_is_total(document in any::<String>().prop_map(Value::from), key in "[a-z]{1,9}") {
        prop_assert!(Condition::parse(&document, &SCHEMA, "").is_err());
        let member = json!({key: document});
        prop_assert!(Condition::parse(&member, &SCHEMA, "").is_err());
    }
}
