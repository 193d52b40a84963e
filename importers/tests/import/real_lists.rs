//! Lists that nobody here made. `HAYWARD_LISTS` names the folder; without it there is nothing to read.

use std::path::{Path, PathBuf};

use hayward_importers::{DraftRow, FileSource, Matching, Problem, draft, profile, suggest};

use crate::harness::schema;

fn lists() -> Option<PathBuf> {
    std::env::var_os("HAYWARD_LISTS").map(PathBuf::from)
}

fn read(path: &Path, name: &str) -> Vec<DraftRow> {
    let schema = schema(name);
    let source = FileSource::new(path, "list.csv");
    let profile = profile(&source).unwrap();
    let matching = Matching::from_columns(&suggest(&profile, &schema, None));
    let rows = draft(&source, &profile, &schema, &matching).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(rows.len() as u64, profile.rows);
    rows
}

fn problems(row: &DraftRow) -> Vec<&Problem> {
    match row {
        DraftRow::Rejected { problems, .. } => problems.iter().collect(),
        DraftRow::Ready(ready) => ready.missing.values().collect(),
        DraftRow::Duplicate { .. } | DraftRow::Blank { .. } => Vec::new(),
    }
}

#[test]
fn nearly_every_organization_of_a_real_list_goes_in() {
    let Some(lists) = lists() else { return };
    let rows = read(&lists.join("coops-uk/open_data_organisations_2017-06.csv"), "organization");
    assert_eq!(rows.len(), 8_371);
    let refused: Vec<_> =
        rows.iter().flat_map(problems).map(|problem| (problem.row, &problem.column, &problem.message)).collect();
    assert!(refused.len() <= rows.len() / 100, "{} problems, such as {:?}", refused.len(), refused.get(..10));
    let dated = |row: &DraftRow| matches!(row, DraftRow::Ready(ready) if ready.record.fields.keys().any(|name| name.as_str() == "founded_on"));
    assert_eq!(rows.iter().filter(|row| dated(row)).count(), 8_154);
}

#[test]
fn a_real_list_is_the_same_list_in_every_encoding() {
    let Some(lists) = lists() else { return };
    let semicolons = read(&lists.join("variants/orgs_semicolon_utf8.csv"), "organization");
    let wide = read(&lists.join("variants/orgs_utf16le_bom.csv"), "organization");
    let narrow = read(&lists.join("variants/orgs_cp1252.csv"), "organization");
    assert_eq!(semicolons, wide);
    // Windows-1252 has no U+FFFD; whoever made the file wrote `?` for it.
    let differing = narrow.iter().zip(&wide).filter(|(one, other)| one != other).count();
    assert_eq!(narrow.len(), wide.len());
    assert!(differing <= 8, "{differing} rows differ");
}

#[test]
fn every_real_list_is_read_to_its_end() {
    let Some(lists) = lists() else { return };
    for (file, schema, rows) in [
        ("hack-spots/jlords_hack_spots.csv", "organization", 196),
        ("coops-uk/open_data_outlets_2019_q1.csv", "organization", 6_355),
        ("ofn/sample_file_120_products.csv", "opportunity", 120),
        ("murmurations/organizations_schema-v1.0.0-example-import.csv", "organization", 1),
        ("hsds/csv/organizations.csv", "organization", 1),
    ] {
        assert_eq!(read(&lists.join(file), schema).len(), rows, "{file}");
    }
}
