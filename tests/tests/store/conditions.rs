//! A filter as SQL against the same filter in memory, and a sort against a plain one: on whatever a payload may hold.

use std::cmp::Ordering;

use hayward_domain::condition::{Cell, Condition, Is, Operand};
use hayward_domain::schema::FieldName;
use hayward_store::{Key, Order, ShareQuery, StoreError};
use hayward_tests::commons::{Commons, Member, To};
use hayward_tests::on_both;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value, json};

use crate::{chance, raw};

/// `country` and `status` have an index of their own; `shape` is nobody's field, which to a payload is all the same.
const FIELDS: [&str; 5] = ["country", "status", "name", "member_count", "shape"];
const ROWS: usize = 24;

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-cA-C]{0,3}",
        1 => Just("5".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just("a?b'c\"d\\e%_".to_owned()),
        1 => Just("é".to_owned()),
        1 => Just("e\u{301}".to_owned()),
        1 => Just("日本".to_owned()),
        1 => Just("🐝a".to_owned()),
        1 => Just("a\nb".to_owned()),
    ]
    .boxed()
}

fn number() -> BoxedStrategy<Value> {
    prop_oneof![
        4 => (-3i64..6).prop_map(Value::from),
        2 => (-30i32..60).prop_map(|tenths| Value::from(f64::from(tenths) / 10.0)),
        1 => Just(json!(9_007_199_254_740_992_i64)),
        1 => Just(json!(-9_007_199_254_740_991_i64)),
        1 => Just(json!(5.0)),
        1 => Just(json!(-0.0)),
        2 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        2 => (-1_000_000.0..1_000_000.0f64).prop_map(Value::from),
    ]
    .boxed()
}

/// What a cell of a payload may hold; nothing where the field is hidden.
fn cell() -> BoxedStrategy<Option<Value>> {
    prop_oneof![
        2 => Just(None),
        2 => Just(Some(Value::Null)),
        5 => text().prop_map(|text| Some(text.into())),
        5 => number().prop_map(Some),
        2 => any::<bool>().prop_map(|boolean| Some(boolean.into())),
        1 => Just(Some(json!(["a", null, 5]))),
        1 => Just(Some(json!({"a": 5, "country": "a"}))),
        1 => Just(Some(json!([]))),
    ]
    .boxed()
}

fn payload() -> BoxedStrategy<Value> {
    prop::array::uniform5(cell())
        .prop_map(|cells| {
            let there = FIELDS.into_iter().zip(cells).filter_map(|(name, cell)| Some((name.to_owned(), cell?)));
            Value::Object(there.collect::<Map<_, _>>())
        })
        .boxed()
}

fn operand() -> BoxedStrategy<Operand> {
    let number = || number().prop_map(|number| number.as_f64().unwrap());
    prop_oneof![
        4 => text().prop_map(Operand::text),
        4 => number().prop_map(Operand::number),
        1 => any::<bool>().prop_map(Operand::boolean),
        // A query parameter reads in several ways at once.
        2 => (text(), number()).prop_map(|(text, number)| Operand { text: Some(text), ..Operand::number(number) }),
        1 => any::<bool>().prop_map(|boolean| Operand { text: Some(boolean.to_string()), number: None, boolean: Some(boolean) }),
        1 => Just(Operand::default()),
    ]
    .boxed()
}

fn is() -> BoxedStrategy<Is> {
    prop_oneof![
        operand().prop_map(Is::Eq),
        operand().prop_map(Is::Eq),
        operand().prop_map(Is::Gt),
        operand().prop_map(Is::Gte),
        operand().prop_map(Is::Lt),
        operand().prop_map(Is::Lte),
        prop::collection::vec(operand(), 0..4).prop_map(Is::In),
        text().prop_map(Is::Prefix),
        any::<bool>().prop_map(Is::Null),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<Condition> {
    let test = (prop::sample::select(FIELDS.to_vec()), is());
    let test = test.prop_map(|(field, is)| Condition::Test { field: FieldName::parse(field).unwrap(), is });
    test.prop_recursive(4, 24, 3, |inner| {
        let parts = prop::collection::vec(inner, 0..4);
        prop_oneof![parts.clone().prop_map(Condition::All), parts.prop_map(Condition::Any)]
    })
    .boxed()
}

/// A share of [`ROWS`] rows whose payloads a test then writes itself.
fn shelf(commons: &Commons) -> Member {
    let (a, b) = (commons.organization("a"), commons.organization("b"));
    let list = commons.dataset(&a, "organization");
    let rows: String = (0..ROWS).map(|at| format!("{at},Co-op {at}\n")).collect();
    commons.import_csv(&list, &format!("identifier,name\n{rows}"));
    commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "country": "exact", "status": "exact"}}));
    b
}

/// Puts payloads on the shelf, with the indexed texts that the store would put beside them. Rows count from 1.
fn put(commons: &Commons, payloads: &[Value]) {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let index = |payload: &Value, name: &str| payload[name].as_str().map_or("null".to_owned(), quoted);
    let update = |(row, payload): (usize, &Value)| {
        format!(
            "update shared_records set payload = {}, index_1 = {}, index_2 = {} where row = {};",
            quoted(&payload.to_string()),
            index(payload, "country"),
            index(payload, "status"),
            row + 1,
        )
    };
    let updates: String = payloads.iter().enumerate().map(update).collect();
    raw::tell(commons.database(), &format!("begin; {updates} commit;"));
}

/// The rows that are listed, page after page.
fn rows(commons: &Commons, viewer: &Member, condition: &Condition, order: &Order, limit: i64) -> Vec<usize> {
    let listed = commons.store.view::<_, StoreError>(&viewer.viewer, |view| {
        let shares = view.shares("organizations", &ShareQuery::default(), view.commit)?;
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = view.list(&shares, &condition.clone().into(), order, after, limit)?;
            rows.extend(page.rows.iter().map(|row| usize::try_from(row.row).unwrap() - 1));
            after = page.after;
            if after.is_none() {
                assert_eq!(view.count(&shares, &condition.clone().into())?, i64::try_from(rows.len()).ok());
                return Ok(rows);
            }
        }
    });
    listed.unwrap()
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), TestCaseError> {
    prop_assert_eq!(found, expected);
    Ok(())
}

on_both! {
    fn a_filter_selects_the_rows_that_match_in_memory(commons: Commons) {
        let viewer = shelf(&commons);
        let mut runner = chance::runner(32);
        let cases = (prop::collection::vec(payload(), ROWS), prop::collection::vec(condition(), 6));
        runner
            .run(&cases, |(payloads, conditions)| {
                put(&commons, &payloads);
                for condition in conditions {
                    let matches = |payload: &Value| {
                        condition.matches(&|name: &FieldName| match payload.get(name.as_str()) {
                            None => Cell::Hidden,
                            Some(Value::Null) => Cell::Null,
                            Some(value) => Cell::Value(value),
                        })
                    };
                    let expected: Vec<usize> = (0..ROWS).filter(|row| matches(&payloads[*row])).collect();
                    same(rows(&commons, &viewer, &condition, &Order::default(), 1000), expected)?;
                }
                Ok(())
            })
            .unwrap();
    }
}

/// Numbers, then texts by their bytes, then truths; everything else last, whichever way.
fn compare(one: Option<&Value>, other: Option<&Value>, descending: bool) -> Ordering {
    let rank = |value: Option<&Value>| match value {
        Some(Value::Number(_)) => 0,
        Some(Value::String(_)) => 1,
        Some(Value::Bool(_)) => 2,
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => 3,
    };
    let within = match (one, other) {
        (Some(Value::Number(one)), Some(Value::Number(other))) => one.as_f64().partial_cmp(&other.as_f64()).unwrap(),
        (Some(Value::String(one)), Some(Value::String(other))) => one.as_bytes().cmp(other.as_bytes()),
        (Some(Value::Bool(one)), Some(Value::Bool(other))) => one.cmp(other),
        _ => Ordering::Equal,
    };
    rank(one).cmp(&rank(other)).then(if descending { within.reverse() } else { within })
}

fn order() -> BoxedStrategy<Order> {
    let key = (prop::sample::subsequence(FIELDS.to_vec(), 1..=3), prop::array::uniform3(any::<bool>()));
    key.prop_map(|(fields, ways)| {
        let keys = fields.into_iter().zip(ways);
        Order(keys.map(|(field, descending)| Key { field: FieldName::parse(field).unwrap(), descending }).collect())
    })
    .boxed()
}

on_both! {
    fn pages_of_a_sort_are_the_rows_sorted_in_memory(commons: Commons) {
        let viewer = shelf(&commons);
        let mut runner = chance::runner(24);
        let cases = (prop::collection::vec(payload(), ROWS), prop::collection::vec((order(), 1i64..9), 4), condition());
        runner
            .run(&cases, |(payloads, orders, condition)| {
                put(&commons, &payloads);
                let all = Condition::All(Vec::new());
                for (order, limit) in orders {
                    let mut expected: Vec<usize> = (0..ROWS).collect();
                    expected.sort_by(|one, other| {
                        let key = |key: &Key| {
                            let name = key.field.as_str();
                            compare(payloads[*one].get(name), payloads[*other].get(name), key.descending)
                        };
                        order.0.iter().map(key).find(|way| way.is_ne()).unwrap_or(Ordering::Equal)
                    });
                    same(rows(&commons, &viewer, &all, &order, limit), expected.clone())?;
                    let filtered = rows(&commons, &viewer, &condition, &Order::default(), 1000);
                    let expected = expected.into_iter().filter(|row| filtered.contains(row)).collect();
                    same(rows(&commons, &viewer, &condition, &order, limit), expected)?;
                }
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn a_filter_over_many_rows_is_refused_beyond_the_budget(commons: Commons) {
        let viewer = shelf(&commons);
        let copies = "insert into shared_records (row, shelf, share, record, name, payload, born)
            with recursive more (at) as (select 1000 union all select at + 1 from more where at < 101000)
            select at, 1, 1, at, at, '{\"name\":\"x\"}', 1 from more";
        raw::tell(commons.database(), copies);
        raw::tell(commons.database(), "update share_editions set live = live + 100001, last_row = 101000");
        let asked = |condition: Condition, order: Order| {
            commons.store.view::<_, StoreError>(&viewer.viewer, |view| {
                let shares = view.shares("organizations", &ShareQuery::default(), view.commit)?;
                assert_eq!(view.count(&shares, &condition.clone().into())?, None);
                view.list(&shares, &condition.clone().into(), &order, None, 10).map(|page| page.rows.len())
            })
        };
        let name = Condition::Test { field: FieldName::parse("name").unwrap(), is: Is::Eq(Operand::text("x")) };
        let all = || Condition::All(Vec::new());
        assert_eq!(asked(all(), Order::default()).unwrap(), 10);
        assert!(matches!(asked(name, Order::default()), Err(StoreError::Refused { code: "too-broad", .. })));
        assert!(matches!(asked(all(), Order::parse("name").unwrap()), Err(StoreError::Refused { code: "too-broad", .. })));
    }
}

on_both! {
    fn a_thousand_values_are_not_too_many(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name\n1,Alder\n2,Birch\n");
        commons.agree(&a, To::One(&b), &list, &json!({}));
        let operands: Vec<Operand> = (0..1_000).map(|at| Operand::text(format!("{}", at + 2))).collect();
        let is = Is::In(operands);
        let condition = Condition::Test { field: FieldName::parse("identifier").unwrap(), is };
        let found = rows_that_meet(&commons, &b, &condition);
        assert_eq!(found.unwrap(), 1);
    }
}

fn rows_that_meet(commons: &Commons, reader: &Member, condition: &Condition) -> Result<usize, StoreError> {
    commons.store.view(&reader.viewer, |view| {
        let shares = view.shares("organizations", &ShareQuery::default(), view.commit)?;
        Ok(view.list(&shares, &condition.clone().into(), &Order::default(), None, 10)?.rows.len())
    })
}
