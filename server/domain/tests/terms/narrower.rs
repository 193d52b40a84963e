//! What a provider may put in force alone.

use hayward_domain::treatment::Treatment;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{cells, name, read, terms_document, with};
use crate::generated::{conditions, documents, records, with_demand};

fn narrower(document: &Value) -> bool {
    read(document).unwrap().is_at_most(&read(&terms_document()).unwrap())
}

#[test]
fn fewer_and_coarser_fields_are_narrower() {
    assert!(narrower(&with("fields", json!({"code": "exact"}))));
    assert!(narrower(&with("fields", json!({"code": "pseudonym", "opened_on": {"generalised": "year"}, "email": "hidden"}))));
    assert!(!narrower(&with("fields", json!({"code": "exact", "country": "exact"}))));
    assert!(!narrower(&with("fields", json!({"opened_on": "exact"}))));
    assert!(!narrower(&with("fields", json!({"email": "pseudonym"}))));
}

#[test]
fn a_further_demand_on_rows_is_narrower_and_one_less_is_wider() {
    let (country, opened) = (json!({"country": {"in": ["ES", "FR"]}}), json!({"opened_on": {"gte": "2020-01-01"}}));
    let seats = json!({"seats": {"gte": 2}});
    assert!(narrower(&with("rows", json!({"all": [seats, opened, country]}))));
    assert!(narrower(&with("rows", json!({"all": [{"all": [country, seats]}, opened]}))));
    assert!(!narrower(&with("rows", country.clone())));
    assert!(!narrower(&with("rows", json!("all"))));
    assert!(!narrower(&with("rows", json!({"any": [{"all": [country, opened]}]}))));
}

#[test]
fn a_shorter_time_and_an_earlier_deletion_are_narrower() {
    assert!(narrower(&with("ends_on", json!("2027-01-01"))));
    assert!(!narrower(&with("ends_on", json!("2027-12-01"))));
    assert!(!narrower(&with("starts_on", json!("2026-11-30"))));
    assert!(narrower(&with("ending", json!({"delete_within_days": 29}))));
    assert!(!narrower(&with("ending", json!({"delete_within_days": 31}))));
    assert!(!narrower(&with("ending", json!({"keep": "it"}))));
}

#[test]
fn another_audience_purpose_or_way_to_name_records_is_never_narrower() {
    for (key, value) in [
        ("audience", json!("members")),
        ("audience", json!({"organization": "org_aaaaaaaaaaaaaaaaaaaaaaaa"})),
        ("purpose", json!({"code": "mutual-aid", "text": "Finding a hall."})),
        ("record_id", json!("pseudonym")),
        ("onward", json!({"named": ["x"]})),
    ] {
        assert!(!narrower(&with(key, value)), "{key}");
    }
}

#[test]
fn notes_and_reviews_may_change() {
    let mut document = with("contact", json!("new@coop.example"));
    document["lawful_basis"] = json!("consent");
    document["review_on"] = json!("2027-01-01");
    assert!(narrower(&document));
}

/// A document like `wide`, narrower in the parts that `how` says, with what `other` has there.
fn narrowed(wide: &Value, other: &Value, demand: &Value, how: u8) -> Value {
    let mut document = if how & 1 == 0 { wide.clone() } else { with_demand(wide, demand) };
    if how & 2 != 0 {
        let fields = wide["fields"].as_object().unwrap().iter();
        // Whatever is not exact stays: the other treatment may show something else.
        let kept = fields.filter_map(|(name, treatment)| {
            let theirs = other["fields"].get(name)?;
            Some((name.clone(), if treatment == "exact" { theirs.clone() } else { treatment.clone() }))
        });
        document["fields"] = Value::Object(kept.collect());
    }
    for (bit, key) in [(4, "onward"), (8, "ending"), (16, "ends_on")] {
        if how & bit != 0 {
            document[key] = other[key].clone();
        }
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn narrower_is_reflexive_and_transitive(
        a in documents(), others in (documents(), documents()), demands in (conditions(), conditions()), how in (0u8..32, 0u8..32),
    ) {
        let b = narrowed(&a, &others.0, &demands.0, how.0);
        let c = narrowed(&b, &others.1, &demands.1, how.1);
        let (Ok(a), Ok(b), Ok(c)) = (read(&a), read(&b), read(&c)) else { return Ok(()) };
        prop_assert!(a.is_at_most(&a));
        prop_assert!(!(c.is_at_most(&b) && b.is_at_most(&a)) || c.is_at_most(&a));
    }

    #[test]
    fn fewer_fields_and_further_demands_are_narrower(wide in documents(), other in documents(), demand in conditions(), how in 0u8..4) {
        let (Ok(narrow), Ok(wide)) = (read(&narrowed(&wide, &other, &demand, how)), read(&wide)) else { return Ok(()) };
        prop_assert!(narrow.is_at_most(&wide));
    }

    #[test]
    fn narrower_terms_show_nothing_that_the_wider_do_not(
        wide in documents(),
        other in documents(),
        demand in conditions(),
        how in 0u8..32,
        records in prop::collection::vec(records(), 1..8),
    ) {
        let (Ok(narrow), Ok(wide)) = (read(&narrowed(&wide, &other, &demand, how)), read(&wide)) else { return Ok(()) };
        if !narrow.is_at_most(&wide) {
            return Ok(());
        }
        for record in &records {
            let Some(few) = cells(&narrow, record) else { continue };
            let many = cells(&wide, record).unwrap();
            for (field, shown) in few {
                prop_assert!(many.contains_key(&field));
                // Where the narrower terms show the value itself, the wider ones do.
                if narrow.fields.get(&name(&field)) == Some(&Treatment::Exact) {
                    prop_assert_eq!(many.get(&field), Some(&shown));
                }
            }
        }
    }
}
