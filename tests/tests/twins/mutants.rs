//! Each seeded leak of the program, switched on, makes the twins differ: the comparison has teeth.
//!
//! A leak is switched on for a whole process, so each test takes one of its own: under nextest it has one already, otherwise it
//! runs itself again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use hayward_domain::mutants;
use hayward_tests::Kind;

use crate::oracles::{doors, existence, movement, names, searching, values};
use crate::twins::{Told, Twins};

/// Names the leak to a process that was started for it.
const VARIABLE: &str = "HAYWARD_MUTANT";

macro_rules! mutants {
    ($($name:ident $leak:literal => $oracle:path;)*) => {
        /// Every leak that is tested here.
        const TESTED: &[&str] = &[$($leak),*];

        $(mod $name {
            use super::*;

            #[test]
            fn sqlite() {
                caught(Kind::Sqlite, $leak, concat!("mutants::", stringify!($name), "::sqlite"), $oracle);
            }

            #[test]
            fn postgres() {
                caught(Kind::Postgres, $leak, concat!("mutants::", stringify!($name), "::postgres"), $oracle);
            }
        })*
    };
}

mutants! {
    a_treatment_that_is_not_applied_is_caught "treatment-ignored" => values::coarse_values;
    a_condition_that_is_not_applied_is_caught "condition-ignored" => values::counts;
    a_hidden_field_that_is_shown_is_caught "hidden-as-null" => values::filters;
    a_person_who_said_no_and_is_shown_is_caught "consent-ignored" => values::consent;
    rows_for_others_are_caught "other-audiences" => existence::other_recipients;
    an_agreement_that_is_over_and_answers_is_caught "revocation-ignored" => movement::suspended;
    a_hidden_name_that_is_a_name_is_caught "hidden-name-differs" => existence::errors;
    a_count_of_more_than_is_shared_is_caught "count-of-originals" => values::counts;
    an_etag_that_moves_with_hidden_commits_is_caught "etag-of-commit" => movement::etags;
    rows_in_the_order_of_the_file_are_caught "file-order" => movement::file_order;
    a_row_made_anew_for_a_hidden_edit_is_caught "rewritten-though-same" => movement::hidden_edits;
    a_removal_that_counts_the_commits_of_others_is_caught "tombstone-of-commit" => movement::tombstones;
    a_removal_that_says_when_is_caught "removal-says-when" => doors::removals;
    a_feed_that_stays_open_is_caught "feed-stays-open" => movement::suspended;
    a_cursor_that_anyone_may_use_is_caught "cursor-of-anyone" => doors::cursors;
    equal_rows_in_the_order_of_their_records_are_caught "ties-by-record" => movement::file_order;
    shares_kept_for_whoever_asks_next_are_caught "cached-across-principals" => doors::kept;
    a_pseudonym_without_the_agreements_key_is_caught "pseudonym-of-the-commons" => doors::pseudonyms;
    an_id_without_the_agreements_key_is_caught "ids-of-the-commons" => doors::pseudonyms;
    an_agreement_of_others_that_is_forbidden_is_caught "forbidden-differs" => existence::errors;
    an_entry_without_the_filters_is_caught "entry-forgets-filters" => doors::entries;
    a_scope_that_nobody_asks_for_is_caught "scope-ignored" => doors::scopes;
    a_token_that_outlives_its_time_is_caught "token-outlives-its-time" => doors::tokens;
    members_without_a_token_are_caught "members-are-public" => doors::members;
    an_agreement_that_anyone_may_read_is_caught "agreement-of-anyone" => existence::errors;
    terms_that_forget_their_rows_are_caught "absent-rows-mean-all" => doors::rows;
    a_hidden_field_that_counts_as_empty_is_caught "hidden-is-empty" => names::empty;
    a_heading_that_names_what_is_hidden_is_caught "heading-of-hidden" => names::headings;
    what_has_changed_with_any_commit_is_caught "since-of-commit" => searching::since;
    a_formula_in_a_spreadsheet_is_caught "formula-in-csv" => names::formulas;
}

fn caught(kind: Kind, leak: &str, test: &str, oracle: fn(&mut Twins) -> Told) {
    let alone = env::var("NEXTEST_EXECUTION_MODE").is_ok_and(|mode| mode == "process-per-test");
    if alone || env::var(VARIABLE).is_ok_and(|named| named == leak) {
        mutants::enable(leak).unwrap();
        let told = oracle(&mut Twins::new(kind).unwrap());
        assert!(told.is_err(), "nobody notices `{leak}`");
        return;
    }
    let again = Command::new(env::current_exe().unwrap()).args([test, "--exact"]).env(VARIABLE, leak).output().unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&again.stderr));
}

fn server() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../server"))
}

/// The leaks that the sources below `folder` name.
fn named_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named_in(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let leaks = text.split("mutants::on(\"").skip(1).filter_map(|rest| rest.split_once("\")"));
            // The sentence that explains how a leak is written has `name` where others have its name.
            found.extend(leaks.map(|(leak, _)| leak.to_owned()).filter(|leak| leak != "name"));
        }
    }
}

#[test]
fn every_seeded_leak_has_its_test() {
    let mut found = BTreeSet::new();
    named_in(server(), &mut found);
    assert_eq!(found, TESTED.iter().map(|leak| (*leak).to_owned()).collect());
}

#[test]
fn no_release_has_the_leaks() {
    for manifest in ["Cargo.toml", "domain/Cargo.toml", "store/Cargo.toml"] {
        let text = fs::read_to_string(server().join(manifest)).unwrap();
        let mut lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && line.contains("mutants"));
        let only = lines.next().unwrap();
        assert!(only.starts_with("mutants = [") && lines.next().is_none(), "{manifest} names `mutants` elsewhere");
        assert!(!text.lines().any(|line| line.starts_with("default = ")), "{manifest} has features by default");
    }
    let workspace = fs::read_to_string(server().join("../Cargo.toml")).unwrap();
    assert!(!workspace.contains("mutants"), "the workspace asks for the leaks");
}
