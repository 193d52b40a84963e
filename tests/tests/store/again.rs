//! The same file again, and files that are committed at once: both come to what a comparison beforehand would.

use hayward_importers::{Absent, Blank, Matching};
use hayward_store::{Import, ImportState, Seen, StoreError};
use hayward_tests::commons::{Commons, DELETES};
use hayward_tests::{on_both, raw};
use proptest::prelude::*;
use serde_json::Value;

use crate::chance;
use crate::imports::{counts, file};

/// Rows of every kind: good, without a required value, with a mistake, twice the same, twice with one key, blank.
const MIXED: &str = "identifier,name,founded_on\n1,Alder,2001-02-03\n2,,2001-02-03\n3,Cedar,2001-02-30\n1,Alder,2001-02-03\n\
                     4,Dogwood,2001-02-03\n4,Elm,2001-02-03\n,,\n";

/// What an import came to: its counts and its problems.
fn outcome(commons: &Commons, import: &Import) -> ([u64; 8], i64, Vec<Value>) {
    (counts(import), import.problem_count, commons.store.problems(import, 0, 1_000).unwrap())
}

on_both! {
    fn the_same_file_again_is_counted_as_a_comparison_would(commons: Commons) {
        let a = commons.organization("a");
        let mut runner = chance::runner(25);
        let files = (file(), file(), any::<bool>(), any::<bool>());
        runner
            .run(&files, |(before, file, deletes, clears)| {
                let list = commons.dataset(&a, "organization");
                let decide = |matching: &mut Matching| {
                    matching.absent = if deletes { Absent::Delete } else { Absent::Keep };
                    matching.blank = if clears { Blank::Clear } else { Blank::Keep };
                };
                commons.import_csv(&list, &before);
                commons.import_with(&list, &file, decide);
                let again = commons.import_with(&list, &file, decide);
                // Under another name it is another file, and compared.
                let other = commons.keep(&list, "other.csv", &file);
                commons.store.read_import(&other).unwrap();
                let other = commons.rematch(&list, &commons.again(&list, &other), decide);
                prop_assert_eq!(outcome(&commons, &again), outcome(&commons, &other));
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn the_same_file_again_is_not_read_while_the_list_is_as_it_left_it(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let first = commons.import_csv(&list, MIXED);
        let unread = |name: &str| {
            let import = commons.keep(&list, name, MIXED);
            raw::tell(commons.database(), &format!("delete from import_chunks where import = '{}'", import.id));
            import
        };
        let again = unread("list.csv");
        commons.store.read_import(&again).unwrap();
        let again = commons.again(&list, &again);
        assert_eq!(again.state, ImportState::Checked);
        assert_eq!((counts(&first), counts(&again)), ([7, 2, 0, 0, 1, 3, 1, 0], [7, 0, 0, 2, 1, 3, 1, 0]));
        commons.store.commit_import(&again, Seen::default()).unwrap();
        assert_eq!(commons.edition(&list), 1);
        // Now the list says something else, and the file is looked at.
        commons.import_csv(&list, "identifier,name\n1,Ash\n");
        assert_eq!(counts(&commons.import_csv(&list, MIXED)), [7, 0, 1, 1, 1, 3, 1, 0]);
    }
}

on_both! {
    fn what_another_program_has_read_is_read_again(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, MIXED);
        raw::tell(commons.database(), "update imports set read_by = 'an earlier one'");
        let import = commons.keep(&list, "list.csv", MIXED);
        raw::tell(commons.database(), &format!("delete from import_chunks where import = '{}'", import.id));
        commons.store.read_import(&import).unwrap();
        assert_eq!(commons.again(&list, &import).state, ImportState::Failed);
    }
}

on_both! {
    fn a_file_that_is_committed_at_once_comes_to_what_it_would_have(commons: Commons) {
        let a = commons.organization("a");
        let mut runner = chance::runner(25);
        runner
            .run(&(file(), file(), any::<bool>()), |(before, file, deletes)| {
                let lists = [commons.dataset(&a, "organization"), commons.dataset(&a, "organization")];
                let [slowly, at_once] = &lists;
                lists.iter().for_each(|list| drop(commons.import_csv(list, &before)));
                let absent = if deletes { Absent::Delete } else { Absent::Keep };
                let one = commons.import_with(slowly, &file, |matching| matching.absent = absent);
                let other = commons.keep(at_once, "list.csv", &file);
                let matching = Matching { absent, ..Matching::default() };
                prop_assert!(commons.store.import_at_once(&other, Some(matching), DELETES).unwrap().is_empty());
                let other = commons.again(at_once, &other);
                prop_assert_eq!((one.state, one.edition), (other.state, other.edition));
                prop_assert_eq!(outcome(&commons, &one), outcome(&commons, &other));
                let bare = |list| {
                    let mut records = commons.own(list);
                    records.iter_mut().for_each(|record| drop(record.as_object_mut().unwrap().remove("id")));
                    records
                };
                prop_assert_eq!(bare(slowly), bare(at_once));
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn a_file_that_cannot_be_committed_at_once_waits_to_be(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let undecided = commons.keep(&list, "list.csv", "identifier,name,Something of our own\n1,Alder,x\n");
        assert!(commons.store.import_at_once(&undecided, None, Seen::default()).unwrap().is_empty());
        let undecided = commons.again(&list, &undecided);
        assert_eq!((undecided.state, counts(&undecided)[1]), (ImportState::Draft, 1));

        let nonsense = Matching { key: Some(vec!["nothing".to_owned()]), ..Matching::default() };
        let faulty = commons.keep(&list, "list.csv", MIXED);
        assert!(!commons.store.import_at_once(&faulty, Some(nonsense), Seen::default()).unwrap().is_empty());
        assert_eq!(commons.again(&list, &faulty).state, ImportState::Checked);
        commons.store.commit_import(&commons.again(&list, &faulty), Seen::default()).unwrap();

        let late = commons.keep(&list, "list.csv", "identifier,name\n9,Yew\n,Ash\n");
        let until = commons.now().plus(std::time::Duration::from_secs(20)).0;
        raw::tell(commons.database(), &format!("update claims set token = token + 1, purpose = 'import', until = {until}"));
        assert!(matches!(commons.store.import_at_once(&late, None, Seen::default()), Err(StoreError::Busy(_))));
        let late = commons.again(&list, &late);
        assert_eq!((late.state, counts(&late), late.problem_count), (ImportState::Checked, [2, 1, 0, 0, 0, 1, 0, 0], 1));
    }
}
