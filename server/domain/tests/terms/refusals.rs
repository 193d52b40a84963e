//! What terms are refused, and where they say so.

use serde_json::json;

use crate::fixtures::{faults, read, terms_document, with};

#[test]
fn the_terms_of_the_contract_are_read() {
    let mut document = terms_document();
    document["lawful_basis"] = json!("legitimate interest");
    document["onward"] = json!({"named": ["Federation of Rooms"]});
    document["review_on"] = json!("2027-06-01");
    document["contact"] = json!("rooms@coop.example");
    assert_eq!(faults(&document), [] as [&str; 0]);
}

#[test]
fn what_we_answer_can_be_sent_back() {
    let terms = read(&terms_document()).unwrap();
    assert_eq!(read(&terms.to_json()).unwrap(), terms);
    let mut of_another = terms.to_json();
    of_another["schema"]["version"] = json!(2);
    of_another["provider"] = json!("org_aaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(faults(&of_another), ["/provider mismatch", "/schema mismatch"]);
}

#[test]
fn nothing_mandatory_has_a_default() {
    for key in ["dataset", "audience", "fields", "rows", "record_id", "purpose", "ending", "starts_on", "ends_on"] {
        let mut document = terms_document();
        document.as_object_mut().unwrap().remove(key);
        assert_eq!(faults(&document), [format!("/{key} missing")]);
        assert!(read(&with(key, json!(null))).is_err(), "`{key}` is null");
    }
    assert_eq!(read(&terms_document()).unwrap().to_json()["onward"], json!("none"));
}

#[test]
fn an_unknown_key_is_refused_at_every_depth() {
    assert_eq!(faults(&with("field", json!({}))), ["/field unknown-key"]);
    assert_eq!(faults(&with("purpose", json!({"code": "other", "text": "x", "a/b": 1}))), ["/purpose/a~1b unknown-key"]);
    assert_eq!(faults(&with("ending", json!({"delete_within_days": 3, "then": 1}))), ["/ending/then unknown-key"]);
    assert_eq!(faults(&with("audience", json!({"organisation": "org_x"}))).len(), 2);
}

#[test]
fn all_faults_are_found_at_once() {
    let mut document = with("fields", json!({"fone": "exact", "country": "masked", "email": "open"}));
    document["rows"] = json!({"country": {"in": []}});
    document["ends_on"] = json!("2026-11-30");
    document["onward"] = json!("everybody");
    let expected = [
        "/fields/fone unknown-field",
        "/fields/country not-offered",
        "/fields/email unknown-treatment",
        "/rows/country/in empty",
        "/ends_on order",
        "/onward value",
    ];
    assert_eq!(faults(&document), expected);
}

#[test]
fn fields_have_no_wildcard_and_show_something() {
    assert_eq!(faults(&with("fields", json!({"*": "exact"}))), ["/fields/* unknown-field"]);
    assert_eq!(faults(&with("fields", json!("all"))), ["/fields type"]);
    assert_eq!(faults(&with("fields", json!({}))), ["/fields empty"]);
    assert_eq!(faults(&with("fields", json!({"code": "hidden"}))), ["/fields empty"]);
}

#[test]
fn a_field_that_is_never_shared_cannot_be_named_in_any_way() {
    for treatment in ["exact", "masked", "hidden"] {
        assert_eq!(
            faults(&with("fields", json!({"code": "exact", "alarm_code": treatment}))),
            ["/fields/alarm_code never-shared"]
        );
    }
    assert_eq!(faults(&with("rows", json!({"alarm_code": {"prefix": "1"}}))), ["/rows/alarm_code never-shared"]);
}

#[test]
fn rows_are_never_meant_by_saying_nothing() {
    for rows in
        [json!(null), json!({}), json!([]), json!(""), json!("ALL"), json!({"all": []}), json!({"country": {}}), json!(true)]
    {
        assert!(read(&with("rows", rows.clone())).is_err(), "{rows}");
    }
    assert!(read(&with("rows", json!("all"))).is_ok());
}

#[test]
fn an_agreement_has_an_end_and_it_is_not_far() {
    assert_eq!(faults(&with("ends_on", json!("2028-12-02"))), ["/ends_on too-long"]);
    assert!(read(&with("ends_on", json!("2028-11-30"))).is_ok());
    assert!(read(&with("ends_on", json!("2026-12-01"))).is_ok());
    for day in ["2027-02-30", "2027-2-3", "20270203", "2027-02-03T00:00:00Z", "+027-02-03", " 2027-02-03"] {
        assert_eq!(faults(&with("ends_on", json!(day))), ["/ends_on date"]);
    }
    assert_eq!(faults(&with("review_on", json!("2027-12-01"))), ["/review_on order"]);
}

#[test]
fn texts_are_bounded_and_hold_no_nul() {
    assert_eq!(faults(&with("contact", json!("x".repeat(4001)))), ["/contact too-long"]);
    assert_eq!(faults(&with("lawful_basis", json!("a\u{0}b"))), ["/lawful_basis character"]);
    assert_eq!(faults(&with("purpose", json!({"code": "other", "text": " "}))), ["/purpose/text empty"]);
    assert_eq!(faults(&with("onward", json!({"named": ["x", "\u{0}"]}))), ["/onward/named/1 character"]);
    assert_eq!(faults(&with("ending", json!({"keep": ""}))), ["/ending/keep empty"]);
}

#[test]
fn an_ending_says_one_thing() {
    for ending in [json!({}), json!({"delete_within_days": 3, "keep": "x"})] {
        assert_eq!(faults(&with("ending", ending)), ["/ending value"]);
    }
    for days in [json!(-1), json!(1.5), json!("30"), json!(100_000)] {
        assert_eq!(faults(&with("ending", json!({"delete_within_days": days}))), ["/ending/delete_within_days value"]);
    }
}

#[test]
fn a_provider_shares_nothing_with_itself() {
    let provider = read(&terms_document()).unwrap().provider;
    assert_eq!(faults(&with("audience", json!({"organization": provider}))), ["/audience/organization value"]);
}

#[test]
fn the_hash_is_over_the_meaning_not_the_spelling() {
    let terms = read(&terms_document()).unwrap();
    let mut reversed = serde_json::Map::new();
    for (key, value) in terms_document().as_object().unwrap().iter().rev() {
        reversed.insert(key.clone(), value.clone());
    }
    assert_eq!(read(&reversed.into()).unwrap().hash(), terms.hash());
    assert_eq!(terms.hash().len(), "sha256:".len() + 64);
    assert_ne!(read(&with("record_id", json!("pseudonym"))).unwrap().hash(), terms.hash());
}
