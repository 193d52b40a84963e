//! The commons that is worked on: two providers, two partners, lists of different sizes, and agreements of every kind.

use std::sync::atomic::Ordering;
use std::thread;

use chrono::{Days, Utc};
use hayward_domain::scope::Role;
use serde_json::{Value, json};

use super::importer::csv;
use super::{Bargainer, Importer, Reader, Work};
use crate::commons::{Commons, List, Member, To, keyring};
use crate::program::key_file;
use crate::{Kind, TestDatabase, cluster::ClusterError};

/// Records of the large list where commits are to be met in the middle: more than two transactions take.
pub const LARGE: usize = 1_200;
/// Records of every other one.
pub const SMALL: usize = 60;

/// A founded commons with those who work on it.
pub struct World {
    /// Where it lies; its keys lie beside it.
    pub database: TestDatabase,
    /// Who imports.
    pub importers: Vec<Importer>,
    /// Who bargains.
    pub bargainers: Vec<Bargainer>,
    /// Who reads.
    pub readers: Vec<Reader>,
    /// A list that nobody of these writes.
    pub spare: String,
}

impl World {
    /// Everybody works while `meanwhile` runs, and on until they are told to stop or their server is gone.
    pub fn busy<T>(&mut self, work: &Work, meanwhile: impl FnOnce(&TestDatabase) -> T) -> T {
        let Self { database, importers, bargainers, readers, .. } = self;
        thread::scope(|scope| {
            importers.iter_mut().for_each(|one| drop(scope.spawn(|| one.work(work))));
            bargainers.iter_mut().for_each(|one| drop(scope.spawn(|| one.work(work))));
            readers.iter_mut().for_each(|one| drop(scope.spawn(|| one.work(work))));
            let _then = StopInPanic(work);
            meanwhile(database)
        })
    }
}

/// Without it, a test that fails in the middle would wait for those who work on.
struct StopInPanic<'a>(&'a Work);

impl Drop for StopInPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// What terms say of the time: from yesterday for a year, so that midnight changes nothing.
pub(super) fn days() -> Value {
    let today = Utc::now().date_naive();
    let (from, until) = (today.checked_sub_days(Days::new(2)), today.checked_add_days(Days::new(300)));
    json!({"starts_on": from, "ends_on": until})
}

/// Founds a commons on a database of its own. Its large list has `records` records.
///
/// # Errors
/// If there is no database to be had.
pub fn found(kind: Kind, seed: u64, records: usize) -> Result<World, ClusterError> {
    let commons = Commons::new(kind)?;
    // By the clock of the machine, as the program will serve it.
    commons.clock().store(Utc::now().timestamp_micros(), Ordering::SeqCst);
    let [first, second, partner, other] = ["first", "second", "partner", "other"].map(|slug| commons.organization(slug));
    // Keeping a list is an editor's work, and no steward's.
    let editor = |member: &Member| commons.person("editor", &[(member.number, Role::Editor)]).1;
    let list = |member: &Member, prefix: &str, count: usize| {
        let list = commons.dataset(member, "opportunity");
        if count > 0 {
            commons.import_csv(&list, &csv(prefix, 0..count, 0));
        }
        list
    };
    let large = list(&first, "L", records);
    let small = list(&first, "S", SMALL);
    let bargained = list(&second, "B", SMALL);
    let contested = list(&second, "C", SMALL);
    let spare = list(&second, "X", 0);
    let agree = |provider: &Member, list: &List, to: To<'_>, mut over: Value| {
        merge(&mut over, days());
        commons.agree(provider, to, list, &over)
    };
    agree(&first, &large, To::One(&partner), json!({"fields": {"reference": "exact", "title": "exact", "city": "exact"}}));
    agree(&first, &large, To::One(&other), treated());
    agree(&first, &small, To::One(&partner), treated());
    agree(&first, &small, To::Members, json!({"fields": {"title": "exact"}}));
    agree(&first, &small, To::Public, json!({"fields": {"title": "exact", "country": "exact"}}));
    agree(&second, &contested, To::One(&partner), json!({"fields": {"title": "exact", "category": "exact"}}));
    let importers = vec![
        Importer::new("large", &editor(&first), &large, "L", records, seed),
        Importer::new("small", &editor(&first), &small, "S", SMALL, seed),
        Importer::new("contested", &editor(&second), &contested, "C", SMALL, seed),
    ];
    let bargainers = vec![
        Bargainer::new("bargain", &second, &partner, &bargained, seed),
        Bargainer::new("contest", &second, &other, &contested, seed),
    ];
    let readers = vec![
        Reader::new("partner", Some(&partner.token), seed),
        Reader::new("other", Some(&other.token), seed),
        Reader::new("passer-by", None, seed),
    ];
    let database = commons.into_database();
    std::fs::write(key_file(&database), keyring().to_file())?;
    Ok(World { database, importers, bargainers, readers, spare: spare.id.to_string() })
}

/// A share with every kind of treatment, a condition, and ids of its own.
fn treated() -> Value {
    json!({
        "fields": {
            "reference": "pseudonym", "title": "exact", "category": "exact", "city": {"generalised": "prefix:2"},
            "salary_min": {"generalised": "band:5000"}, "closes_on": {"generalised": "month"}, "contact_email": "masked",
        },
        "rows": {"country": {"in": ["ES", "FR"]}}, "record_id": "pseudonym",
    })
}

/// The members of `more` go into `terms`.
pub(super) fn merge(terms: &mut Value, more: Value) {
    if let (Some(terms), Value::Object(more)) = (terms.as_object_mut(), more) {
        terms.extend(more);
    }
}
