//! Everything that a commons can be asked about without knowing what was meant to be in it.
//!
//! Each check is a sentence and a query that counts what breaks it. A check must hold in any commons where nobody is at work, also
//! in one that is in the middle of being narrowed or whose last import was interrupted.

use hayward_domain::moment::Moment;
use serde_json::Value;

use super::BackupError;
use crate::Store;
use crate::conn::{Conn, Db, Eyes};
use crate::dialect;
use crate::ledger::{self, Point};
use crate::sql::{Number, Sql, Word, rows};

/// How a ledger is looked at: hashing and signing are not the store's.
pub struct LedgerEyes<'a> {
    /// The hash of a link, from the hash before it and the entry.
    pub hash: &'a dyn Fn(&str, &Value) -> String,
    /// Whether a checkpoint's signature holds.
    pub signed: &'a dyn Fn(&Point) -> bool,
}

const NEVER: &str = "9223372036854775807";

/// What must hold of a commons, each with a query for the number of rows that break it. `NEVER` stands for what is not dead yet.
const COMMONS: &[(&str, &str)] = &[
    (
        "rows of a list lie beyond its newest edition",
        "select count(*) as value from records r join datasets d on d.number = r.dataset join claims c on c.dataset = d.number
        where c.dirty = 0 and (r.born > d.head or (r.died > d.head and r.died < NEVER))",
    ),
    (
        "rows of a share lie beyond its newest edition",
        "select count(*) as value from shared_records r join shares s on s.number = r.share join claims c on c.dataset = s.dataset
        where c.dirty = 0 and (r.born > s.head or (r.died > s.head and r.died < NEVER))",
    ),
    (
        "versions of one record overlap",
        "select count(*) as value from records a join records b
        on a.dataset = b.dataset and a.record = b.record and a.born < b.born and a.died > b.born",
    ),
    (
        "versions of one shared record overlap",
        "select count(*) as value from shared_records a join shared_records b
        on a.share = b.share and a.name = b.name and a.born < b.born and a.died > b.born",
    ),
    (
        "editions of a list are newer than its head",
        "select count(*) as value from editions e join datasets d on d.number = e.dataset where e.edition > d.head",
    ),
    (
        "editions of a share are newer than its head",
        "select count(*) as value from share_editions e join shares s on s.number = e.share where e.edition > s.head",
    ),
    (
        "editions came with a commit that was never made",
        "select count(*) as value from editions e join commit_counter c on e.commit_number > c.number",
    ),
    (
        "editions of a share came with a commit that was never made",
        "select count(*) as value from share_editions e join commit_counter c on e.commit_number > c.number",
    ),
    (
        "shares answer that are not in force, not built, or below their floor",
        "select count(*) as value from shares s where s.open = 1 and (s.head < s.floor or not exists
            (select 1 from agreement_versions v where v.agreement = s.number and v.version = s.version and v.state = 'active'))",
    ),
    (
        "shares answer without an opening, or have one and do not answer",
        "select count(*) as value from shares s where (s.open = 1) <> exists
            (select 1 from share_openings p where p.share = s.number and p.closed = NEVER)",
    ),
    (
        "rows that a share shows have no payload",
        "select count(*) as value from shared_records r join shares s on s.number = r.share
        where r.payload is null and r.died > s.floor and s.head >= s.floor and r.died > s.head",
    ),
    (
        "rows of a share lie on another shelf than their share",
        "select count(*) as value from shared_records r join shares s on s.number = r.share where r.shelf <> s.shelf",
    ),
    (
        "rows of a share have a ledger name that was never given",
        "select count(*) as value from shared_records r where not exists
            (select 1 from share_names n where n.share = r.share and n.record = r.record and n.name = r.name)",
    ),
    (
        "ledger names are higher than the highest that was given",
        "select count(*) as value from share_names n join shares s on s.number = n.share where n.name > s.named",
    ),
    (
        "approvals are of another text than the version's",
        "select count(*) as value from approvals p join agreement_versions v on v.agreement = p.agreement and v.version = p.version
        where p.hash <> v.hash",
    ),
    (
        "a certificate is of a version that nobody certified",
        "select count(*) as value from certificates c join agreement_versions v on v.agreement = c.agreement
        and v.version = c.version where v.state <> 'closed'",
    ),
    (
        "a version has no event that explains its state",
        "select count(*) as value from agreement_versions v where not exists (select 1 from agreement_events e
        where e.agreement = v.agreement and e.version = v.version and e.state = v.state)",
    ),
    (
        "lists have nothing that says who may write them",
        "select count(*) as value from datasets d where not exists (select 1 from claims c where c.dataset = d.number)",
    ),
];

/// Counters with what they must be above.
const COUNTERS: &[(&str, &str)] = &[
    ("organization", "select max(number) from organizations"),
    ("dataset", "select max(number) from datasets"),
    ("agreement", "select max(number) from agreements"),
    ("shelf", "select max(number) from shelves"),
    ("record", "select max(record) from records"),
    ("record_row", "select max(row) from records"),
    ("shared_row", "select max(row) from shared_records"),
    ("event", "select max(number) from agreement_events"),
];

rows! {
    VersionKey { agreement: i64, version: i64, hash: String }
    AgreementKey { number: i64 }
    PointOf { provider: String, position: i64, hash: String, at: i64, signature: String, era: Option<String>, linked: Option<String> }
}

/// What is wrong with a commons.
pub(super) fn commons(store: &Store) -> Result<Vec<String>, BackupError> {
    let mut faults = own_faults(&store.db)?;
    store.db.read(Eyes::Own, |conn| {
        for (sentence, query) in COMMONS {
            let found = conn.one::<Number>(Sql::new(&query.replace("NEVER", NEVER)))?.value;
            if found > 0 {
                faults.push(format!("{sentence} ({found})"));
            }
        }
        for (name, highest) in COUNTERS {
            let behind = format!("select count(*) as value from counters where name = ? and next <= coalesce(({highest}), 0)");
            if conn.one::<Number>(Sql::new(&behind).bind(*name))?.value > 0 {
                faults.push(format!("the counter `{name}` would give out numbers again"));
            }
        }
        agreements(store, conn, &mut faults)
    })?;
    Ok(faults)
}

/// Terms are what was hashed, and secrets open with these keys.
fn agreements(store: &Store, conn: &mut Conn, faults: &mut Vec<String>) -> Result<(), BackupError> {
    let all = "select agreement, version, hash from agreement_versions order by agreement, version";
    for row in conn.load::<VersionKey>(Sql::new(all))? {
        match store.terms(conn, row.agreement, row.version) {
            Ok((terms, _)) if terms.hash() == row.hash => {}
            Ok(_) | Err(crate::StoreError::Corrupt(_)) => {
                faults.push(format!("version {} of an agreement is not what was approved", row.version));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let kept = "select number from agreements where secret is not null order by number";
    for row in conn.load::<AgreementKey>(Sql::new(kept))? {
        match store.agreement_keys(conn, row.number) {
            Ok(_) => {}
            Err(crate::StoreError::Corrupt(_)) => faults.push("an agreement's secret does not open with these keys".to_owned()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn own_faults(db: &Db) -> Result<Vec<String>, BackupError> {
    let mut faults = Vec::new();
    db.read(Eyes::Own, |conn| {
        for text in dialect::own_faults(conn.kind()) {
            faults.extend(conn.load::<Word>(Sql::new(text))?.into_iter().map(|row| row.value));
        }
        Ok::<_, BackupError>(())
    })?;
    Ok(faults)
}

/// Links that are read in one go.
const PAGE: i64 = 500;

/// What is wrong with a ledger.
pub(super) fn ledger(db: &Db, eyes: &LedgerEyes<'_>) -> Result<Vec<String>, BackupError> {
    let mut faults = own_faults(db)?;
    db.read(Eyes::Own, |conn| {
        links(conn, eyes, &mut faults)?;
        points(conn, eyes, &mut faults)?;
        let behind =
            "select count(*) as value from counters where name = 'entry' and next <= coalesce((select max(row) from entries), 0)";
        if conn.one::<Number>(Sql::new(behind))?.value > 0 {
            faults.push("the ledger would give out numbers again".to_owned());
        }
        Ok::<_, BackupError>(())
    })?;
    Ok(faults)
}

/// Every link follows the one before it, and covers its entry.
fn links(conn: &mut Conn, eyes: &LedgerEyes<'_>, faults: &mut Vec<String>) -> Result<(), BackupError> {
    let providers = "select distinct organization as value from entry_parties where position is not null order by 1";
    for provider in conn.load::<Word>(Sql::new(providers))? {
        let (mut position, mut hash) = (0, String::new());
        loop {
            let page = ledger::links(conn, &provider.value, position, PAGE)?;
            if page.is_empty() {
                break;
            }
            for (entry, link) in page {
                if link.position != position + 1 || link.previous != hash || (eyes.hash)(&link.previous, &entry) != link.hash {
                    faults.push(format!("the ledger of {} breaks at position {}", provider.value, link.position));
                }
                (position, hash) = (link.position, link.hash);
            }
        }
    }
    Ok(())
}

/// Every checkpoint is signed, and stands behind the link that it names.
fn points(conn: &mut Conn, eyes: &LedgerEyes<'_>, faults: &mut Vec<String>) -> Result<(), BackupError> {
    let (mut provider, mut position) = (String::new(), 0);
    loop {
        let select = "select p.provider, p.position, p.hash, p.at, p.signature, p.era, c.hash as linked from checkpoints p
            left join entry_parties c on c.organization = p.provider and c.position = p.position
            where (p.provider, p.position) > (?, ?) order by p.provider, p.position limit ?";
        let page = conn.load::<PointOf>(Sql::new(select).bind(&provider).bind(position).bind(PAGE))?;
        let Some(last) = page.last() else { return Ok(()) };
        (provider, position) = (last.provider.clone(), last.position);
        for row in page {
            let behind = row.linked.as_ref() == Some(&row.hash);
            let PointOf { provider, position, hash, at, signature, era, .. } = row;
            let point = Point { provider, position, hash, at: Moment(at), signature, era };
            if !behind || !(eyes.signed)(&point) {
                faults.push(format!("the checkpoint of {} at position {} does not hold", point.provider, point.position));
            }
        }
    }
}
