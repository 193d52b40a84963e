//! A connection that one caller's request broke is not the next caller's.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayward_store::{ShareQuery, StoreError, Viewer};
use hayward_tests::commons::{Commons, To};
use hayward_tests::on_both;
use serde_json::json;

on_both! {
    /// Class 48: whatever goes wrong in the middle of one caller's snapshot, the next one sees with its own eyes, and one's own
    /// organization with its own.
    fn a_request_that_breaks_off_leaves_nothing_to_the_next(commons: Commons) {
        let (a, b, c) = (commons.organization("a"), commons.organization("b"), commons.organization("c"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n");
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        commons.agree(&a, To::One(&c), &list, &json!({"fields": {"city": "exact"}}));
        let shown = |viewer: &Viewer, field: &str| {
            let items = commons.list(viewer, "organizations");
            items.iter().filter(|item| item.get(field).is_some()).count()
        };
        // As many as the pool may lend at a time, and more.
        for turn in 0..24 {
            let broken = catch_unwind(AssertUnwindSafe(|| {
                commons.store.view::<(), StoreError>(&b.viewer, |view| {
                    view.shares("organizations", &ShareQuery::default(), view.commit)?;
                    match turn % 2 {
                        0 => std::panic::resume_unwind(Box::new("a handler that panics")),
                        _ => Err(StoreError::NotFound),
                    }
                })
            }));
            assert_eq!(broken.is_err(), turn % 2 == 0);
            assert_eq!((shown(&c.viewer, "name"), shown(&c.viewer, "city")), (0, 2));
            assert_eq!((shown(&b.viewer, "name"), shown(&b.viewer, "city")), (2, 0));
            assert_eq!(commons.list(&Viewer::Nobody, "organizations").len(), 0);
            assert_eq!(commons.own(&list).len(), 2, "an organization's own list is not read under the recipients' role");
        }
    }
}
