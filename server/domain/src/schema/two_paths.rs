//! The fast path and the oracle, held equal: over random schemas of the keywords that both know, and values near their edges.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{FieldName, Schema, check, exact};

fn schema(properties: &[Map<String, Value>], required: &[bool]) -> Schema {
    let mut written = Map::new();
    let mut demanded = vec![json!("key")];
    let label = |word: &str| json!({"sensitivity": "public", "label": {"en": word, "es": word}});
    written.insert("key".to_owned(), json!({"type": "string", "x-hayward": label("key")}));
    for (at, (property, required)) in properties.iter().zip(required).enumerate() {
        let name = format!("f{at}");
        let mut property = property.clone();
        property.insert("x-hayward".to_owned(), label(&name));
        if *required {
            demanded.push(json!(name));
        }
        written.insert(name, Value::Object(property));
    }
    let root = json!({"name": "random", "version": 1, "collection": "randoms", "key": ["key"], "title": {"en": "R", "es": "R"}});
    Schema::parse(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
        "required": demanded, "x-hayward": root, "properties": written,
    }))
    .unwrap()
}

fn property(kind: &str, demands: Vec<(&str, Option<Value>)>) -> Map<String, Value> {
    let demands = demands.into_iter().filter_map(|(keyword, demand)| Some((keyword.to_owned(), demand?)));
    [("type".to_owned(), json!(kind))].into_iter().chain(demands).collect()
}

fn text_property() -> impl Strategy<Value = Map<String, Value>> {
    let length = || option::weighted(0.4, (0_u64..6).prop_map(Value::from));
    let pattern = select(vec!["^[A-Z]{2}$", "^a", "b$", "é+", "^(ab|cd)$", "^https?://", r"\d", r"^\w$", r"^a\.b", "^[^a-c]*$"]);
    (
        length(),
        length(),
        option::weighted(0.4, select(vec!["date", "date-time", "email", "uri"])),
        option::weighted(0.3, pattern),
        option::weighted(0.2, vec(text(), 1..4)),
        option::weighted(0.1, text()),
    )
        .prop_map(|(shortest, longest, format, pattern, among, constant)| {
            let demands = vec![
                ("minLength", shortest),
                ("maxLength", longest),
                ("format", format.map(Value::from)),
                ("pattern", pattern.map(Value::from)),
                ("enum", among.map(Value::from)),
                ("const", constant.map(Value::from)),
            ];
            property("string", demands)
        })
}

fn number_property() -> impl Strategy<Value = Map<String, Value>> {
    let bound = || option::weighted(0.3, number());
    let kind = select(vec!["number", "integer"]);
    (kind, bound(), bound(), bound(), bound(), option::weighted(0.2, vec(number(), 1..4))).prop_map(
        |(kind, least, most, above, below, among)| {
            let demands = vec![
                ("minimum", least),
                ("maximum", most),
                ("exclusiveMinimum", above),
                ("exclusiveMaximum", below),
                ("enum", among.map(Value::from)),
            ];
            property(kind, demands)
        },
    )
}

fn boolean_property() -> impl Strategy<Value = Map<String, Value>> {
    option::of(any::<bool>()).prop_map(|constant| property("boolean", vec![("const", constant.map(Value::from))]))
}

/// Texts that nearly are something: a day, a moment, an address, a code.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-cA-C]{0,4}",
        "[aé日\u{301}😀 ]{0,6}",
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
        "[0-9]{3,5}-[0-9]{1,2}-[0-9]{2}.?",
        "2024-02-[23][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|z|\\+01:00|\\.5Z)?",
        "[a\".+_-]{1,3}@[ab.-]{1,6}(\\.[a-z-]{1,4})?",
        "(https?|ftp|javascript):(//)?[ab.:@%-]{0,6}([/?#][a%20~+#]{0,4}){0,3}",
        // Digits that are none to ECMA 262, and host names that are encoded, or only look it.
        "[1٣३]{1,2}",
        "(a@|https?://)(a-|aa|xn|b\\.)-{1,2}[ab9]{1,3}\\.coop",
        ".{0,8}",
    ]
}

fn number() -> impl Strategy<Value = Value> {
    const EDGE: i64 = 1 << 53;
    prop_oneof![
        (-3_i64..4).prop_map(Value::from),
        (-6_i64..7).prop_map(|half| json!(f64::from(i32::try_from(half).unwrap()) / 2.0)),
        (EDGE - 2..EDGE + 3).prop_map(Value::from),
        (-EDGE - 2..-EDGE + 3).prop_map(Value::from),
        Just(json!(9_007_199_254_740_992.0)),
        Just(json!(u64::MAX)),
        Just(json!(1e300)),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => text().prop_map(Value::from),
        4 => number(),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(vec![Value::Null, json!([]), json!({}), json!(["a"])]),
    ]
}

/// A schema and a record for it; a value may be one that the schema itself names, so that `enum` is met now and then.
fn schema_and_record() -> impl Strategy<Value = (Schema, BTreeMap<FieldName, Value>)> {
    let properties = vec(prop_oneof![3 => text_property(), 2 => number_property(), 1 => boolean_property()], 1..5);
    (properties, vec(any::<bool>(), 4), vec(option::weighted(0.8, (value(), option::of(0_usize..3))), 4)).prop_map(
        |(properties, required, values)| {
            let schema = schema(&properties, &required);
            let mut record = BTreeMap::from([(FieldName::parse("key").unwrap(), json!("k"))]);
            for (at, (property, value)) in properties.iter().zip(values).enumerate() {
                let Some((value, chosen)) = value else { continue };
                let choice = chosen.and_then(|chosen| property.get("enum")?.get(chosen));
                record.insert(FieldName::parse(&format!("f{at}")).unwrap(), choice.cloned().unwrap_or(value));
            }
            (schema, record)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_the_fast_path_accepts_the_oracle_accepts((schema, record) in schema_and_record()) {
        prop_assert!(!check::certainly_right(&schema, &record) || check::right_to_the_oracle(&schema, &record), "{}", schema.document);
    }

    #[test]
    fn a_glance_accepts_only_what_a_check_finds_right((schema, record) in schema_and_record()) {
        let accepts = |(name, value): (&FieldName, &Value)| schema.glance(name).is_some_and(|glance| match value.as_str() {
            Some(text) if !text.contains('\0') => glance.accepts_text(text),
            Some(_) | None => glance.accepts(value),
        });
        let accepted = record.iter().all(accepts);
        let is_there = |name: Option<&FieldName>| name.is_some_and(|name| record.contains_key(name));
        let mut wrong = schema.check(&record).into_iter();
        let only_missing = wrong.all(|violation| violation.code == "missing-cell" && !is_there(violation.field.as_ref()));
        prop_assert!(!accepted || only_missing, "{}", schema.document);
    }

    #[test]
    fn a_record_is_right_exactly_if_the_oracle_says_so_and_it_can_be_kept((schema, record) in schema_and_record()) {
        let kept = record.values().all(|value| exact::lost(value).is_none());
        let right = kept && check::right_to_the_oracle(&schema, &record);
        prop_assert_eq!(schema.check(&record).is_empty(), right, "{}", schema.document);
    }

    #[test]
    fn a_field_is_right_by_itself_exactly_if_it_is_in_its_record((schema, record) in schema_and_record()) {
        let whole = schema.check(&record);
        for (name, value) in &record {
            let in_record = whole.iter().filter(|one| one.field.as_ref() == Some(name)).cloned().collect::<Vec<_>>();
            prop_assert_eq!(schema.check_field(name, value), in_record);
        }
    }
}

#[test]
fn the_fast_path_knows_what_lists_are_made_of() {
    let text = |demands: Vec<(&str, Value)>| property("string", demands.into_iter().map(|(k, v)| (k, Some(v))).collect());
    let common = [
        (text(vec![("format", json!("date"))]), json!("2024-02-29")),
        (text(vec![("format", json!("date-time"))]), json!("2024-02-29T23:59:59Z")),
        (text(vec![("format", json!("email")), ("maxLength", json!(254))]), json!("first.last@mail.example.coop")),
        (text(vec![("format", json!("uri")), ("pattern", json!("^https?://"))]), json!("https://www.example.coop/a?b=c#d")),
        (text(vec![("pattern", json!("^[A-Z]{2}$"))]), json!("ES")),
        (text(vec![("minLength", json!(1)), ("maxLength", json!(4))]), json!("Łódź")),
        (text(vec![("enum", json!(["saw", "drill"]))]), json!("saw")),
        (property("integer", vec![("minimum", Some(json!(0)))]), json!(12)),
        (property("number", vec![("maximum", Some(json!(90)))]), json!(-12.25)),
        (property("boolean", vec![]), json!(false)),
    ];
    for (property, value) in common {
        let schema = schema(std::slice::from_ref(&property), &[true]);
        let record = BTreeMap::from([(FieldName::parse("key").unwrap(), json!("k")), (FieldName::parse("f0").unwrap(), value)]);
        assert!(check::certainly_right(&schema, &record), "{property:?}");
    }
}
