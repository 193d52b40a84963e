//! Cells that somebody corrected before the list goes in, and what was settled column by column.

use hayward_importers::{Blank, Fix, Matching};
use serde_json::{Value, json};

use crate::harness::{decide, organizations};

const LIST: &str = "identifier,name,country,city\n1,One,Untied States,\n2,Two,Untied States,Lyon\n3,Three,ES,\n4,,XX,Nantes\n";

fn of_value(column: &str, from: &str, to: &str) -> Fix {
    Fix { column: column.to_owned(), from: Some(from.to_owned()), row: None, to: Some(to.to_owned()) }
}

fn of_row(column: &str, row: u64, to: &str) -> Fix {
    Fix { column: column.to_owned(), from: None, row: Some(row), to: Some(to.to_owned()) }
}

#[test]
fn one_correction_mends_every_cell_that_says_the_same() {
    let imported = organizations(LIST);
    assert_eq!(imported.codes(), [(2, "constraint-error"), (3, "constraint-error"), (5, "constraint-error")]);
    let fixed = imported.decided(|matching| matching.amend(vec![of_value("C", "Untied States", "United States")]));
    assert_eq!(fixed.values("country"), ["US", "US", "ES"]);
    assert_eq!(fixed.codes(), [(5, "constraint-error")]);
}

#[test]
fn a_correction_of_one_cell_goes_before_one_of_the_column_and_the_last_word_holds() {
    let fixed = organizations(LIST).decided(|matching| {
        matching.amend(vec![of_value("C", "Untied States", "United States"), of_row("C", 3, "FR"), of_row("C", 5, "PT")]);
        matching.amend(vec![of_row("C", 3, "IT"), of_row("B", 5, "Four"), of_value("D", "", "Paris")]);
        assert_eq!(matching.fixes.len(), 5);
    });
    assert_eq!(fixed.values("country"), ["US", "IT", "ES", "PT"]);
    assert_eq!(fixed.values("city"), ["Paris", "Lyon", "Paris", "Nantes"]);
    let back = fixed.decided(|matching| {
        let back = |fix: Fix| Fix { to: None, ..fix };
        matching.amend(vec![back(of_row("C", 3, "")), back(of_value("D", "", "")), of_row("A", 3, "")]);
    });
    assert_eq!(back.values("country"), ["US", "ES", "PT"]);
    assert_eq!(back.values("city"), [Value::Null, Value::Null, json!("Nantes")]);
    assert_eq!(back.codes(), [(3, "missing-cell")], "a cell that was emptied is blank");
}

#[test]
fn a_value_too_long_to_be_shown_is_corrected_by_what_is_shown_of_it() {
    let long = "x".repeat(300);
    let imported = organizations(format!("identifier,name,country\n1,One,{long}\n"));
    let shown = imported.problems()[0].value.clone().unwrap();
    assert!(shown.chars().count() < 300);
    let fixed = imported.decided(|matching| matching.amend(vec![of_value("C", &shown, "FR")]));
    assert_eq!(fixed.values("country"), ["FR"]);
}

#[test]
fn a_correction_of_nothing_that_is_there_is_refused_by_name() {
    let imported = organizations(LIST);
    let schema = crate::harness::schema("organization");
    let code = |fix: Fix| {
        let mut matching = imported.matching.clone();
        matching.fixes = vec![fix];
        matching.validate(&imported.profile, &schema).unwrap_err().remove(0).code
    };
    assert_eq!(code(of_value("Z", "a", "b")), "unknown-column");
    assert_eq!(code(of_row("A", 1, "b")), "unknown-row");
    assert_eq!(code(Fix { from: Some(String::new()), ..of_row("A", 2, "b") }), "unclear-fix");
    assert_eq!(code(Fix { column: "A".to_owned(), ..Fix::default() }), "unclear-fix");
    assert_eq!(code(of_row("A", 2, &"x".repeat(40_000))), "too-long");
}

#[test]
fn what_a_blank_cell_does_is_said_for_each_column() {
    let cleared = |matching: &Matching| {
        let rows = organizations(LIST).decided(|other| *other = matching.clone());
        rows.ready().iter().flat_map(|ready| ready.clears.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    let mut matching = organizations(LIST).matching;
    assert_eq!(cleared(&matching), Vec::<String>::new());
    decide(&mut matching, "city").blank = Some(Blank::Clear);
    matching.amend(vec![of_value("C", "Untied States", "US")]);
    assert_eq!(cleared(&matching), ["city", "city"]);
    matching.blank = Blank::Clear;
    decide(&mut matching, "city").blank = Some(Blank::Keep);
    matching.amend(vec![of_row("C", 2, "")]);
    assert_eq!(cleared(&matching), ["country"]);
}

#[test]
fn a_correction_of_a_correction_follows_what_a_problem_shows() {
    let fixed = organizations(LIST).decided(|matching| {
        matching.amend(vec![of_value("C", "Untied States", "Unitd States")]);
        matching.amend(vec![of_value("C", "Unitd States", "US"), of_row("C", 5, "ES")]);
    });
    assert_eq!(fixed.values("country"), ["US", "US", "ES", "ES"]);
    // Two that lead to each other end, and each does what it says.
    let round = organizations("identifier,name,country\n1,One,ES\n2,Two,FR\n")
        .decided(|matching| matching.amend(vec![of_value("C", "ES", "FR"), of_value("C", "FR", "ES")]));
    assert_eq!(round.values("country"), ["FR", "ES"]);
}

#[test]
fn private_columns_with_one_heading_keep_their_own_cells() {
    let imported = organizations("identifier,name,Note,Note,Note (2),,column F\n1,One,a,b,c,d,e\n");
    let private = &imported.ready()[0].record.private;
    assert_eq!(private.values().map(String::as_str).collect::<Vec<_>>(), ["a", "c", "b", "e", "d"]);
    assert_eq!(private.get("Note (3)").map(String::as_str), Some("b"));
}
