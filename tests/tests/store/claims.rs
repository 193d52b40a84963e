//! Several writers, several programs: whatever gets in between, a dataset ends where one after the other would have brought it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use hayward_domain::moment::Moment;
use hayward_store::{Clock, DatabaseUrl, Seen, Store, StoreError};
use hayward_tests::commons::{Commons, List, Member, To};
use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::raw;

pub const BASE: &str = "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n3,Cedar,Hull\n";
pub const FIRST: &str = "identifier,name,city\n1,Ash,Bath\n4,Dogwood,Bath\n";
pub const SECOND: &str = "identifier,name,city\n2,Beech,Ripon\n1,Alder,Ripon\n5,Elm,Ripon\n";

/// A list with an agreement that shows name and city to one, and one that shows names of some rows to all.
pub fn shared(commons: &Commons, a: &Member, b: &Member) -> List {
    let list = commons.dataset(a, "organization");
    commons.import_csv(&list, BASE);
    commons.agree(a, To::One(b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
    commons.agree(a, To::Members, &list, &json!({"fields": {"name": "exact"}, "rows": {"city": {"in": ["Bath", "Hull"]}}}));
    list
}

/// The originals without their ids, by key.
pub fn cells(commons: &Commons, list: &List) -> Vec<String> {
    let cell = |record: &Value| format!("{} {} {}", record["identifier"], record["name"], record["city"]);
    let mut cells: Vec<String> = commons.own(list).iter().map(cell).collect();
    cells.sort();
    cells
}

/// What importing `files` one after the other comes to.
pub fn serially(commons: &Commons, a: &Member, files: &[&str]) -> Vec<String> {
    let list = commons.dataset(a, "organization");
    files.iter().for_each(|file| drop(commons.import_csv(&list, file)));
    cells(commons, &list)
}

/// Nothing is staged or claimed any more, and every share shows what its agreement says of what is there now.
pub fn settled(commons: &Commons, a: &Member, list: &List) {
    let db = commons.database();
    let left = [
        "claims where dirty = 1 or purpose is not null",
        "records r join datasets d on d.number = r.dataset
            where r.born > d.head or (r.died > d.head and r.died < 9223372036854775807)",
        "shared_records r join shares s on s.number = r.share
            where r.born > s.head or (r.died > s.head and r.died < 9223372036854775807)",
    ];
    for rows in left {
        assert_eq!(raw::count(db, rows), 0, "{rows}");
    }
    let of = format!("agreements a join datasets d on d.number = a.dataset where d.id = '{}'", list.id);
    for agreement in raw::ask(db, &format!("select a.id as value from {of}")) {
        let agreement = hayward_domain::id::AgreementId::parse(&agreement).unwrap();
        let preview = commons.store.preview(&a.steward, &agreement, 1, 100_000).unwrap();
        let mut said: Vec<String> = preview.records.iter().map(|(_, record)| record.payload().to_owned()).collect();
        let shown = format!(
            "select payload as value from shared_records r
            join shares s on s.number = r.share join agreements a on a.number = s.number
            where a.id = '{agreement}' and r.born <= s.head and r.died > s.head"
        );
        let mut shown = raw::ask(db, &shown);
        said.sort();
        shown.sort();
        assert_eq!(said, shown);
    }
}

/// A store whose clock runs `before` each time it is asked, with how many times it was asked before.
pub fn watched(commons: &Commons, before: impl Fn(usize) + Send + Sync + 'static) -> Arc<Store> {
    let asked = AtomicUsize::new(0);
    let now = commons.clock();
    let clock: Clock = Arc::new(move || {
        before(asked.fetch_add(1, Ordering::SeqCst));
        Moment(now.load(Ordering::SeqCst))
    });
    Store::open(&DatabaseUrl::parse(commons.database().url()).unwrap(), commons.store.keyring().clone(), clock).unwrap()
}

on_both! {
    fn two_writers_end_where_one_after_the_other_would(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let serial = [serially(&commons, &a, &[BASE, FIRST, SECOND]), serially(&commons, &a, &[BASE, SECOND, FIRST])];
        let other = commons.another_store().unwrap();
        for _ in 0..8 {
            let list = shared(&commons, &a, &b);
            let (first, second) = (commons.upload(&list, FIRST), commons.upload(&list, SECOND));
            thread::scope(|scope| {
                scope.spawn(|| commons.store.commit_import(&first, Seen::default()).unwrap());
                scope.spawn(|| other.commit_import(&second, Seen::default()).unwrap());
            });
            assert!(serial.contains(&cells(&commons, &list)));
            assert_eq!(commons.edition(&list), 3);
            settled(&commons, &a, &list);
        }
    }
}

on_both! {
    fn of_two_writers_that_saw_the_same_edition_one_is_told_to_look_again(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = shared(&commons, &a, &b);
        let other = commons.another_store().unwrap();
        let (first, second) = (commons.upload(&list, FIRST), commons.upload(&list, SECOND));
        let results = thread::scope(|scope| {
            let first = scope.spawn(|| commons.store.commit_import(&first, Seen::of(1)));
            let second = scope.spawn(|| other.commit_import(&second, Seen::of(1)));
            [first.join().unwrap(), second.join().unwrap()]
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(results.iter().any(|result| matches!(result, Err(StoreError::Stale(_)))));
        assert_eq!(commons.edition(&list), 2);
        settled(&commons, &a, &list);
    }
}

on_both! {
    fn a_share_that_opens_during_an_import_shows_what_was_imported(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let other = commons.another_store().unwrap();
        let rows: String = (0..900).map(|at| format!("{at},Co-op {at},Bath\n")).collect();
        for _ in 0..3 {
            let list = shared(&commons, &a, &b);
            let import = commons.upload(&list, &format!("identifier,name,city\n{rows}"));
            let terms = commons.terms(&list, To::Public, &json!({"fields": {"name": "exact", "city": "exact"}}));
            let agreement = commons.propose(&a.steward, &terms).unwrap();
            thread::scope(|scope| {
                scope.spawn(|| commons.store.commit_import(&import, Seen::default()).unwrap());
                scope.spawn(|| {
                    other.decide(&a.steward, &agreement, 1, hayward_store::Decision::Approve, None).unwrap();
                    while commons.state(&a, &agreement, 1) != "active" {
                        other.build_due().unwrap();
                    }
                });
            });
            assert_eq!(commons.own(&list).len(), 900);
            settled(&commons, &a, &list);
        }
    }
}

on_both! {
    fn narrowing_does_not_wait_for_an_import_and_loses_nothing(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let rows: String = (0..900).map(|at| format!("{at},Co-op {at},Canaryville\n")).collect();
        // At each step of the import, as its own looks at the clock tell them apart.
        for at in 1..14 {
            let list = commons.dataset(&a, "organization");
            commons.import_csv(&list, "identifier,name,city\n1,Alder,Canaryton\n");
            let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
            let import = commons.upload(&list, &format!("identifier,name,city\n{rows}"));
            let (narrower, steward) =
                (commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact"}})), a.steward.clone());
            let (bystander, of) = (commons.another_store().unwrap(), agreement.clone());
            let store = watched(&commons, move |asked| {
                if asked == at {
                    assert_eq!(bystander.propose_version(&steward, &of, 1, &narrower).unwrap(), (2, true));
                }
            });
            store.commit_import(&import, Seen::default()).unwrap();
            if commons.store.agreement(&a.steward, &agreement, None).unwrap()["version"] == 1 {
                // The import took fewer looks than that.
                assert!(at > 8);
                break;
            }
            commons.store.build_due().unwrap();
            let shown =
                commons.list_by(&b.viewer, "organizations", &of_agreement(&agreement), &everything(), &Default::default());
            assert!(shown.len() == 900 && shown.iter().all(|item| item.get("city").is_none()));
            assert_eq!(raw::count(commons.database(), "shared_records where payload like '%Canary%'"), 0);
            commons.decide(&a.steward, &agreement, 2, hayward_store::Decision::End).unwrap();
        }
    }
}

fn of_agreement(agreement: &hayward_domain::id::AgreementId) -> hayward_store::ShareQuery {
    hayward_store::ShareQuery { agreement: Some(agreement.to_string()), ..Default::default() }
}

fn everything() -> hayward_domain::condition::Condition {
    hayward_domain::condition::Condition::All(Vec::new())
}

on_both! {
    fn who_finds_a_dataset_taken_is_told_so(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = shared(&commons, &a, &b);
        let import = commons.upload(&list, FIRST);
        let until = commons.now().plus(Duration::from_secs(20)).0;
        raw::tell(commons.database(), &format!("update claims set token = token + 1, purpose = 'import', until = {until}"));
        assert!(matches!(commons.store.commit_import(&import, Seen::default()), Err(StoreError::Busy(_))));
        commons.pass(Duration::from_secs(21));
        commons.store.commit_import(&import, Seen::default()).unwrap();
        settled(&commons, &a, &list);
    }
}

/// What PostgreSQL does that crashes and comes back before it has written down what it was not to wait for.
fn forget_what_is_staged(commons: &Commons, list: &List) {
    let of = format!("(select number from datasets where id = '{}')", list.id);
    for statement in [
        format!("delete from records where dataset = {of} and born > 1"),
        format!("update records set died = 9223372036854775807 where dataset = {of} and died > 1"),
        format!("update claims set staged = staged - 1 where dataset = {of} and staged > 0"),
    ] {
        raw::tell(commons.database(), &statement);
    }
}

on_both! {
    fn a_writer_whose_staged_rows_were_forgotten_writes_nothing_more(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let rows: String = (0..700).map(|at| format!("{at},Co-op {at},Bath\n")).collect();
        let mut fenced = 0;
        for moment in 0..14 {
            let list = shared(&commons, &a, &b);
            let import = commons.upload(&list, &format!("identifier,name,city\n{rows}"));
            let before = cells(&commons, &list);
            let (reached, at) = mpsc::channel();
            let (go_on, told) = mpsc::channel();
            let told = Mutex::new(told);
            let forgetful = watched(&commons, move |asked| {
                if asked == moment {
                    reached.send(()).unwrap();
                    told.lock().unwrap().recv().unwrap();
                }
            });
            let committed = thread::scope(|scope| {
                let committing = scope.spawn(|| {
                    let forgetful = forgetful;
                    forgetful.commit_import(&import, Seen::default())
                });
                // Nobody comes to this moment any more once the store is gone.
                if at.recv().is_ok() {
                    forget_what_is_staged(&commons, &list);
                    go_on.send(()).unwrap();
                }
                committing.join().unwrap()
            });
            if let Err(error) = &committed {
                assert!(matches!(error, StoreError::Fenced), "{error}");
                fenced += 1;
                assert_eq!(cells(&commons, &list), before);
                settled(&commons, &a, &list);
                commons.store.commit_import(&commons.again(&list, &import), Seen::default()).unwrap();
            }
            assert_eq!(commons.own(&list).len(), 700);
            settled(&commons, &a, &list);
        }
        assert!(fenced >= 3, "{fenced} of the moments were in the middle of a commit");
    }
}
