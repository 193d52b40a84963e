//! Documents that are refused, each for one reason, at the place that the reason is about.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{FieldName, Schema, SchemaError};

/// A small document with one of everything.
fn good() -> Value {
    let says = |sensitivity: &str, en: &str, es: &str| json!({"sensitivity": sensitivity, "label": {"en": en, "es": es}});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["code"],
        "additionalProperties": false,
        "x-hayward": {
            "name": "tool", "version": 1, "collection": "tools", "key": ["code"], "title": {"en": "Tools", "es": "Herramientas"},
            "geo": {"latitude": "north", "longitude": "east"}, "indexed": ["kind"]
        },
        "properties": {
            "code": {"type": "string", "maxLength": 20, "x-hayward": says("public", "Code", "Código")},
            "kind": {"type": "string", "enum": ["saw", "drill"], "x-hayward": says("public", "Kind", "Tipo")},
            "bought": {"type": "string", "format": "date", "x-hayward": says("internal", "Bought on", "Comprada el")},
            "price": {"type": "number", "x-hayward": says("internal", "Price", "Precio")},
            "lent": {"type": "boolean", "x-hayward": says("public", "Lent", "Prestada")},
            "north": {"type": "number", "x-hayward": says("public", "North", "Norte")},
            "east": {"type": "number", "x-hayward": says("public", "East", "Este")},
            "lock": {"type": "string", "x-hayward": says("never", "Lock", "Candado")},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}, "x-hayward": says("public", "Parts", "Piezas")}
        },
        "$defs": {"part": {"type": "string", "maxLength": 50}}
    })
}

/// What is said about the good document after `change`.
fn refusal(change: impl FnOnce(&mut Value)) -> SchemaError {
    let mut document = good();
    change(&mut document);
    match Schema::parse(&document) {
        Ok(_) => panic!("this was not refused: {document}"),
        Err(error) => error,
    }
}

/// Sets `value` at the pointer, making its last segment if it is not there, and expects a refusal that mentions `words`.
#[track_caller]
fn refused_with(at: &str, value: Value, pointer: &str, words: &str) {
    let error = refusal(|document| {
        let (parent, last) = at.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(last.to_owned(), value);
    });
    assert_eq!(error.pointer, pointer, "{error}");
    assert!(error.detail.contains(words), "{error}");
}

#[track_caller]
fn refused(at: &str, value: Value, words: &str) {
    refused_with(at, value, at, words);
}

#[track_caller]
fn missed(parent: &str, key: &str, words: &str) {
    let error = refusal(|document| {
        document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
    });
    assert_eq!(error.pointer, parent, "{error}");
    assert!(error.detail.contains(words), "{error}");
}

#[test]
fn the_good_document_is_good() {
    let schema = Schema::parse(&good()).unwrap();
    assert_eq!((schema.name.as_str(), schema.fields.len()), ("tool", 9));
}

#[test]
fn what_is_no_closed_object_schema_is_refused() {
    assert_eq!(Schema::parse(&json!(true)).unwrap_err().detail, "must be an object");
    refused("/$schema", json!("http://json-schema.org/draft-07/schema#"), "2020-12");
    refused("/type", json!("array"), "must be `object`");
    refused("/additionalProperties", json!(true), "must be false");
    refused("/patternProperties", json!({"^x": true}), "without a name");
    refused("/properties", json!({}), "between 1 and 500");
    missed("", "additionalProperties", "`additionalProperties` is missing");
    missed("", "properties", "`properties` is missing");
}

#[test]
fn missing_annotations_are_refused() {
    missed("", "x-hayward", "`x-hayward` is missing");
    missed("/properties/code", "x-hayward", "`x-hayward` is missing");
    missed("/properties/code/x-hayward", "sensitivity", "`sensitivity` is missing");
    missed("/properties/code/x-hayward", "label", "`label` is missing");
    missed("/properties/code/x-hayward/label", "es", "`es` is missing");
    missed("/x-hayward/title", "en", "`en` is missing");
    missed("/x-hayward", "key", "`key` is missing");
    missed("/properties/code", "type", "`type` is missing");
}

#[test]
fn misspelt_annotations_are_refused() {
    refused("/x-hayward/keys", json!(["code"]), "`keys` is not known here");
    refused("/properties/code/x-hayward/synonym", json!({}), "`synonym` is not known here");
    refused("/properties/code/x-hayward/sensitivity", json!("secret"), "`secret` is not one of `public`");
    refused("/properties/code/x-hayward/reads_as", json!("iban"), "`iban` is not one of `identifier`");
    refused_with(
        "/properties/code/x-hayward/treatments",
        json!(["blurred"]),
        "/properties/code/x-hayward/treatments/0",
        "`blurred`",
    );
    refused_with(
        "/properties/code/x-hayward/generalise",
        json!(["decade"]),
        "/properties/code/x-hayward/generalise/0",
        "`decade`",
    );
    refused("/properties/code/x-hayward/maps_to", json!("identifier"), "must be an object");
    refused_with("/properties/code/x-hayward/maps_to", json!({"foaf": "x"}), "/properties/code/x-hayward/maps_to/foaf", "`foaf`");
    refused_with(
        "/properties/code/x-hayward/label",
        json!({"en": "a", "es": "b", "English": "c"}),
        "/properties/code/x-hayward/label/English",
        "language code",
    );
    refused("/properties/code/x-hayward/search", json!("yes"), "true or false");
}

#[test]
fn names_that_are_reserved_or_ill_formed_are_refused() {
    for name in ["id", "provider", "limit", "Code", "1st", "a-b", "ñ", "_a", &"a".repeat(64)] {
        let at = format!("/properties/{name}");
        refused(&at, good().pointer("/properties/code").unwrap().clone(), "is no field name");
    }
    refused("/x-hayward/collection", json!("datasets"), "means something else");
    refused("/x-hayward/collection", json!("Tools"), "must match");
    refused("/x-hayward/name", json!("tool/1"), "must match");
    refused("/x-hayward/version", json!(0), "whole number from 1");
}

#[test]
fn a_key_that_cannot_tell_records_apart_is_refused() {
    refused("/x-hayward/key", json!([]), "must name a field");
    refused("/x-hayward/key", json!(["kind"]), "must be required");
    refused_with("/x-hayward/key", json!(["serial"]), "/x-hayward/key/0", "`serial` is not a field");
    refused_with("/x-hayward/key", json!(["code", "code"]), "/x-hayward/key/1", "named twice");
    refused_with("/x-hayward/key", json!(["parts"]), "/x-hayward/key/0", "not a single value");
    refused_with("/required", json!(["code", "serial"]), "/required/1", "is not a field");
}

#[test]
fn an_index_that_would_cost_more_than_it_gives_is_refused() {
    refused("/x-hayward/indexed", json!(["code", "kind", "lent", "price"]), "more than three");
    refused("/x-hayward/indexed", json!(["lock"]), "never shared");
    refused_with("/x-hayward/indexed", json!(["parts"]), "/x-hayward/indexed/0", "not a single value");
    refused_with("/x-hayward/indexed", json!(["serial"]), "/x-hayward/indexed/0", "is not a field");
}

#[test]
fn a_place_is_two_numbers() {
    refused_with("/x-hayward/geo", json!({"latitude": "north"}), "/x-hayward/geo", "`longitude` is missing");
    refused_with(
        "/x-hayward/geo",
        json!({"latitude": "north", "longitude": "code"}),
        "/x-hayward/geo/longitude",
        "must be a number",
    );
    refused("/x-hayward/geo", json!({"latitude": "north", "longitude": "north"}), "two fields");
}

#[test]
fn an_offer_that_could_not_be_kept_is_refused() {
    let offer = |field: &str, key: &str, word: &str, words: &str| {
        refused(&format!("/properties/{field}/x-hayward/{key}"), json!([word]), words);
    };
    offer("code", "generalise", "year", "does not fit");
    offer("bought", "generalise", "prefix", "does not fit");
    offer("price", "generalise", "grid", "does not fit");
    offer("code", "generalise", "band", "does not fit");
    offer("lent", "generalise", "band", "does not fit");
    offer("price", "treatments", "pseudonym", "only text");
    offer("lent", "treatments", "masked", "only text");
    offer("kind", "treatments", "pseudonym", "falls to counting");
    refused_with("/properties/lock/x-hayward/treatments", json!(["masked"]), "/properties/lock/x-hayward", "never shared");
    refused("/properties/price/x-hayward/search", json!(true), "only text can be searched");
    refused("/properties/price/x-hayward/reads_as", json!("phone"), "does not fit");
}

#[test]
fn a_word_that_two_fields_claim_is_refused() {
    let at = "/properties/price/x-hayward/synonyms";
    refused_with(at, json!({"en": ["KIND"]}), "/properties/price", "`KIND` already means `kind`");
    refused_with(at, json!({"es": ["codigo"]}), "/properties/price", "already means `code`");
    refused_with(at, json!({"en": ["?!"]}), "/properties/price", "no letter or digit");
}

#[test]
fn null_is_no_type() {
    refused("/properties/code/type", json!(["string", "null"]), "must be one type");
    refused("/properties/code/type", json!("null"), "is not one of");
}

#[test]
fn what_reaches_out_of_the_document_is_refused() {
    let at = "/properties/parts/items";
    for target in ["https://example.org/part.json", "other.json", "#part", "#", "#/properties/code", "#/$defs/part/x"] {
        refused_with(at, json!({ "$ref": target }), "/properties/parts/items/$ref", "never fetched");
    }
    refused_with(at, json!({"$ref": "#/$defs/bolt"}), "/properties/parts/items/$ref", "has no `bolt`");
    for keyword in ["$id", "$schema", "$anchor", "$dynamicRef", "$defs", "x-hayward"] {
        refused_with(at, json!({ keyword: "x" }), &format!("/properties/parts/items/{keyword}"), "not a keyword");
    }
}

#[test]
fn a_reference_that_leads_back_or_multiplies_is_refused() {
    refused_with("/$defs/part", json!({"items": {"$ref": "#/$defs/part"}}), "/$defs/part", "nested too deep");
    let doubling =
        |from: usize| json!({"allOf": [{"$ref": format!("#/$defs/d{}", from + 1)}, {"$ref": format!("#/$defs/d{}", from + 1)}]});
    let error = refusal(|document| {
        let mut definitions: serde_json::Map<String, Value> = (0..18).map(|at| (format!("d{at}"), doubling(at))).collect();
        definitions.insert("d18".to_owned(), json!({"type": "string"}));
        definitions.insert("part".to_owned(), json!({"$ref": "#/$defs/d0"}));
        document.as_object_mut().unwrap().insert("$defs".to_owned(), Value::Object(definitions));
    });
    assert!(error.detail.contains("multiply too far"), "{error}");
}

#[test]
fn keywords_that_would_be_without_effect_are_refused() {
    refused("/properties/code/maxlength", json!(3), "`maxlength` is not a keyword");
    refused("/properties/code/format", json!("postcode"), "`postcode` is not one of");
    refused("/properties/code/nullable", json!(true), "not a keyword");
    refused_with("/$defs/part", json!({"minlength": 1}), "/$defs/part/minlength", "not a keyword");
}

#[test]
fn keywords_with_the_wrong_demand_are_refused() {
    refused("/properties/code/maxLength", json!("20"), "JSON Schema");
    refused("/properties/code/maxLength", json!(-1), "JSON Schema");
    refused("/properties/price/minimum", json!("0"), "JSON Schema");
    refused_with("/properties/kind/enum", json!("saw"), "/properties/kind/enum", "JSON Schema");
}

#[test]
fn a_pattern_that_may_take_for_ever_is_refused() {
    for pattern in [r"^(?=a)b", r"(a)\1", "a(?!b)", "("] {
        refused("/properties/code/pattern", json!(pattern), "without look-around");
    }
}

#[test]
fn a_document_may_have_an_address_of_its_own() {
    let mut document = good();
    for id in ["urn:example:tool:1", "https://schemas.example/tool.json"] {
        document.as_object_mut().unwrap().insert("$id".to_owned(), json!(id));
        let schema = Schema::parse(&document).unwrap();
        let parts = FieldName::parse("parts").unwrap();
        assert_eq!(schema.check_field(&parts, &json!(["blade"])), []);
        assert_eq!(schema.check_field(&parts, &json!([1])).len(), 1);
    }
}

fn put(document: &mut Value, at: &str, name: &str, value: Value) {
    document.pointer_mut(at).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
}

#[test]
fn consent_is_one_boolean_that_may_be_shared() {
    refused_with("/x-hayward/consent", json!("kind"), "/x-hayward/consent", "a boolean");
    refused_with("/x-hayward/consent", json!("gone"), "/x-hayward/consent", "is not a field");
    refused_with("/x-hayward/consent", json!(["lent"]), "/x-hayward/consent", "must be a text");
    let hidden = refusal(|document| {
        put(document, "/x-hayward", "consent", json!("lent"));
        put(document, "/properties/lent/x-hayward", "sensitivity", json!("never"));
    });
    assert_eq!(hidden.pointer, "/x-hayward/consent");
    let mut document = good();
    put(&mut document, "/x-hayward", "consent", json!("lent"));
    assert_eq!(Schema::parse(&document).unwrap().consent, [FieldName::parse("lent").unwrap()]);
}

#[test]
fn what_a_document_says_about_the_record_as_a_whole_is_obeyed() {
    let mut document = good();
    let root = document.as_object_mut().unwrap();
    root.insert("dependentRequired".to_owned(), json!({"price": ["bought"]}));
    root.insert("if".to_owned(), json!({"required": ["kind"], "properties": {"kind": {"const": "drill"}}}));
    root.insert("then".to_owned(), json!({"properties": {"price": {"minimum": 10}}}));
    let schema = Schema::parse(&document).unwrap();
    let record = |fields: Value| -> BTreeMap<FieldName, Value> {
        fields.as_object().unwrap().iter().map(|(name, value)| (FieldName::parse(name).unwrap(), value.clone())).collect()
    };
    let found = |fields: Value| -> Vec<(Option<String>, &str)> {
        let name = |field: FieldName| field.as_str().to_owned();
        schema.check(&record(fields)).into_iter().map(|one| (one.field.map(name), one.code)).collect()
    };
    assert_eq!(found(json!({"code": "a", "kind": "saw", "price": 5, "bought": "2026-01-01"})), []);
    let dear = json!({"code": "a", "kind": "drill", "price": 5, "bought": "2026-01-01"});
    assert_eq!(found(dear), [(Some("price".to_owned()), "constraint-error")]);
    assert_eq!(found(json!({"code": "a", "price": 50})), [(Some("bought".to_owned()), "missing-cell")]);
    // By itself a price of 5 is a price.
    assert_eq!(schema.check_field(&FieldName::parse("price").unwrap(), &json!(5)), []);
}
