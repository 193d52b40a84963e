//! Programs that die in the middle, or are thought dead and wake up: nobody sees half of anything, and the next writer tidies up.
//!
//! A writer looks at the clock before each of its small transactions. That is where these tests get in between.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use hayward_importers::Absent;
use hayward_store::{Import, Seen, Store, StoreError};
use hayward_tests::commons::{Commons, DELETES, List, Member, To};
use hayward_tests::on_both;
use serde_json::json;

use crate::claims::{BASE, FIRST, SECOND, cells, serially, settled, shared, watched};
use crate::raw;

/// Runs `work` with a store that dies at the `at`-th look at the clock. Whether it got through alive.
fn dies(commons: &Commons, at: usize, work: impl FnOnce(&Arc<Store>)) -> bool {
    // Not a panic: it is meant, and would only print.
    let store = watched(commons, move |asked| {
        if asked == at {
            resume_unwind(Box::new("dead"))
        }
    });
    catch_unwind(AssertUnwindSafe(|| work(&store))).is_ok()
}

/// Ends the agreements about a list, so that the next one is looked at alone.
fn end_all(commons: &Commons, a: &Member, list: &List) {
    let of = format!("agreements a join datasets d on d.number = a.dataset where d.id = '{}'", list.id);
    for agreement in raw::ask(commons.database(), &format!("select a.id as value from {of}")) {
        let agreement = hayward_domain::id::AgreementId::parse(&agreement).unwrap();
        commons.decide(&a.steward, &agreement, 1, hayward_store::Decision::End).unwrap();
    }
}

on_both! {
    fn a_program_that_dies_during_an_import_leaves_all_or_nothing(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let delete = |matching: &mut hayward_importers::Matching| matching.absent = Absent::Delete;
        let mut survived = false;
        for at in 0..40 {
            let list = shared(&commons, &a, &b);
            let import = commons.upload(&list, SECOND);
            let import = commons.rematch(&list, &import, delete);
            let before = (cells(&commons, &list), commons.list(&b.viewer, "organizations"));
            survived = dies(&commons, at, |store| store.commit_import(&import, DELETES).unwrap());
            if survived {
                break;
            }
            // Nobody sees any of it, and nobody has to wait for longer than the lease.
            assert_eq!((cells(&commons, &list), commons.list(&b.viewer, "organizations")), before);
            commons.pass(Duration::from_secs(61));
            commons.store.mark_interrupted().unwrap();
            let import = commons.again(&list, &import);
            commons.store.commit_import(&import, DELETES).unwrap();
            assert_eq!(cells(&commons, &list), serially(&commons, &a, &[SECOND]));
            settled(&commons, &a, &list);
            end_all(&commons, &a, &list);
        }
        assert!(survived, "the import has fewer steps than that");
    }
}

on_both! {
    fn a_program_that_dies_while_undoing_or_opening_leaves_all_or_nothing(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let (mut undone, mut opened, mut at) = (false, false, 0);
        while !(undone && opened) {
            assert!(at < 40, "they have fewer steps than that");
            let list = shared(&commons, &a, &b);
            let before = cells(&commons, &list);
            let import = commons.import_csv(&list, SECOND);
            let agreement = commons.propose(&a.steward, &commons.terms(&list, To::Public, &json!({}))).unwrap();
            commons.decide(&a.steward, &agreement, 1, hayward_store::Decision::Approve).unwrap();
            opened = opened || dies(&commons, at, |store| assert_eq!(store.build_due().unwrap(), 1));
            commons.pass(Duration::from_secs(31));
            undone = undone || dies(&commons, at, |store| assert_eq!(store.undo_import(&import, None).unwrap().kept, 0));
            commons.pass(Duration::from_secs(31));
            if commons.again(&list, &import).state == hayward_store::ImportState::Committed {
                commons.undo(&list, &import);
            }
            commons.store.build_due().unwrap();
            assert_eq!((commons.state(&a, &agreement, 1).as_str(), cells(&commons, &list)), ("active", before));
            settled(&commons, &a, &list);
            end_all(&commons, &a, &list);
            at += 1;
        }
    }
}

on_both! {
    fn a_writer_that_was_thought_dead_writes_nothing_more(commons: Commons) {
        let commons = Arc::new(commons);
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let [late_only, then_first] = [&[BASE, SECOND][..], &[BASE, SECOND, FIRST]].map(|files| serially(&commons, &a, files));
        let first_then = serially(&commons, &a, &[BASE, FIRST, SECOND]);
        let (mut fenced, mut through) = (0, false);
        for at in 0..40 {
            let list = shared(&commons, &a, &b);
            let (import, late) = (commons.upload(&list, FIRST), commons.upload(&list, SECOND));
            let (world, other) = (Arc::clone(&commons), commons.another_store().unwrap());
            let store = watched(&commons, move |asked| {
                if asked == at {
                    world.pass(Duration::from_secs(31));
                    other.commit_import(&late, Seen::default()).unwrap();
                }
            });
            let result = store.commit_import(&import, Seen::default());
            let now = cells(&commons, &list);
            match result {
                Err(StoreError::Fenced) => {
                    fenced += 1;
                    assert_eq!(now, late_only);
                }
                Err(other) => unreachable!("{other}"),
                Ok(()) if commons.edition(&list) == 2 => {
                    // It took fewer looks than that, and the other never came.
                    through = true;
                    break;
                }
                Ok(()) => assert!(now == then_first || now == first_then),
            }
            settled(&commons, &a, &list);
            // What was lost can be done again.
            let import: Import = commons.again(&list, &import);
            if import.committed_edition.is_none() {
                commons.pass(Duration::from_secs(61));
                commons.store.mark_interrupted().unwrap();
                commons.store.commit_import(&commons.again(&list, &import), Seen::default()).unwrap();
                assert_eq!(cells(&commons, &list), then_first);
            }
            end_all(&commons, &a, &list);
        }
        assert!(through && fenced > 3);
    }
}
