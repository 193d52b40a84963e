//! Awkward files, each with the cells that a person sees in it.
//!
//! The files are in `tests/corpus`, workbooks are made by [`crate::books`]; what is expected of `NAME` stands in `NAME.expected.json`,
//! with what is to be overruled where the guess is not what is tested. `HAYWARD_CORPUS=write` writes what was read: look at it before
//! you commit it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hayward_importers::{HeldSource, Overrules, Refusal, grid, profile_as};
use serde_json::{Value, json};

use crate::books;

const EXPECTED: &str = ".expected.json";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// Every file of the corpus, by name.
fn files() -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let committed = entries.map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap()));
    let committed = committed.filter(|(name, _)| !name.ends_with(EXPECTED) && !name.ends_with(".py"));
    committed.chain(books::all().into_iter().map(|(name, bytes)| (name.to_owned(), bytes))).collect()
}

fn expected(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folder().join(format!("{name}{EXPECTED}"))).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// How the file is read, and what is in its cells.
fn read(name: &str, bytes: &[u8], overrules: &Overrules) -> Result<Value, Refusal> {
    let source = HeldSource::new(name, bytes);
    let profile = profile_as(&source, overrules)?;
    let headers: Vec<_> = profile.columns.iter().map(|column| &column.header).collect();
    let notes: Vec<_> = profile.notes.iter().map(|note| json!([note.code, note.column])).collect();
    let mut rows = Vec::new();
    for row in grid(&source, &profile)? {
        let (number, cells) = row?;
        rows.push(json!([number, cells]));
    }
    Ok(json!({"reading": profile.reading, "headers": headers, "notes": notes, "rows": rows}))
}

fn found(name: &str, bytes: &[u8], expected: Option<&Value>) -> Value {
    let overrules = expected.and_then(|expected| expected.get("overrules")).cloned();
    let said = overrules.clone().map(|overrules| serde_json::from_value(overrules).unwrap()).unwrap_or_default();
    let mut found = read(name, bytes, &said).unwrap_or_else(|refusal| json!({"refused": refusal.code(), "row": refusal.row()}));
    if let Some(overrules) = overrules {
        found["overrules"] = overrules;
    }
    found
}

/// One row a line, so that a difference can be read.
fn pretty(value: &Value) -> String {
    let part = |(key, value): (&String, &Value)| match value.as_array().filter(|_| key == "rows") {
        Some(rows) => {
            let rows: Vec<_> = rows.iter().map(|row| format!("    {row}")).collect();
            format!("  \"rows\": [\n{}\n  ]", rows.join(",\n"))
        }
        None => format!("  {}: {value}", json!(key)),
    };
    let parts: Vec<_> = value.as_object().unwrap().iter().map(part).collect();
    format!("{{\n{}\n}}\n", parts.join(",\n"))
}

#[test]
fn every_file_of_the_corpus_is_read_as_a_person_reads_it() {
    let writes = std::env::var("HAYWARD_CORPUS").is_ok_and(|wish| wish == "write");
    let mut wrong = Vec::new();
    for (name, bytes) in files() {
        let expected = expected(&name);
        let found = found(&name, &bytes, expected.as_ref());
        if writes {
            std::fs::write(folder().join(format!("{name}{EXPECTED}")), pretty(&found)).unwrap();
        } else if expected.as_ref() != Some(&found) {
            let expected = expected.map_or("nothing: it has no expectation\n".to_owned(), |expected| pretty(&expected));
            wrong.push(format!("{name}: expected {expected}found {}", pretty(&found)));
        }
    }
    assert!(wrong.is_empty(), "{} files are read otherwise\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_expectation_has_its_file_and_there_are_sixty() {
    let files = files();
    assert!(files.len() >= 60, "{} files", files.len());
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if let Some(file) = name.strip_suffix(EXPECTED) {
            assert!(files.contains_key(file), "{file} is expected and not there");
        }
    }
}
