//! Files that are longer than what is read at once: nothing may change its place, and nothing may be left behind.

use hayward_importers::{DraftRow, HeldSource, Refusal, draft, profile};

use crate::harness::{Endless, import, organizations, schema};

/// A list of so many organizations, in which `change` may say something else of one.
fn list(rows: usize, change: impl Fn(usize) -> Option<String>) -> String {
    let row = |number: usize| change(number).unwrap_or_else(|| format!("A{number},Co-op {number},ES,2024-02-01"));
    let rows: Vec<String> = (2..rows + 2).map(row).collect();
    format!("identifier,name,country,founded_on\n{}\n", rows.join("\n"))
}

#[test]
fn a_long_file_is_judged_in_its_order() {
    let imported = organizations(list(6_000, |row| match row {
        1_000 => Some(String::new()),
        3_000 => Some("A3000,Co-op 3000,Nowhere,2024-02-31".to_owned()),
        5_000 => Some("A10,Co-op 10,ES,2024-02-01".to_owned()),
        5_500 => Some("A20,Another,ES,2024-02-01".to_owned()),
        _ => None,
    }));
    for (row, number) in imported.rows.iter().zip(2..) {
        match row {
            DraftRow::Ready(ready) => assert_eq!((ready.row, &*ready.key), (number, &*format!(r#"["A{number}"]"#))),
            DraftRow::Blank { row } => assert_eq!((*row, number), (1_000, 1_000)),
            DraftRow::Duplicate { row, first } => assert_eq!((*row, *first, number), (5_000, 10, 5_000)),
            DraftRow::Rejected { row, key, .. } => {
                assert_eq!(*row, number);
                assert_eq!(key.as_deref(), Some(if number == 3_000 { r#"["A3000"]"# } else { r#"["A20"]"# }));
            }
        }
    }
    assert_eq!(imported.codes(), [(3_000, "constraint-error"), (3_000, "type-error"), (5_500, "primary-key")]);
    let twice = imported.problems().pop().unwrap().clone();
    assert_eq!((twice.column.as_deref(), twice.value.as_deref()), (Some("A"), Some("A20")));
}

#[test]
fn a_column_of_a_long_file_is_read_by_all_its_values() {
    let imported = organizations(list(3_000, |row| {
        let day = if row == 2_900 { "25/04/2024" } else { "03/04/2024" };
        Some(format!("A{row},Co-op {row},ES,{day}"))
    }));
    assert!(imported.column("founded_on").question.is_none());
    assert!(imported.values("founded_on").iter().all(|day| day == "2024-04-03" || day == "2024-04-25"));
    assert_eq!(imported.profile.column("D").unwrap().filled, 3_000);
}

#[test]
fn the_rows_before_one_that_cannot_be_read_are_given() {
    let schema = schema("organization");
    let before = import("list.csv", list(3_000, |_| None), &schema);
    let cut = HeldSource::new("list.csv", list(3_000, |row| (row == 2_500).then(|| "A2500,\"Co-op".to_owned())).into_bytes());
    let rows: Vec<_> = draft(&cut, &before.profile, &schema, &before.matching).unwrap().collect();
    assert_eq!(rows.len(), 2_499);
    assert_eq!(rows.last().unwrap().as_ref().err(), Some(&Refusal::UnclosedQuote { row: 2_500 }));
    assert!(rows.iter().take(2_498).all(Result::is_ok));
}

#[test]
fn a_draft_may_be_left_in_the_middle() {
    let source = Endless { start: b"identifier,name\n", repeated: b"A1,The same name again and again\n", times: 100_000 };
    let schema = schema("organization");
    let imported = organizations("identifier,name\nA1,One\n");
    let profile = profile(&source).unwrap();
    let mut rows = draft(&source, &profile, &schema, &imported.matching).unwrap();
    assert!(matches!(rows.next(), Some(Ok(DraftRow::Ready(_)))));
    // Those who read and judge are waited for.
    drop(rows);
}
