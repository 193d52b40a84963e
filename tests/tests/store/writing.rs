//! Writing much: the short way to know what is unchanged, many small steps, and clearing up after a big one that died.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hayward_importers::{Absent, Blank};
use hayward_store::Seen;
use hayward_tests::commons::Commons;
use hayward_tests::on_both;
use proptest::prelude::*;

use crate::claims::{BASE, cells, settled, shared, watched};
use crate::imports::{counts, file};
use crate::{chance, raw};

/// Rows `from..to` of a list whose cities are all called so.
fn rows(from: usize, to: usize, city: &str) -> String {
    let rows: String = (from..to).map(|at| format!("{at:06},Co-op {at},{city}\n")).collect();
    format!("identifier,name,city\n{rows}")
}

on_both! {
    fn what_a_hash_says_is_unchanged_is_unchanged(commons: Commons) {
        let a = commons.organization("a");
        let mut runner = chance::runner(24);
        runner
            .run(&(file(), file(), any::<bool>(), any::<bool>()), |(first, second, deletes, clears)| {
                let list = commons.dataset(&a, "organization");
                commons.import_csv(&list, &first);
                let change = |matching: &mut hayward_importers::Matching| {
                    matching.absent = if deletes { Absent::Delete } else { Absent::Keep };
                    matching.blank = if clears { Blank::Clear } else { Blank::Keep };
                };
                let draft = commons.upload(&list, &second);
                let by_hash = counts(&commons.rematch(&list, &draft, change));
                // As an older program left it: every body is read and compared.
                raw::tell(commons.database(), "update records set hash = null");
                let by_body = counts(&commons.rematch(&list, &commons.again(&list, &draft), change));
                prop_assert_eq!(by_hash, by_body);
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn a_record_that_an_older_program_wrote_gets_its_hash_when_it_changes(commons: Commons) {
        let a = commons.organization("a");
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, BASE);
        raw::tell(commons.database(), "update records set hash = null");
        assert_eq!(counts(&commons.import_csv(&list, &BASE.replace("Leeds", "Bath")))[1..4], [0, 1, 2]);
        assert_eq!(raw::count(commons.database(), "records where hash is not null"), 1);
    }
}

on_both! {
    fn a_big_import_that_died_is_cleared_away_in_small_steps(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = shared(&commons, &a, &b);
        commons.import_csv(&list, &rows(0, 1_500, "Leeds"));
        let before = cells(&commons, &list);
        let import = commons.upload(&list, &rows(500, 6_000, "York"));
        // It dies when everything is written and nothing published.
        let staged = "records r join datasets d on d.number = r.dataset where r.born > d.head";
        let looks = 8;
        let store = watched(&commons, move |asked| {
            if asked == looks {
                resume_unwind(Box::new("dead"))
            }
        });
        assert!(catch_unwind(AssertUnwindSafe(|| store.commit_import(&import, Seen::default()))).is_err());
        assert!(raw::count(commons.database(), staged) > 5_000);
        commons.pass(Duration::from_secs(61));
        commons.store.mark_interrupted().unwrap();

        let asked = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&asked);
        let store = watched(&commons, move |_| {
            counting.fetch_add(1, Ordering::SeqCst);
        });
        let next = commons.upload(&list, "identifier,name,city\n000000,Co-op 0,Leeds\n");
        store.commit_import(&next, Seen::default()).unwrap();
        // A look at the clock stands for a transaction: none of them had to remove more than a thousand rows.
        assert!(asked.load(Ordering::SeqCst) > 6);
        assert_eq!(cells(&commons, &list), before);
        settled(&commons, &a, &list);
    }
}

on_both! {
    fn an_undo_of_many_pages_restores_every_record(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = shared(&commons, &a, &b);
        commons.import_csv(&list, &rows(0, 1_300, "Leeds"));
        let before = cells(&commons, &list);
        // 600 records go, 700 change, 600 are new.
        let import = commons.import_with(&list, &rows(600, 1_900, "York"), |matching| matching.absent = Absent::Delete);
        assert_eq!(counts(&import)[1..4], [600, 700, 0]);
        let mut shown = Vec::new();
        for page in 0.. {
            let items = commons.store.import_diff(&commons.again(&list, &import), page * 400, 400).unwrap();
            shown.extend(items.iter().take(400).map(|item| (item.key.to_string(), item.change)));
            if items.len() <= 400 {
                break;
            }
        }
        let count = |change: &str| shown.iter().filter(|(_, of)| *of == change).count();
        assert_eq!((count("created"), count("updated"), count("removed")), (600, 700, 603));
        shown.sort();
        shown.dedup();
        assert_eq!(shown.len(), 1_903);
        assert_eq!(commons.undo(&list, &import), 0);
        assert_eq!(cells(&commons, &list), before);
        settled(&commons, &a, &list);
    }
}
