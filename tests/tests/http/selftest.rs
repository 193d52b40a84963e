//! `hayward selftest`: a program as it is passes, and one with a seeded leak fails where it leaks.

use std::process::Output;

use hayward_tests::{TestDatabase, on_both};
use serde_json::Value;

use crate::process::{printed, run};

/// Names a seeded leak to a program that was built with them.
const VARIABLE: &str = "HAYWARD_MUTANT";

fn tried(arguments: &[&str], leak: Option<&str>) -> (Output, Value) {
    let output = run(&[&["selftest", "--json"], arguments].concat(), |program| {
        program.env_remove(VARIABLE).env("HAYWARD_LOG", "error");
        if let Some(leak) = leak {
            program.env(VARIABLE, leak);
        }
    });
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let report = printed(&output);
    (output, report)
}

/// The checks that failed.
fn failed(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["ok"] == false).map(|check| check["name"].as_str().unwrap()).collect()
}

on_both! {
    fn a_program_as_it_is_passes_every_check(db: TestDatabase) {
        let (output, report) = tried(&["all", "--database-url", db.url()], None);
        assert_eq!(failed(&report), Vec::<&str>::new(), "{report}");
        assert_eq!((output.status.code(), &report["ok"]), (Some(0), &Value::Bool(true)));
        let names: Vec<&str> = report["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["routes", "canary", "preview", "twins", "accounting", "undo", "feed", "ledger"]);
        // A world is made in an empty place or not at all.
        let again = run(&["selftest", "routes", "--seed", "8", "--database-url", db.url()], |_| {});
        assert_eq!(again.status.code(), Some(2));
    }
}

/// Leaks that are open, and the check that says so.
macro_rules! noticed {
    ($($sentence:ident $leak:literal => $check:literal;)*) => {$(
        #[test]
        fn $sentence() {
            let (output, report) = tried(&[$check], Some($leak));
            assert_eq!((output.status.code(), failed(&report)), (Some(1), vec![$check]), "{report}");
            // It says what is wrong in a sentence, without a value.
            assert!(!output.stdout.windows(4).any(|bytes| bytes == b"ZQX-"), "{report}");
        }
    )*};
}

noticed! {
    a_treatment_that_is_not_applied_fails_the_canary "treatment-ignored" => "canary";
    a_condition_that_is_not_applied_fails_the_canary "condition-ignored" => "canary";
    a_hidden_field_that_is_shown_fails_the_canary "hidden-as-null" => "canary";
    rows_for_others_fail_the_canary "other-audiences" => "canary";
    an_etag_that_moves_with_hidden_commits_fails_the_twins "etag-of-commit" => "twins";
    a_row_made_anew_for_a_hidden_edit_fails_the_twins "rewritten-though-same" => "twins";
    a_feed_that_stays_open_fails_the_feed "feed-stays-open" => "feed";
    a_scope_that_nobody_asks_for_fails_the_routes "scope-ignored" => "routes";
}

#[test]
fn of_all_checks_the_one_that_fails_is_named() {
    let (output, report) = tried(&["all"], Some("members-are-public"));
    assert_eq!(output.status.code(), Some(1));
    assert!(failed(&report).contains(&"canary") && report["ok"] == false, "{report}");
}
