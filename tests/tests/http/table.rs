//! Tables in our documents that name, for every class of mistake or attack, the tests that hold it or the reason why it cannot occur.
//! This holds such a table to the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One row: its number, what speaks for it, and what stands in the last column.
pub struct Row {
    pub number: u32,
    evidence: String,
    held_by: String,
}

/// The rows of `document` that begin with a number and have four cells.
pub fn rows(document: &str) -> Vec<Row> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let row = |cells: Vec<String>| {
        let number = cells.first()?.parse().ok()?;
        assert_eq!(cells.len(), 4, "row {number} of {document} has a class, its evidence and what holds it");
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

/// Insists that rows are numbered from 1 to `count`, and that each has a test or a reason.
pub fn is_whole(document: &str, count: u32) {
    let rows = rows(document);
    let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "{document}");
    for row in &rows {
        assert!(!row.evidence.is_empty(), "class {} of {document} has no evidence", row.number);
        let tests = named(&row.held_by);
        // A sentence of its own, where it has no test.
        let reason = row.held_by.strip_prefix("Cannot occur: ").is_some_and(|reason| reason.split_whitespace().count() >= 8);
        assert!(!tests.is_empty() || reason, "class {} of {document} has neither a test nor a reason", row.number);
    }
}

/// Insists that the tests are there that a document names.
pub fn names_what_is_there(document: &str) {
    for row in rows(document) {
        for (path, test) in named(&row.held_by) {
            let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|_| panic!("class {} names {path}", row.number));
            assert!(has(&text, &test), "class {} of {document} names `{test}`, which is not in {path}", row.number);
        }
    }
}

/// By which rows of a document each test is named.
pub fn named_by(document: &str) -> BTreeMap<String, BTreeSet<u32>> {
    let mut named_by: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for row in rows(document) {
        for (_, test) in named(&row.held_by) {
            named_by.entry(test).or_default().insert(row.number);
        }
    }
    named_by
}

/// The tests in the files of a folder, with the comment that each has, but for those in `table.rs`.
pub fn tests_in(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("table.rs") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for part in text.split("on_both! {").skip(1) {
            let (head, rest) = part.split_once("fn ").unwrap();
            let comment: Vec<&str> = head.lines().map(str::trim).filter_map(|line| line.strip_prefix("/// ")).collect();
            found.push((rest.split_once('(').unwrap().0.to_owned(), comment.join(" ")));
        }
    }
    found
}

/// The numbers that a comment names after one of the words: `Class 34:`, `Classes 1, 2 and 12:`.
pub fn cited(comment: &str, words: [&str; 2]) -> BTreeSet<u32> {
    let Some((numbers, _)) = comment.split_once(':') else { return BTreeSet::new() };
    let words = words.iter().find_map(|word| numbers.strip_prefix(&format!("{word} "))).unwrap_or_default();
    words.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// Insists that every test of a folder says which rows it is for, and that these name it. Returns how many there are.
pub fn is_cited(folder: &str, document: &str, words: [&str; 2]) -> usize {
    let (named_by, tests) = (named_by(document), tests_in(folder));
    for (test, comment) in &tests {
        let classes = cited(comment, words);
        let rows = named_by.get(test).cloned().unwrap_or_default();
        assert!(
            !classes.is_empty() && classes.is_subset(&rows),
            "`{test}` is for {classes:?}, and the rows {rows:?} of {document} name it"
        );
    }
    tests.len()
}
