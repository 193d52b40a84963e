//! Giving an import up: at any point, and then nothing of it is there.

use hayward_store::{ImportState, Seen, StoreError};
use hayward_tests::commons::Commons;
use hayward_tests::on_both;

use crate::claims::{SECOND, cells, serially, settled, shared, watched};
use crate::raw;

fn is_given_up<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Refused { code: "cancelled", .. }))
}

on_both! {
    fn an_import_that_is_given_up_while_it_is_committed_leaves_all_or_nothing(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let (list, done) = (shared(&commons, &a, &b), serially(&commons, &a, &[crate::claims::BASE, SECOND]));
        let before = (cells(&commons, &list), commons.list(&b.viewer, "organizations"));
        let (mut given_up, mut through) = (0, false);
        for at in 0..40 {
            let import = commons.upload(&list, SECOND);
            let (other, same) = (commons.another_store().unwrap(), commons.again(&list, &import));
            let store = watched(&commons, move |asked| {
                if asked == at {
                    // Once it is committed there is nothing to give up.
                    drop(other.cancel_import(&same));
                }
            });
            let result = store.commit_import(&import, Seen::default());
            let now = commons.again(&list, &import);
            if result.is_ok() {
                assert_eq!((now.state, cells(&commons, &list)), (ImportState::Committed, done));
                settled(&commons, &a, &list);
                through = true;
                break;
            }
            assert_eq!(now.state, ImportState::Cancelled, "{:?}", result.err());
            assert_eq!((cells(&commons, &list), commons.list(&b.viewer, "organizations")), before);
            settled(&commons, &a, &list);
            assert_eq!(raw::count(commons.database(), "import_chunks"), 0, "its file is dropped");
            given_up += usize::from(is_given_up(&result));
        }
        assert!(through, "the import has fewer steps than that");
        assert!(given_up > 3, "it can be given up after it has begun to write");
    }
}

on_both! {
    fn an_import_that_is_given_up_while_it_is_read_stays_so(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let mut through = false;
        for at in 0..20 {
            let import = commons.keep(&list, "list.csv", SECOND);
            let (other, same) = (commons.another_store().unwrap(), commons.again(&list, &import));
            let store = watched(&commons, move |asked| {
                if asked == at {
                    drop(other.cancel_import(&same));
                }
            });
            let result = store.read_import(&import);
            if result.is_ok() {
                assert!(at > 0, "it can be given up while it is read");
                assert_eq!(commons.again(&list, &import).state, ImportState::Checked);
                through = true;
                break;
            }
            assert!(is_given_up(&result));
            assert_eq!(commons.again(&list, &import).state, ImportState::Cancelled);
        }
        assert!(through, "reading has fewer steps than that");
    }
}

on_both! {
    fn what_is_over_is_not_given_up_and_what_was_given_up_can_be_sent_again(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let import = commons.upload(&list, "identifier,name,country\n1,Alder,ES\n2,Birch,Atlantis\n");
        commons.store.cancel_import(&import).unwrap();
        let cancelled = commons.again(&list, &import);
        assert!(commons.store.problems(&cancelled, 0, 10).unwrap().is_empty());
        assert!(commons.store.problem_groups(&cancelled, 0, 10).unwrap().is_empty());
        for result in [
            commons.store.cancel_import(&cancelled),
            commons.store.commit_import(&cancelled, Seen::default()),
            commons.store.rematch_import(&cancelled, hayward_importers::Matching::default()).map(drop),
            commons.store.reread_import(&cancelled, &hayward_importers::Overrules::default()).map(drop),
        ] {
            assert!(matches!(result, Err(StoreError::Refused { code: "wrong-state", .. } | StoreError::Refused { code: "cancelled", .. })));
        }
        let again = commons.import_csv(&list, "identifier,name,country\n1,Alder,ES\n2,Birch,Atlantis\n");
        assert_ne!(again.id, import.id);
        assert_eq!((again.state, commons.own(&list).len()), (ImportState::Committed, 1));
        assert!(matches!(commons.store.cancel_import(&again), Err(StoreError::Refused { code: "wrong-state", .. })));
    }
}
