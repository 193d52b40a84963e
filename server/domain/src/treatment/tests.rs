#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::keys::AgreementKeys;
use crate::schema::{FieldName, Offers};

fn field(kind: Kind, reads_as: Option<ReadsAs>) -> Field {
    let all = [Generalises::Year, Generalises::Month, Generalises::Prefix, Generalises::Grid, Generalises::Band];
    Field {
        name: FieldName::parse("field").unwrap(),
        kind,
        sensitivity: Sensitivity::Personal,
        reads_as,
        labels: BTreeMap::new(),
        synonyms: Vec::new(),
        offers: Offers { masked: true, pseudonym: true, generalised: all.to_vec() },
        search: false,
        filter: true,
        help: BTreeMap::new(),
        required: false,
    }
}

fn show(treatment: &str, field: &Field, value: &Value) -> Value {
    let json = if treatment.contains(':') || ["year", "month"].contains(&treatment) {
        json!({"generalised": treatment})
    } else {
        json!(treatment)
    };
    Treatment::parse(&json).unwrap().show(field, &AgreementKeys::new([7; 32]), Some(value)).unwrap().into_owned()
}

#[test]
fn a_day_becomes_its_month_or_its_year() {
    let date = field(Kind::Date, None);
    assert_eq!(show("month", &date, &json!("2026-12-31")), json!("2026-12"));
    assert_eq!(show("year", &date, &json!("2026-12-31")), json!("2026"));
    assert_eq!(show("year", &date, &json!("2026-12")), json!("2026"));
    assert_eq!(show("month", &date, &json!("2026")), json!("2026"));
}

#[test]
fn what_cannot_be_treated_becomes_null_and_never_itself() {
    let date = field(Kind::Date, None);
    for raw in [json!("31/12/2026"), json!("2026-02-30"), json!("2026-1"), json!("20261231é"), json!(2026), json!(["2026-12-31"])]
    {
        assert_eq!(show("month", &date, &raw), Value::Null);
    }
    let number = field(Kind::Number, None);
    assert_eq!(show("band:10", &number, &json!("17")), Value::Null);
    assert_eq!(show("grid:0.1", &number, &json!(41.4)), Value::Null);
    let text = field(Kind::Text, None);
    assert_eq!(show("prefix:2", &text, &json!(12345)), Value::Null);
    assert_eq!(show("masked", &text, &json!(12345)), Value::Null);
    assert_eq!(show("masked", &text, &json!("")), Value::Null);
    assert_eq!(show("pseudonym", &text, &json!(true)), Value::Null);
    assert_eq!(show("pseudonym", &text, &json!("  ")), Value::Null);
}

#[test]
fn an_empty_cell_is_null_in_every_open_treatment() {
    let date = field(Kind::Date, None);
    for treatment in ["exact", "masked", "pseudonym", "month"] {
        assert_eq!(show(treatment, &date, &Value::Null), Value::Null);
    }
    assert_eq!(Treatment::Exact.show(&date, &AgreementKeys::new([7; 32]), None), Some(Cow::Owned(Value::Null)));
    assert_eq!(Treatment::Hidden.show(&date, &AgreementKeys::new([7; 32]), Some(&json!("x"))), None);
}

#[test]
fn a_coordinate_goes_to_the_nearest_point_of_the_grid() {
    let north = field(Kind::Number, Some(ReadsAs::Latitude));
    let east = field(Kind::Number, Some(ReadsAs::Longitude));
    assert_eq!(show("grid:0.1", &north, &json!(41.3874)), json!(41.4));
    assert_eq!(show("grid:0.1", &east, &json!(-2.1686)), json!(-2.2));
    assert_eq!(show("grid:0.3", &east, &json!(0.29)), json!(0.3));
    assert_eq!(show("grid:7", &north, &json!(89.9)), json!(90));
    assert_eq!(show("grid:7", &east, &json!(-180)), json!(-180));
}

#[test]
fn a_mask_leaves_a_hint() {
    let email = field(Kind::Text, Some(ReadsAs::Email));
    assert_eq!(show("masked", &email, &json!("maria@coop.example")), json!("m•••@coop.example"));
    assert_eq!(show("masked", &email, &json!("maria")), json!("m•••"));
    let phone = field(Kind::Text, Some(ReadsAs::Phone));
    assert_eq!(show("masked", &phone, &json!("+34 600 111 412")), json!("•••412"));
    assert_eq!(show("masked", &phone, &json!("11 24")), json!("•••"));
    assert_eq!(show("masked", &field(Kind::Text, None), &json!("Núria")), json!("N•••"));
}

#[test]
fn one_person_has_one_pseudonym_however_it_is_written() {
    let email = field(Kind::Text, Some(ReadsAs::Email));
    let stand_in = show("pseudonym", &email, &json!("José@x.org"));
    assert_eq!(stand_in, show("pseudonym", &email, &json!(" jose\u{301}@X.org ")));
    assert_ne!(stand_in, show("pseudonym", &field(Kind::Text, None), &json!("José@x.org")));
    let number = field(Kind::Number, None);
    assert_eq!(show("pseudonym", &number, &json!(5)), show("pseudonym", &number, &json!(5.0)));
}

#[test]
fn a_field_takes_what_its_schema_offers_and_its_kind_allows() {
    let fits = |json: Value, field: &Field| Treatment::parse(&json).unwrap().fits(field);
    let month = json!({"generalised": "month"});
    assert!(fits(month.clone(), &field(Kind::Date, None)));
    assert!(!fits(month.clone(), &field(Kind::Text, None)));
    let bare = Field { offers: Offers::default(), ..field(Kind::Date, None) };
    assert!(!fits(month, &bare));
    assert!(fits(json!("exact"), &bare));
    let structured = field(Kind::Structured, None);
    for refused in [json!("masked"), json!("pseudonym"), json!({"generalised": "prefix:2"}), json!({"generalised": "band:2"})] {
        assert!(!fits(refused, &structured));
    }
    let never = Field { sensitivity: Sensitivity::Never, ..field(Kind::Text, None) };
    assert!(!fits(json!("exact"), &never));
}

#[test]
fn what_is_no_treatment_is_refused() {
    for json in [
        json!("all"),
        json!("*"),
        json!(null),
        json!({}),
        json!({"generalised": "day"}),
        json!({"generalised": "year", "masked": true}),
        json!({"generalised": "prefix:0"}),
        json!({"generalised": "prefix:"}),
        json!({"generalised": "prefix:+3"}),
        json!({"generalised": "grid:0"}),
        json!({"generalised": "grid:181"}),
        json!({"generalised": "year:1"}),
    ] {
        assert_eq!(Treatment::parse(&json), None, "{json}");
    }
}

#[test]
fn a_grid_is_coarser_only_where_its_cells_are_made_of_whole_cells() {
    let grid = |step: &str| Treatment::parse(&json!({"generalised": format!("grid:{step}")})).unwrap();
    assert!(grid("0.3").at_most(&grid("0.1")));
    assert!(!grid("0.2").at_most(&grid("0.1")));
    assert!(!grid("0.1").at_most(&grid("0.3")));
}

fn treatments() -> impl Strategy<Value = Treatment> {
    let width = (1i128..180, 0usize..3).prop_map(|(digits, decimals)| {
        let unit = 10i128.pow(u32::try_from(decimals).unwrap());
        let text = if decimals == 0 { digits.to_string() } else { format!("{}.{:0decimals$}", digits / unit, digits % unit) };
        Width::parse(&text).unwrap()
    });
    prop_oneof![
        Just(Treatment::Hidden),
        Just(Treatment::Pseudonym),
        Just(Treatment::Masked),
        Just(Treatment::Exact),
        Just(Treatment::Generalised(Generalisation::Year)),
        Just(Treatment::Generalised(Generalisation::Month)),
        (1u32..8).prop_map(|length| Treatment::Generalised(Generalisation::Prefix(length))),
        width.clone().prop_map(|step| Treatment::Generalised(Generalisation::Grid(step))),
        width.prop_map(|width| Treatment::Generalised(Generalisation::Band(width))),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-200.0..200.0f64).prop_map(Value::from),
        (-2000i64..2000).prop_map(|tenths| Value::from(tenths as f64 / 10.0)),
        any::<String>().prop_map(Value::from),
        "[a-z•@.0-9 ]{0,12}".prop_map(Value::from),
        "•{0,4}[0-9]{0,9}".prop_map(Value::from),
        (1i32..9999, 1u32..13, 1u32..32).prop_map(|(year, month, day)| Value::from(format!("{year:04}-{month:02}-{day:02}"))),
        // At the edges of the calendar, of numbers, and of what JSON nests.
        prop::sample::select(vec![
            "0000-01-01",
            "0000-12-31",
            "0001-01-01",
            "-0001-12-31",
            "9999-12-31",
            "10000-01-01",
            "2024-02-29"
        ])
        .prop_map(Value::from),
        prop::sample::select(vec![0.0, -0.0, 5e-324, f64::MIN_POSITIVE, 1e15, 1e16, f64::MAX, f64::MIN, 0.1 + 0.2])
            .prop_map(Value::from),
        prop::sample::select(vec![i64::MIN, i64::MAX, -1, 0]).prop_map(Value::from),
        prop::sample::select(vec![
            json!(["x"]),
            json!([]),
            json!({}),
            json!({"a": [1, null, {"b": "c"}]}),
            json!([[["x"]], 1.5, "•••"])
        ]),
    ]
}

/// Fields of every kind, read in every way, whether or not a schema could have them.
fn fields() -> impl Strategy<Value = Field> {
    let kinds = vec![Kind::Text, Kind::Date, Kind::Integer, Kind::Number, Kind::Boolean, Kind::Structured];
    let reads_as = vec![
        None,
        Some(ReadsAs::Identifier),
        Some(ReadsAs::Phone),
        Some(ReadsAs::Postcode),
        Some(ReadsAs::Email),
        Some(ReadsAs::Url),
        Some(ReadsAs::Country),
        Some(ReadsAs::Latitude),
        Some(ReadsAs::Longitude),
    ];
    (prop::sample::select(kinds), prop::sample::select(reads_as)).prop_map(|(kind, reads_as)| field(kind, reads_as))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn treating_what_was_treated_changes_nothing(treatment in treatments(), field in fields(), value in values()) {
        let keys = AgreementKeys::new([7; 32]);
        if treatment != Treatment::Pseudonym && let Some(once) = treatment.show(&field, &keys, Some(&value)) {
            prop_assert_eq!(treatment.show(&field, &keys, Some(&once)), Some(Cow::Borrowed(&*once)));
        }
    }

    #[test]
    fn every_treatment_has_an_answer_for_every_value(treatment in treatments(), field in fields(), value in values()) {
        let keys = AgreementKeys::new([7; 32]);
        let shown = treatment.show(&field, &keys, Some(&value));
        prop_assert_eq!(shown.is_none(), treatment == Treatment::Hidden);
        prop_assert_eq!(&treatment.show(&field, &keys, Some(&value)), &shown, "the same again");
        if let (Some(shown), false) = (shown, treatment == Treatment::Exact) {
            // What is not shown as it is, is one plain value: whatever a list or an object holds stays where it is.
            prop_assert!(!shown.is_array() && !shown.is_object() && !shown.is_boolean());
            prop_assert!(!(value.is_array() || value.is_object() || value.is_boolean()) || shown.is_null());
            prop_assert_eq!(treatment.show(&field, &keys, None), Some(Cow::Owned(Value::Null)));
        }
    }

    #[test]
    fn a_pseudonym_tells_nothing_but_that_two_are_the_same(field in fields(), value in values(), other in values()) {
        let show = |secret, value: &Value| {
            Treatment::Pseudonym.show(&field, &AgreementKeys::new([secret; 32]), Some(value)).map(Cow::into_owned)
        };
        let (one, two) = (show(7, &value), show(7, &other));
        if let (Some(Value::String(one)), Some(Value::String(two))) = (&one, &two) {
            prop_assert_eq!(one.len(), two.len());
            prop_assert_ne!(Some(Value::from(one.as_str())), show(8, &value), "under another agreement it is another");
            prop_assert_ne!(Value::from(one.as_str()), value);
        }
    }

    #[test]
    fn what_is_at_most_as_open_can_be_made_from_what_is_shown(
        coarse in treatments(), fine in treatments(), field in fields(), value in values(), other in values(),
    ) {
        let keys = AgreementKeys::new([7; 32]);
        let show = |treatment: &Treatment, value: &Value| treatment.show(&field, &keys, Some(value)).map(Cow::into_owned);
        if coarse.at_most(&fine) && show(&fine, &value) == show(&fine, &other) {
            prop_assert_eq!(show(&coarse, &value), show(&coarse, &other));
        }
    }

    #[test]
    fn the_cells_of_a_coarser_grid_are_made_of_whole_cells(step in 1i128..22, times in 1i128..8, a in -900i64..900, by in -9i64..9) {
        let keys = AgreementKeys::new([7; 32]);
        let north = field(Kind::Number, Some(ReadsAs::Latitude));
        for (name, grid) in [("grid", true), ("band", false)] {
            let read = |step: i128| Treatment::parse(&json!({"generalised": format!("{name}:{step}")})).unwrap();
            let (coarse, fine) = (read(step * times), read(step));
            let show = |treatment: &Treatment, tenths: i64| {
                treatment.show(&north, &keys, Some(&json!(tenths as f64 / 10.0))).map(Cow::into_owned)
            };
            prop_assert_eq!(coarse.at_most(&fine), !grid || times % 2 == 1);
            if coarse.at_most(&fine) && show(&fine, a) == show(&fine, a + by) {
                prop_assert_eq!(show(&coarse, a), show(&coarse, a + by));
            }
        }
    }

    #[test]
    fn openness_is_a_partial_order(a in treatments(), b in treatments(), c in treatments()) {
        prop_assert!(a.at_most(&a));
        prop_assert!(!(a.at_most(&b) && b.at_most(&c)) || a.at_most(&c));
        prop_assert!(!(a.at_most(&b) && b.at_most(&a)) || a == b);
    }

    #[test]
    fn a_treatment_reads_back(treatment in treatments()) {
        prop_assert_eq!(Treatment::parse(&treatment.to_json()), Some(treatment));
    }
}
