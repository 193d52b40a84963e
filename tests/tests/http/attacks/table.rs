//! `docs/oauth.md` names, for every attack, the tests that hold it or the reason why it cannot occur here. This holds it to that.

use crate::table;

const DOCUMENT: &str = "docs/oauth.md";

/// How many attacks there are.
const ATTACKS: u32 = 25;

#[test]
fn every_attack_has_a_row_and_every_row_a_test_or_a_reason() {
    table::is_whole(DOCUMENT, ATTACKS);
    table::names_what_is_there(DOCUMENT);
}

#[test]
fn every_test_of_an_attack_is_named_by_its_rows() {
    let seen = table::is_cited("tests/tests/http/attacks", DOCUMENT, ["Attack", "Attacks"]);
    assert!(seen >= 12, "{seen} tests of attacks were read");
}
