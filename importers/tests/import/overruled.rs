//! What a person says about a file goes before every guess, in both readings.

use hayward_importers::{DraftRow, HeldSource, LineEnds, Matching, Overrules, Profile, draft, profile, profile_as, suggest};

use crate::books;
use crate::harness::schema;

fn rows(source: &HeldSource, profile: &Profile) -> Vec<DraftRow> {
    let schema = schema("organization");
    let matching = Matching::from_columns(&suggest(profile, &schema, None));
    draft(source, profile, &schema, &matching).unwrap().collect::<Result<_, _>>().unwrap()
}

fn book(name: &str) -> HeldSource {
    HeldSource::new(name, books::all().into_iter().find(|(other, _)| *other == name).unwrap().1)
}

#[test]
fn the_second_reading_obeys_what_was_said_before_the_first() {
    let source = HeldSource::new("list.csv", &b"identifier~name\r\nA1~Caf\x8e\nbread\r\n"[..]);
    let said = Overrules {
        encoding: Some("macintosh".to_owned()),
        delimiter: Some('~'),
        line_ends: Some(LineEnds::CrLf),
        ..Overrules::default()
    };
    let profile = profile_as(&source, &said).unwrap();
    assert!(matches!(&rows(&source, &profile)[..], [DraftRow::Ready(ready)] if ready.key == r#"["A1"]"#));
    assert_eq!(profile.columns[1].samples, ["Café\nbread"]);
}

#[test]
fn a_hidden_sheet_can_be_named() {
    let source = book("sheets.xlsx");
    let named = Overrules { sheet: Some("2011".to_owned()), ..Overrules::default() };
    let profile = profile_as(&source, &named).unwrap();
    assert_eq!((profile.reading.sheet.as_deref(), profile.reading.header_row), (Some("2011"), 2));
    assert!(matches!(&rows(&source, &profile)[..], [DraftRow::Ready(ready)] if ready.row == 3 && ready.key == r#"["Z9"]"#));
}

#[test]
fn a_profile_that_was_kept_reads_the_file_as_before() {
    for (name, bytes) in books::all() {
        let source = HeldSource::new(name, bytes);
        let Ok(profile) = profile(&source) else { continue };
        let kept: Profile = serde_json::from_str(&serde_json::to_string(&profile).unwrap()).unwrap();
        assert_eq!(kept, profile);
        assert_eq!(rows(&source, &kept), rows(&source, &profile), "{name}");
    }
}

#[test]
fn the_name_of_a_sheet_is_in_no_log() {
    let said = Overrules { sheet: Some("Jane Roe".to_owned()), ..Overrules::default() };
    assert!(!format!("{said:?}").contains("Jane"));
    let profile = profile(&book("sheets.xlsx")).unwrap();
    assert!(!format!("{profile:?}").contains("Members"));
}

#[test]
fn the_error_of_a_formula_is_a_problem_of_its_field_and_no_loss_elsewhere() {
    let source = book("formulas.xlsx");
    let rows = rows(&source, &profile(&source).unwrap());
    let DraftRow::Rejected { problems, .. } = &rows[0] else { unreachable!() };
    assert_eq!((problems[0].code.as_ref(), problems[0].column.as_deref()), ("formula-error", Some("B")));
    let source = book("kinds.ods");
    let schema = schema("organization");
    let profile = profile(&source).unwrap();
    let matching = Matching::from_columns(&suggest(&profile, &schema, None));
    let rows: Vec<_> = draft(&source, &profile, &schema, &matching).unwrap().map(Result::unwrap).collect();
    assert!(matches!(&rows[..], [DraftRow::Ready(ready)] if ready.record.private["error"] == "#N/A"));
}
