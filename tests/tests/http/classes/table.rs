//! `docs/leaks.md` names, for every class, the tests that hold it or the reason why it cannot occur here. This holds it to that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// How many classes there are.
const CLASSES: u32 = 54;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One row: its number, the advisories, and what stands in the last column.
struct Row {
    number: u32,
    evidence: String,
    held_by: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/leaks.md")).unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let row = |cells: Vec<String>| {
        let number = cells.first()?.parse().ok()?;
        assert_eq!(cells.len(), 4, "row {number} has a class, its evidence and what holds it");
        Some(Row { number, evidence: cells[2].clone(), held_by: cells[3].clone() })
    };
    text.lines().filter(|line| line.starts_with('|')).filter_map(|line| row(cells(line))).collect()
}

/// `path::test` in backticks, wherever it stands in a cell.
fn named(cell: &str) -> Vec<(String, String)> {
    let marked = cell.split('`').skip(1).step_by(2);
    let test = |word: &str| word.split_once(".rs::").map(|(path, test)| (format!("{path}.rs"), test.to_owned()));
    marked.filter_map(test).collect()
}

/// The tests that a file has: functions, and the sentences of the macros that make functions of them.
fn has(text: &str, test: &str) -> bool {
    let before_is_free = |at: usize| !text[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    let begins = |at: usize| {
        let after = text[at + test.len()..].trim_start();
        let function = text[..at].trim_end().ends_with("fn") && after.starts_with('(');
        function || after.starts_with("=>") || after.starts_with('"')
    };
    text.match_indices(test).any(|(at, _)| before_is_free(at) && begins(at))
}

#[test]
fn every_class_has_a_row_and_every_row_a_test_or_a_reason() {
    let rows = rows();
    let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=CLASSES).collect::<Vec<_>>());
    for row in &rows {
        assert!(!row.evidence.is_empty(), "class {} has no evidence", row.number);
        let tests = named(&row.held_by);
        // A sentence of its own, where it has no test.
        let reason = row.held_by.strip_prefix("Cannot occur: ").is_some_and(|reason| reason.split_whitespace().count() >= 8);
        assert!(!tests.is_empty() || reason, "class {} has neither a test nor a reason", row.number);
    }
}

#[test]
fn every_test_that_the_table_names_is_there() {
    for row in rows() {
        for (path, test) in named(&row.held_by) {
            let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|_| panic!("class {} names {path}", row.number));
            assert!(has(&text, &test), "class {} names `{test}`, which is not in {path}", row.number);
        }
    }
}

/// The classes that a comment names: `Class 34:`, `Classes 1, 2 and 12:`.
fn cited(comment: &str) -> BTreeSet<u32> {
    let Some((numbers, _)) = comment.split_once(':') else { return BTreeSet::new() };
    let words = numbers.strip_prefix("Class ").or_else(|| numbers.strip_prefix("Classes ")).unwrap_or_default();
    words.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn every_test_of_a_class_is_named_by_its_rows() {
    let mut named_by: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for row in rows() {
        for (_, test) in named(&row.held_by) {
            named_by.entry(test).or_default().insert(row.number);
        }
    }
    let mut seen = 0;
    for entry in fs::read_dir(root().join("tests/tests/http/classes")).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("table.rs") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for part in text.split("on_both! {").skip(1) {
            let comment: String =
                part.lines().map(str::trim).filter_map(|line| line.strip_prefix("/// ")).collect::<Vec<_>>().join(" ");
            let test = part.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(test, _)| test).unwrap();
            let head = part.split_once("fn ").map(|(head, _)| head).unwrap();
            assert!(head.contains("/// Class"), "`{test}` does not say which class it is for");
            let classes = cited(&comment);
            let rows = named_by.get(test).cloned().unwrap_or_default();
            assert!(
                !classes.is_empty() && classes.is_subset(&rows),
                "`{test}` is for {classes:?}, and the rows {rows:?} name it"
            );
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen} tests of classes were read");
}

#[test]
fn whoever_looks_for_the_table_finds_it() {
    for page in ["SECURITY.md", "README.md"] {
        assert!(fs::read_to_string(root().join(page)).unwrap().contains("docs/leaks.md"), "{page} leads to it");
    }
}
