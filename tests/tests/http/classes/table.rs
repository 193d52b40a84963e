//! `docs/leaks.md` names, for every class, the tests that hold it or the reason why it cannot occur here. This holds it to that.

use std::fs;

use crate::table;

const DOCUMENT: &str = "docs/leaks.md";

/// How many classes there are.
const CLASSES: u32 = 54;

#[test]
fn every_class_has_a_row_and_every_row_a_test_or_a_reason() {
    table::is_whole(DOCUMENT, CLASSES);
}

#[test]
fn every_test_that_the_table_names_is_there() {
    table::names_what_is_there(DOCUMENT);
}

#[test]
fn every_test_of_a_class_is_named_by_its_rows() {
    let seen = table::is_cited("tests/tests/http/classes", DOCUMENT, ["Class", "Classes"]);
    assert!(seen >= 15, "{seen} tests of classes were read");
}

#[test]
fn whoever_looks_for_the_table_finds_it() {
    for page in ["SECURITY.md", "README.md"] {
        assert!(fs::read_to_string(table::root().join(page)).unwrap().contains("docs/leaks.md"), "{page} leads to it");
    }
}
