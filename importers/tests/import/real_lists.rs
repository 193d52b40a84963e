//! Lists that nobody here made. `HAYWARD_LISTS` names the folder; without it there is nothing to read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hayward_domain::schema::Schema;
use hayward_importers::{DraftRow, FileSource, Matching, Problem, draft, profile, suggest};

use crate::harness::schema;

fn lists() -> Option<PathBuf> {
    std::env::var_os("HAYWARD_LISTS").map(PathBuf::from)
}

/// A list that is known: the schema it belongs to, and what somebody decides about it.
struct List {
    file: &'static str,
    schema: &'static str,
    /// What tells its rows apart, where it is not the schema's key.
    key: &'static [&'static str],
    rows: usize,
    /// How often a row says what an earlier one said.
    duplicates: usize,
    /// What is wrong with rows that cannot go in: the code, the heading, and in how many rows.
    rejected: &'static [(&'static str, &'static str, usize)],
}

const LISTS: [List; 9] = [
    List {
        file: "coops-uk/open_data_organisations_2017-06.csv",
        schema: "organization",
        key: &[],
        rows: 8_371,
        duplicates: 0,
        rejected: &[],
    },
    // One line for each shop: the society's number and name alone are in many.
    List {
        file: "coops-uk/open_data_outlets_2019_q1.csv",
        schema: "organization",
        key: &["identifier", "name", "city", "postcode"],
        rows: 6_355,
        duplicates: 45,
        rejected: &[("primary-key", "CUK Organisation ID", 48)],
    },
    List {
        file: "hack-spots/jlords_hack_spots.csv",
        schema: "workspace",
        key: &[],
        rows: 196,
        duplicates: 0,
        // `SP`, for which Spain is suggested.
        rejected: &[("constraint-error", "Country", 1)],
    },
    List { file: "ofn/sample_file_120_products.csv", schema: "opportunity", key: &[], rows: 120, duplicates: 0, rejected: &[] },
    List {
        file: "murmurations/organizations_schema-v1.0.0-example-import.csv",
        schema: "organization",
        key: &[],
        rows: 1,
        duplicates: 0,
        rejected: &[],
    },
    List { file: "hsds/csv/organizations.csv", schema: "organization", key: &[], rows: 1, duplicates: 0, rejected: &[] },
    List { file: "hsds/csv/services.csv", schema: "opportunity", key: &[], rows: 1, duplicates: 0, rejected: &[] },
    List { file: "hsds/organization_full.json", schema: "organization", key: &[], rows: 1, duplicates: 0, rejected: &[] },
    List { file: "variants/orgs_cp1252.csv", schema: "organization", key: &[], rows: 185, duplicates: 0, rejected: &[] },
];

/// A schema of ours, or one that is in `schemas/examples/registered`.
fn schema_of(name: &str) -> Schema {
    if name != "workspace" {
        return schema(name);
    }
    let document = include_str!("../../../schemas/examples/registered/workspace.json");
    Schema::parse(&serde_json::from_str(document).unwrap()).unwrap()
}

fn read(path: &Path, schema: &Schema, key: &[&str]) -> Vec<DraftRow> {
    let source = FileSource::new(path, path.file_name().unwrap().to_string_lossy().into_owned());
    let profile = profile(&source).unwrap();
    let mut matching = Matching::from_columns(&suggest(&profile, schema, None));
    if !key.is_empty() {
        matching.key = Some(key.iter().map(|name| (*name).to_owned()).collect());
    }
    matching.validate(&profile, schema).unwrap();
    let rows = draft(&source, &profile, schema, &matching).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(rows.len() as u64, profile.rows, "every row is accounted for");
    rows
}

/// What keeps a row from going in as a new record.
fn problems(row: &DraftRow) -> Vec<&Problem> {
    match row {
        DraftRow::Rejected { problems, .. } => problems.iter().collect(),
        DraftRow::Ready(ready) => ready.missing.values().collect(),
        DraftRow::Duplicate { .. } | DraftRow::Blank { .. } => Vec::new(),
    }
}

#[test]
fn ninety_nine_rows_in_a_hundred_of_a_real_list_go_in() {
    let Some(lists) = lists() else { return };
    for List { file, schema, key, rows, duplicates, rejected } in LISTS {
        let read = read(&lists.join(file), &schema_of(schema), key);
        assert_eq!(read.len(), rows, "{file}");
        let twice = read.iter().filter(|row| matches!(row, DraftRow::Duplicate { .. })).count();
        let refused: Vec<_> = read.iter().map(problems).filter(|problems| !problems.is_empty()).collect();
        let mut codes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for problem in refused.iter().filter_map(|problems| problems.first()) {
            *codes.entry((&problem.code, problem.header.as_deref().unwrap_or_default())).or_default() += 1;
        }
        let codes: Vec<_> = codes.into_iter().map(|((code, heading), rows)| (code, heading, rows)).collect();
        assert_eq!((twice, codes.as_slice()), (duplicates, rejected), "{file}");
        assert!(refused.len() * 100 <= read.len(), "{file}: {} of {} rows rejected", refused.len(), read.len());
    }
}

#[test]
fn the_days_of_a_real_list_are_read() {
    let Some(lists) = lists() else { return };
    let path = lists.join("coops-uk/open_data_organisations_2017-06.csv");
    let rows = read(&path, &schema("organization"), &[]);
    let dated = |row: &DraftRow| matches!(row, DraftRow::Ready(ready) if ready.record.fields.keys().any(|name| name.as_str() == "founded_on"));
    assert_eq!(rows.iter().filter(|row| dated(row)).count(), 8_154);
}

#[test]
fn a_real_list_is_the_same_list_in_every_encoding() {
    let Some(lists) = lists() else { return };
    let organizations = |file: &str| read(&lists.join(file), &schema("organization"), &[]);
    let semicolons = organizations("variants/orgs_semicolon_utf8.csv");
    let wide = organizations("variants/orgs_utf16le_bom.csv");
    let narrow = organizations("variants/orgs_cp1252.csv");
    assert_eq!(semicolons, wide);
    // Windows-1252 has no U+FFFD; whoever made the file wrote `?` for it.
    let differing = narrow.iter().zip(&wide).filter(|(one, other)| one != other).count();
    assert_eq!(narrow.len(), wide.len());
    assert!(differing <= 8, "{differing} rows differ");
}

/// Files below `folder`, whatever they are.
fn files_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_in(&path, found) } else { found.push(path) }
    }
}

/// Those that belong to none of our schemas, and those that nobody here has seen.
#[test]
fn every_row_of_every_other_list_is_accounted_for() {
    let Some(lists) = lists() else { return };
    let mut files = Vec::new();
    files_in(&lists, &mut files);
    let known = |path: &PathBuf| path.starts_with(lists.join("variants")) || LISTS.iter().any(|list| path.ends_with(list.file));
    for path in files.into_iter().filter(|path| !known(path)) {
        let source = FileSource::new(&path, path.file_name().unwrap().to_string_lossy().into_owned());
        let profile = match profile(&source) {
            Ok(profile) => profile,
            Err(refusal) => {
                assert_ne!(refusal.code(), "unreadable-file", "{}", path.display());
                continue;
            }
        };
        for schema in hayward_domain::schema::built_in().unwrap() {
            let matching = Matching::from_columns(&suggest(&profile, &schema, None));
            let rows = draft(&source, &profile, &schema, &matching).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
            assert_eq!(rows.len() as u64, profile.rows, "{}", path.display());
            let silent = |row: &&DraftRow| matches!(row, DraftRow::Rejected { problems, .. } if problems.is_empty());
            assert_eq!(rows.iter().filter(silent).count(), 0, "{}", path.display());
        }
    }
}
