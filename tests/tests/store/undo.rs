//! Taking an import back: as if it had never been, in the originals and in every share.

use std::collections::BTreeSet;

use hayward_importers::{Absent, Blank};
use hayward_store::{ImportState, Seen, StoreError};
use hayward_tests::commons::{Commons, List, Member, To};
use hayward_tests::on_both;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::chance;
use crate::imports::{counts, file};

/// What a viewer gets, without the envelope's edition and in no order: undo is a new edition, and new rows stand at the end.
fn shown(commons: &Commons, viewer: &Member) -> BTreeSet<String> {
    let items = commons.list(&viewer.viewer, "organizations");
    let count = items.len();
    let bare = |mut item: Value| {
        drop(item.as_object_mut().unwrap().remove("edition"));
        item.to_string()
    };
    let set: BTreeSet<String> = items.into_iter().map(bare).collect();
    assert_eq!(set.len(), count, "an item is listed once");
    set
}

/// Three shares of one list: treated, under a condition, and with ids of their own.
fn share(commons: &Commons, a: &Member, b: &Member, list: &List) {
    let fields = json!({"identifier": "pseudonym", "name": "masked", "founded_on": {"generalised": "year"}, "city": "exact"});
    commons.agree(a, To::One(b), list, &json!({"fields": fields}));
    let few =
        json!({"rows": {"member_count": {"gte": 50}}, "fields": {"name": "exact", "member_count": {"generalised": "band:10"}}});
    commons.agree(a, To::Members, list, &few);
    commons.agree(a, To::Public, list, &json!({"record_id": "pseudonym", "fields": {"name": "exact"}}));
}

on_both! {
    fn undoing_an_import_restores_every_byte(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let mut runner = chance::runner(16);
        runner
            .run(&(file(), file(), any::<bool>(), any::<bool>()), |(first, second, deletes, clears)| {
                let list = commons.dataset(&a, "organization");
                share(&commons, &a, &b, &list);
                commons.import_csv(&list, &first);
                let (own, partner) = (commons.own(&list), shown(&commons, &b));
                let import = commons.import_with(&list, &second, |matching| {
                    matching.absent = if deletes { Absent::Delete } else { Absent::Keep };
                    matching.blank = if clears { Blank::Clear } else { Blank::Keep };
                });
                prop_assert_eq!(commons.undo(&list, &import), 0);
                prop_assert_eq!(commons.own(&list), own);
                prop_assert_eq!(shown(&commons, &b), partner);
                prop_assert_eq!(commons.again(&list, &import).state, ImportState::Undone);
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn files_a_b_a_end_as_a(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        share(&commons, &a, &b, &list);
        let file = "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n";
        let all = |matching: &mut hayward_importers::Matching| (matching.absent, matching.blank) = (Absent::Delete, Blank::Clear);
        commons.import_with(&list, file, all);
        let (own, partner) = (commons.own(&list), shown(&commons, &b));
        commons.import_with(&list, "identifier,name,city\n2,Birch,\n1,Ash,Leeds\n", all);
        assert_ne!(commons.own(&list), own);
        commons.import_with(&list, file, all);
        assert_eq!((commons.own(&list), shown(&commons, &b)), (own, partner));
    }
}

on_both! {
    fn what_a_file_removed_comes_back_under_its_ids(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        share(&commons, &a, &b, &list);
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n3,Cedar,Hull\n");
        let (own, partner) = (commons.own(&list), shown(&commons, &b));
        let import = commons.import_with(&list, "identifier,name\n2,Birch\n", |matching| matching.absent = Absent::Delete);
        assert_eq!(counts(&import)[7], 2);
        assert_eq!(commons.own(&list).len(), 1);
        assert_eq!(commons.undo(&list, &import), 0);
        assert_eq!((commons.own(&list), shown(&commons, &b)), (own, partner));
    }
}

on_both! {
    fn a_key_that_comes_back_is_the_record_it_was(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        share(&commons, &a, &b, &list);
        let file = "identifier,name,member_count\n1,Alder,60\n2,Birch,70\n3,Cedar,80\n";
        commons.import_csv(&list, file);
        let (own, partner) = (commons.own(&list), shown(&commons, &b));
        // Who may see many members only is not to know which of the two was gone, neither now nor when both are back.
        let without = "identifier,name,member_count\n1,Alder,60\n3,Cedar,9\n";
        commons.import_with(&list, without, |matching| matching.absent = Absent::Delete);
        let again = commons.import_csv(&list, file);
        assert_eq!((commons.own(&list), shown(&commons, &b)), (own, partner.clone()));
        // It was made by that file all the same, and goes with it.
        commons.undo(&list, &again);
        assert_eq!(commons.own(&list).len(), 2);
        commons.import_csv(&list, file);
        assert_eq!(shown(&commons, &b), partner);
    }
}

on_both! {
    fn undoing_an_older_import_keeps_what_was_edited_since(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n");
        let import =
            commons.import_csv(&list, "identifier,name,city\n1,Alder,Bath\n2,Birch,Bath\n3,Cedar,Bath\n4,Dogwood,Bath\n");
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Ripon\n3,Cedar,Ripon\n");
        assert_eq!(commons.undo(&list, &import), 2);
        let cities: Vec<Value> = commons.own(&list).iter().map(|record| record["city"].clone()).collect();
        assert_eq!(cities, ["Ripon", "York", "Ripon"]);
    }
}

on_both! {
    fn an_import_is_undone_once_and_only_after_its_commit(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        let import = commons.upload(&list, "identifier,name\n1,Alder\n");
        let refused = |import: &hayward_store::Import| {
            matches!(commons.store.undo_import(import, None), Err(StoreError::Refused { code: "wrong-state", .. }))
        };
        assert!(refused(&import));
        commons.store.commit_import(&import, Seen::default()).unwrap();
        let stale = commons.again(&list, &import);
        commons.undo(&list, &import);
        assert!(refused(&commons.again(&list, &import)));
        // Somebody who still has the page open.
        assert!(refused(&stale));
        assert_eq!(commons.edition(&list), 2);
        commons.import_csv(&list, "identifier,name\n2,Birch\n");
        assert_eq!(commons.own(&list).len(), 1);
    }
}
