//! Lists with the headings that people write, in six languages, and where each column belongs.
//!
//! The lists are in `tests/lists`, made up; `expected.tsv` says what each column is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hayward_domain::schema::FieldName;
use hayward_importers::{Column, Decision, FileSource, profile, suggest};

use crate::harness::schema;

/// From here on nobody looks twice.
const SURE: f64 = 0.9;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lists")
}

/// One column and what it is: file, heading, field.
struct Expected {
    schema: String,
    heading: String,
    field: String,
}

fn expected() -> BTreeMap<String, Vec<Expected>> {
    let table = std::fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let mut files: BTreeMap<String, Vec<Expected>> = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let expected = Expected { schema: cells[1].clone(), heading: cells[2].clone(), field: cells[3].clone() };
        files.entry(cells[0].clone()).or_default().push(expected);
    }
    files
}

/// What a column is taken for: a field, decided or suggested, `private`, or nothing.
fn taken_for(column: &Column) -> &str {
    match &column.field {
        Some(Decision::Field(name)) => name.as_str(),
        Some(Decision::Private) => "private",
        Some(Decision::LeaveOut) => "left out",
        None => column.suggestion.as_ref().map_or("-", FieldName::as_str),
    }
}

#[test]
fn nine_in_ten_columns_are_matched_right_and_none_surely_wrong() {
    let (mut columns_seen, mut right, mut missed, mut surely_wrong) = (0_usize, 0_usize, Vec::new(), Vec::new());
    let files = expected();
    for (file, expected) in &files {
        let source = FileSource::new(folder().join(file), file);
        let profile = profile(&source).unwrap();
        let columns = suggest(&profile, &schema(&expected[0].schema), None);
        let headings: Vec<_> = columns.iter().map(|column| column.header.as_str()).collect();
        assert_eq!(headings, expected.iter().map(|expected| expected.heading.as_str()).collect::<Vec<_>>(), "{file}");
        for (column, expected) in columns.iter().zip(expected) {
            columns_seen += 1;
            let taken_for = taken_for(column);
            let told =
                format!("{file}: `{}` is {}, taken for {taken_for} ({})", column.header, expected.field, column.confidence);
            match (taken_for == expected.field, column.confidence >= SURE) {
                (true, _) => right += 1,
                (false, true) => surely_wrong.push(told),
                (false, false) => missed.push(told),
            }
        }
    }
    assert!(files.len() >= 20, "{} lists", files.len());
    assert!(surely_wrong.is_empty(), "{}", surely_wrong.join("\n"));
    assert!(right * 10 >= columns_seen * 9, "{right} of {columns_seen}\n{}", missed.join("\n"));
}

#[test]
fn every_list_is_expected() {
    let listed = expected();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name == "expected.tsv" || listed.contains_key(&name), "{name}");
    }
}
