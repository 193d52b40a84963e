//! Old editions go; what is live stays, and who comes from before is told so.

use std::time::Duration;

use hayward_importers::Absent;
use hayward_store::{ChangesFrom, Seen, ShareQuery, StoreError};
use hayward_tests::commons::{Commons, Member, To};
use hayward_tests::on_both;
use serde_json::json;

use crate::raw;

const WINDOW: Duration = Duration::from_secs(90 * 86_400);

fn honours(commons: &Commons, to: &Member, at: i64) -> bool {
    let honoured = commons.store.view::<_, StoreError>(&to.viewer, |view| view.honours(at));
    assert!(matches!(honoured, Ok(()) | Err(StoreError::Stale(_))));
    honoured.is_ok()
}

fn feed(commons: &Commons, to: &Member, seen: i64) -> Result<usize, StoreError> {
    let from = ChangesFrom { seen, ..ChangesFrom::default() };
    commons
        .store
        .view(&to.viewer, |view| Ok(view.changes(&["organizations".to_owned()], &ShareQuery::default(), from, 100)?.items.len()))
}

on_both! {
    fn pruning_changes_nothing_that_is_live(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let first = commons.import_csv(&list, "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n3,Cedar,Hull\n");
        let old = commons.store.newest_commit().unwrap();
        commons.pass_days(60);
        let second = commons.import_with(&list, "identifier,name,city\n1,Alder,Bath\n2,Birch,York\n", |matching| {
            matching.absent = Absent::Delete
        });
        let kept = commons.store.newest_commit().unwrap();
        commons.pass_days(60);
        let third = commons.import_csv(&list, "identifier,name,city\n1,Alder,Ripon\n");
        let (own, shown) = (commons.own(&list), commons.list(&b.viewer, "organizations"));
        // The window begins between the first and the second: what the first made and the second replaced must stay for it.
        assert_eq!(commons.store.prune(WINDOW).unwrap(), 0);
        assert!(honours(&commons, &b, old));
        commons.pass_days(45);
        assert!(commons.store.prune(WINDOW).unwrap() > 0);
        assert_eq!((commons.own(&list), commons.list(&b.viewer, "organizations")), (own.clone(), shown.clone()));
        assert!(!honours(&commons, &b, old) && honours(&commons, &b, kept));
        assert!(matches!(feed(&commons, &b, old), Err(StoreError::Stale(_))));
        assert_eq!((feed(&commons, &b, kept).unwrap(), feed(&commons, &b, 0).unwrap()), (1, 2));
        assert_eq!(raw::count(commons.database(), "records where body like '%Hull%' or body like '%Leeds%'"), 0);
        assert_eq!(raw::count(commons.database(), "shared_records where payload like '%Hull%' or payload like '%Leeds%'"), 0);
        // What was replaced is gone, so it is not brought back, and nothing is taken for new that was not.
        for import in [&first, &second] {
            let undone = commons.store.undo_import(&commons.again(&list, import), None);
            assert!(matches!(undone, Err(StoreError::Refused { code: "too-old", .. })));
        }
        assert_eq!((commons.own(&list), commons.list(&b.viewer, "organizations")), (own, shown));
        commons.undo(&list, &third);
        assert_eq!(commons.own(&list)[0]["city"], "Bath");
        assert_eq!(commons.store.prune(WINDOW).unwrap(), 0);
    }
}

on_both! {
    fn a_draft_that_nobody_committed_loses_its_file(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name\n1,Alder\n");
        let draft = commons.upload(&list, "identifier,name\n2,Birch\n");
        assert_eq!(raw::count(commons.database(), "import_chunks"), 1);
        commons.pass_days(100);
        commons.store.prune(WINDOW).unwrap();
        assert_eq!(raw::count(commons.database(), "import_chunks"), 0);
        assert!(commons.store.commit_import(&commons.again(&list, &draft), Seen::default()).is_err());
        assert_eq!(commons.edition(&list), 1);
    }
}

on_both! {
    fn what_a_commit_that_died_behind_its_last_step_left_goes_at_the_next_start(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let import = commons.import_csv(&list, "identifier,name\n1,Alder\n");
        // As if its file had never been dropped.
        commons.upload(&list, "identifier,name\n2,Birch\n");
        raw::tell(commons.database(), &format!("update import_chunks set import = '{}'", import.id));
        let next = commons.another_store().unwrap();
        next.tidy_due().unwrap();
        assert_eq!(raw::count(commons.database(), "import_chunks"), 0);
        assert_eq!(next.tidy_due().unwrap(), 0);
    }
}

on_both! {
    fn a_file_is_kept_for_the_rows_that_did_not_go_in(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let pieces = || raw::count(commons.database(), "import_chunks");
        let wrong = |key: i64| format!("identifier,name,founded_on\n{key},Alder,\n{},Birch,someday\n", key + 1);
        commons.import_csv(&list, &wrong(1));
        assert_eq!(pieces(), 1);
        commons.pass_days(29);
        commons.store.prune(WINDOW).unwrap();
        assert_eq!(pieces(), 1);
        commons.pass_days(2);
        commons.store.prune(WINDOW).unwrap();
        assert_eq!(pieces(), 0, "after thirty days it goes");
        // What goes in next overtakes it, and so does taking it back.
        commons.import_csv(&list, &wrong(3));
        let second = commons.import_csv(&list, &wrong(5));
        assert_eq!(pieces(), 1);
        commons.undo(&list, &second);
        assert_eq!(pieces(), 0);
        commons.import_csv(&list, &wrong(7));
        commons.import_csv(&list, "identifier,name\n9,Cedar\n");
        assert_eq!(pieces(), 0);
    }
}
