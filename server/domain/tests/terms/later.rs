//! What later versions of a schema take away, and what is never given by the two halves of a place alone.

use std::collections::BTreeSet;

use hayward_domain::keys::AgreementKeys;
use hayward_domain::record::{OrganizationNumber, Sealed};
use hayward_domain::schema::{Schema, Sensitivity};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{SCHEMA, name, read, record, with};
use crate::generated::{documents, records};

/// What a version may do to one field.
#[derive(Clone, Debug)]
enum Change {
    Remove,
    Retype,
    Never,
    Sensitivity(&'static str),
    NoTreatments,
    Back,
}

fn changes() -> impl Strategy<Value = Vec<Vec<(&'static str, Change)>>> {
    let field = prop::sample::select(vec!["email", "country", "opened_on", "seats", "step_free", "tags"]);
    let change = prop_oneof![
        Just(Change::Remove),
        Just(Change::Retype),
        Just(Change::Never),
        prop::sample::select(vec!["public", "special"]).prop_map(Change::Sensitivity),
        Just(Change::NoTreatments),
        Just(Change::Back),
    ];
    prop::collection::vec(prop::collection::vec((field, change), 1..4), 1..4)
}

/// The schema of these tests and its later versions.
fn versions(changes: &[Vec<(&'static str, Change)>]) -> Vec<Schema> {
    let mut document = (*SCHEMA.document).clone();
    let mut versions = Vec::new();
    for (nth, changes) in changes.iter().enumerate() {
        document["x-hayward"]["version"] = json!(SCHEMA.version + 1 + i64::try_from(nth).unwrap());
        for (field, change) in changes {
            let was = SCHEMA.document["properties"][field].clone();
            let properties = document["properties"].as_object_mut().unwrap();
            let bare = json!({"sensitivity": "public", "label": {"en": *field, "es": *field}});
            match change {
                Change::Remove => drop(properties.remove(*field)),
                Change::Back => drop(properties.insert((*field).to_owned(), was)),
                Change::Retype => {
                    let kind = if was["type"] == "integer" { "boolean" } else { "integer" };
                    properties.insert((*field).to_owned(), json!({"type": kind, "x-hayward": bare}));
                }
                Change::Never | Change::Sensitivity(_) | Change::NoTreatments => {
                    let Some(property) = properties.get_mut(*field) else { continue };
                    let sensitivity = match change {
                        Change::Never => json!("never"),
                        Change::Sensitivity(other) => json!(other),
                        _ => property["x-hayward"]["sensitivity"].clone(),
                    };
                    property["x-hayward"] = bare;
                    property["x-hayward"]["sensitivity"] = sensitivity;
                }
            }
        }
        versions.push(Schema::parse(&document).unwrap());
    }
    versions
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_later_version_shows_more_and_none_gives_back(
        document in documents(), changes in changes(), records in prop::collection::vec(records(), 1..5), moved in any::<bool>(),
    ) {
        let Ok(terms) = read(&document) else { return Ok(()) };
        let later = versions(&changes);
        let keys = AgreementKeys::new([9; 32]);
        let shown = |upto: usize| -> Vec<Option<Value>> {
            let reached = if moved { SCHEMA.version + i64::try_from(upto).unwrap() } else { SCHEMA.version };
            let bound = SCHEMA.under(&later[..upto], reached);
            let terms = terms.under(&bound);
            let show = |record: &_| terms.disclose(&bound, &keys, &Sealed::new(OrganizationNumber(1), Clone::clone(record)));
            records.iter().map(|record| show(record).map(|shared| serde_json::from_str(shared.payload()).unwrap())).collect()
        };
        for upto in 0..later.len() {
            for (before, after) in shown(upto).into_iter().zip(shown(upto + 1)) {
                let Some(after) = after else { continue };
                let before = before.unwrap();
                for (field, value) in after.as_object().unwrap() {
                    prop_assert_eq!(before.get(field), Some(value), "{} after {:?}", field, changes);
                }
            }
        }
    }

    #[test]
    fn coordinates_are_shown_alike_or_not_at_all(latitude in 0..4usize, longitude in 0..4usize) {
        let looks = [json!("exact"), json!({"generalised": "grid:0.1"}), json!({"generalised": "grid:0.5"}), json!("hidden")];
        let mut place = (*SCHEMA.document).clone();
        place["x-hayward"]["geo"] = json!({"latitude": "latitude", "longitude": "longitude"});
        place["properties"]["longitude"] = place["properties"]["latitude"].clone();
        place["properties"]["longitude"]["x-hayward"]["reads_as"] = json!("longitude");
        place["properties"]["longitude"]["x-hayward"]["label"] = json!({"en": "East", "es": "Este"});
        let schema = Schema::parse(&place).unwrap();
        let document = with("fields", json!({"code": "exact", "latitude": looks[latitude]}));
        let mut terms = read(&document).unwrap();
        let fields = json!({"code": "exact", "latitude": looks[latitude], "longitude": looks[longitude]});
        terms.fields = hayward_domain::terms::Fields::parse(&fields, &schema, "/fields").unwrap();
        prop_assert_eq!(terms.uneven_coordinates(&schema).is_none(), latitude == longitude);
        prop_assert_eq!(terms.uneven_coordinates(&SCHEMA), None, "without a place there is nothing to be uneven");
    }
}

#[test]
fn a_version_counts_as_harmful_as_the_worst_of_those_after_it() {
    let later = versions(&[vec![("country", Change::Sensitivity("special"))], vec![("country", Change::Sensitivity("public"))]]);
    let terms = read(&with("fields", json!({"code": "exact", "country": "hidden"}))).unwrap();
    let asked = |schema: &Schema| terms.sensitivities(schema);
    // The rows are chosen by the country, and by the day of opening.
    assert_eq!(asked(&SCHEMA), BTreeSet::from([Sensitivity::Public, Sensitivity::Internal]));
    let bound = SCHEMA.under(&later, SCHEMA.version);
    assert_eq!(asked(&bound), BTreeSet::from([Sensitivity::Public, Sensitivity::Internal, Sensitivity::Special]));
}

#[test]
fn whoever_said_no_under_one_version_said_no() {
    let mut document = (*SCHEMA.document).clone();
    document["x-hayward"]["version"] = json!(4);
    document["x-hayward"]["consent"] = json!("step_free");
    let marked = Schema::parse(&document).unwrap();
    let bound = SCHEMA.under([&marked], SCHEMA.version);
    assert_eq!(bound.consent, [name("step_free")]);
    assert!(bound.refuses(&record(&json!({"step_free": false}))) && !bound.refuses(&record(&json!({}))));
    assert!(!SCHEMA.refuses(&record(&json!({"step_free": false}))));
    assert_eq!(bound.implied().len(), 1);
}
