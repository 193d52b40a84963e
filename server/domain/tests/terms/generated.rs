//! Random conditions, terms and records over the schema of these tests.

use hayward_domain::record::Record;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixtures::{record, with};

fn country() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["ES", "FR", "PT"]).prop_map(Value::from)
}

fn day() -> impl Strategy<Value = Value> {
    (2019i32..2024, 1u32..13, 1u32..29).prop_map(|(year, month, day)| Value::from(format!("{year}-{month:02}-{day:02}")))
}

fn seats() -> impl Strategy<Value = Value> {
    (0i64..12).prop_map(Value::from)
}

fn latitude() -> impl Strategy<Value = Value> {
    (-900i64..=900).prop_map(|tenths| Value::from(tenths as f64 / 10.0))
}

fn code() -> impl Strategy<Value = Value> {
    "[A-C][0-9]{1,3}".prop_map(Value::from)
}

fn email() -> impl Strategy<Value = Value> {
    "[a-c]{1,3}@(x|y)\\.org".prop_map(Value::from)
}

fn test() -> impl Strategy<Value = Value> {
    let compared = prop::sample::select(vec!["eq", "gt", "gte", "lt", "lte"]);
    let test = |field: &'static str| move |(operator, operand): (&str, Value)| json!({field: {operator: operand}});
    let nullable = prop::sample::select(vec!["code", "email", "country", "opened_on", "seats", "latitude", "step_free", "tags"]);
    prop_oneof![
        prop::collection::vec(country(), 1..4).prop_map(|list| json!({"country": {"in": list}})),
        (compared.clone(), country()).prop_map(test("country")),
        (compared.clone(), day()).prop_map(test("opened_on")),
        (compared.clone(), seats()).prop_map(test("seats")),
        (compared, latitude()).prop_map(test("latitude")),
        (seats(), seats()).prop_map(|(from, to)| json!({"seats": {"gte": from, "lte": to}})),
        "[A-C]".prop_map(|prefix| json!({"code": {"prefix": prefix}})),
        any::<bool>().prop_map(|boolean| json!({"step_free": {"eq": boolean}})),
        (nullable, any::<bool>()).prop_map(|(field, empty)| json!({field: {"null": empty}})),
    ]
}

/// Conditions, as documents.
pub fn conditions() -> impl Strategy<Value = Value> {
    test().prop_recursive(3, 12, 3, |inner| {
        let parts = prop::collection::vec(inner, 1..4);
        prop_oneof![parts.clone().prop_map(|parts| json!({"all": parts})), parts.prop_map(|parts| json!({"any": parts}))]
    })
}

fn treatments(field: &str) -> Vec<Value> {
    let generalised = |names: &[&str]| names.iter().map(|name| json!({"generalised": name})).collect::<Vec<_>>();
    let own = match field {
        "code" => [vec![json!("masked"), json!("pseudonym")], generalised(&["prefix:1", "prefix:2"])].concat(),
        "email" => vec![json!("masked"), json!("pseudonym")],
        "opened_on" => generalised(&["year", "month"]),
        "seats" => generalised(&["band:2", "band:6", "band:5"]),
        "latitude" => generalised(&["grid:0.5", "grid:1.5", "grid:2"]),
        _ => Vec::new(),
    };
    [own, vec![json!("exact"), json!("hidden")]].concat()
}

fn fields() -> impl Strategy<Value = Value> {
    let names = ["code", "email", "country", "opened_on", "seats", "latitude", "step_free", "tags"];
    let each = names.map(|field| prop::option::of(prop::sample::select(treatments(field)))).to_vec();
    each.prop_map(move |chosen| {
        let named = names.into_iter().zip(chosen).filter_map(|(field, treatment)| Some((field.to_owned(), treatment?)));
        Value::Object(named.collect::<Map<_, _>>())
    })
    .prop_filter("shows something", |fields| {
        fields.as_object().is_some_and(|fields| fields.values().any(|treatment| treatment != "hidden"))
    })
}

/// Terms, as documents.
pub fn documents() -> impl Strategy<Value = Value> {
    let rows = prop_oneof![Just(json!("all")), conditions()];
    let onward = vec![json!("none"), json!("members"), json!("public"), json!({"named": ["a"]}), json!({"named": ["a", "b"]})];
    let ending = vec![json!({"delete_within_days": 3}), json!({"delete_within_days": 30}), json!({"keep": "as agreed"})];
    (fields(), rows, prop::sample::select(onward), prop::sample::select(ending), 0u32..3, any::<bool>()).prop_map(
        |(fields, rows, onward, ending, month, review)| {
            let mut document = with("fields", fields);
            document["rows"] = rows;
            document["onward"] = onward;
            document["ending"] = ending;
            document["ends_on"] = json!(format!("2027-0{}-01", month + 7));
            if review {
                document["review_on"] = json!("2027-06-01");
            }
            document
        },
    )
}

/// Records, some of their fields empty.
pub fn records() -> impl Strategy<Value = Record> {
    let or_nothing = |value: BoxedStrategy<Value>| prop::option::weighted(0.8, value);
    let each = vec![
        ("code", code().boxed()),
        ("email", email().boxed()),
        ("country", country().boxed()),
        ("opened_on", day().boxed()),
        ("seats", seats().boxed()),
        ("latitude", latitude().boxed()),
        ("step_free", any::<bool>().prop_map(Value::from).boxed()),
        ("tags", Just(json!(["quiet", "large"])).boxed()),
        ("alarm_code", Just(json!("0000")).boxed()),
    ];
    let (names, values): (Vec<_>, Vec<_>) = each.into_iter().map(|(name, value)| (name, or_nothing(value))).unzip();
    values.prop_map(move |values| {
        let there = names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        record(&Value::Object(there.collect::<Map<_, _>>()))
    })
}

/// The document with one more demand on rows.
pub fn with_demand(document: &Value, demand: &Value) -> Value {
    let mut stricter = document.clone();
    stricter["rows"] = if document["rows"] == "all" { demand.clone() } else { json!({"all": [document["rows"], demand]}) };
    stricter
}
