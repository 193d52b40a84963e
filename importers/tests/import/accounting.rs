//! Every row gives exactly one outcome, under the number that a spreadsheet gives it.

use hayward_importers::{Applied, DraftRow, draft};
use serde_json::json;

use crate::harness::{organizations, schema};

#[test]
fn rows_are_numbered_as_a_spreadsheet_numbers_them() {
    let text = "Members of the union,,,\n\n\"as of\n2024\",,,\nidentifier,name,city,founded_on\nA1,\"Two\nlines\",Vic,2024-02-01\n\nA2,Two,Vic,2024-02-31\n";
    let imported = organizations(text);
    assert_eq!(imported.profile.reading.header_row, 4);
    assert!(matches!(&imported.rows[0], DraftRow::Ready(ready) if ready.row == 5));
    assert_eq!(imported.rows[1], DraftRow::Blank { row: 6 });
    let problem = imported.problems()[0];
    assert_eq!((problem.row, problem.column.as_deref(), problem.header.as_deref()), (7, Some("D"), Some("founded_on")));
    assert_eq!(problem.value.as_deref(), Some("2024-02-31"));
    assert_eq!(problem.suggestion.as_deref(), Some("2024-02-29"));
}

#[test]
fn a_row_with_several_problems_names_them_all() {
    let text = "identifier,name,country,founded_on,website,latitude\nA1,One,Untied States,soon,not a page,north\n";
    let imported = organizations(text);
    let mut columns: Vec<_> = imported.problems().iter().map(|problem| problem.column.clone().unwrap()).collect();
    columns.dedup();
    assert_eq!(columns, ["C", "D", "F", "E"]);
    assert_eq!(imported.problems()[0].suggestion.as_deref(), Some("United States"));
}

#[test]
fn a_row_that_comes_twice_is_one_row_and_a_duplicate() {
    let imported = organizations("identifier,name\nA1,One\nA2,Two\nA1, One \nA1,Other\n");
    assert_eq!(imported.rows[2], DraftRow::Duplicate { row: 4, first: 2 });
    assert_eq!(imported.codes(), [(5, "primary-key")]);
    assert!(imported.problems()[0].message.contains("row 2"));
}

#[test]
fn a_row_without_a_key_is_no_record() {
    let imported = organizations("identifier,name\n,One\n  ,Two\nA3,Three\n");
    assert_eq!(imported.codes(), [(2, "missing-cell"), (3, "missing-cell")]);
    assert_eq!(imported.problems()[0].column.as_deref(), Some("A"));
    assert_eq!(imported.ready()[0].key, r#"["A3"]"#);
}

#[test]
fn a_rejected_row_still_says_which_record_it_is_about() {
    let imported = organizations("identifier,name,country\nA1,One,Nowhere\n,Two,Nowhere\n");
    let keys: Vec<_> =
        imported.rows.iter().map(|row| if let DraftRow::Rejected { key, .. } = row { key.as_deref() } else { None }).collect();
    assert_eq!(keys, [Some(r#"["A1"]"#), None]);
}

#[test]
fn a_required_field_is_missing_until_the_record_has_it() {
    let imported = organizations("identifier,name,city\nA1,,Vic\n");
    let ready = imported.ready()[0];
    assert_eq!(ready.missing.len(), 1);
    let (name, problem) = ready.missing.first_key_value().unwrap();
    assert_eq!((name.as_str(), &*problem.code, problem.column.as_deref()), ("name", "missing-cell", Some("B")));
}

#[test]
fn values_beyond_the_last_heading_are_not_lost_without_a_word() {
    let imported = organizations("identifier,name\nA1,One,,\nA2,Two,three,\nA3\n");
    assert_eq!(imported.codes(), [(3, "extra-cell")]);
    assert_eq!(imported.problems()[0].column.as_deref(), Some("C"));
    assert_eq!(imported.ready().len(), 2);
}

#[test]
fn a_blank_cell_keeps_what_was_there_unless_it_is_to_clear_it() {
    let text = "identifier,name,city,notes\nA1,One,,\n";
    let full = organizations("identifier,name,city,notes\nA1,Old,Vic,secret\n");
    let existing = full.ready()[0].record.clone();
    let kept = organizations(text);
    assert_eq!(kept.ready()[0].onto(&existing).fields.len(), 3);
    let cleared = organizations(text).decided(|matching| matching.blank = hayward_importers::Blank::Clear);
    let record = cleared.ready()[0].onto(&existing);
    assert_eq!((record.fields.len(), record.private.len()), (2, 0));
}

#[test]
fn what_is_done_unasked_is_counted() {
    let imported = organizations("identifier,name,website\n A1,\u{a0}One,one.example\nA2,\"a\r\nb\",\n");
    let schema = schema("organization");
    let mut draft = draft(&imported.source, &imported.profile, &schema, &imported.matching).unwrap();
    assert!(draft.by_ref().all(|row| row.is_ok()));
    let rules: Vec<_> = draft.applied().iter().map(|Applied { rule, count }| (*rule, *count)).collect();
    assert_eq!(rules, [("trimmed", 2), ("line-breaks", 1), ("schemes", 1)]);
    assert_eq!(imported.values("name"), [json!("One"), json!("a\nb")]);
}

#[test]
fn a_problem_has_the_words_of_the_contract() {
    let imported = organizations("identifier,name,country\nA1,One,Nowhere\n");
    let problem = serde_json::to_value(imported.problems()[0]).unwrap();
    assert_eq!(
        problem,
        json!({
            "row": 2, "column": "C", "header": "country", "value": "Nowhere", "code": "constraint-error",
            "message": "is not a country, by name or by ISO 3166-1 code", "suggestion": null,
        })
    );
}
