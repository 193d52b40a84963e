//! Who was given a record, and who has since been told by the feed that it is gone.

use std::collections::BTreeMap;

use super::index::indexed_up_to;
use super::{ENTRY_COLUMNS, Entry, EntryKind, EntryRow, LedgerStore, PUBLIC, RecordRead};
use crate::conn::Eyes;
use crate::error::Result;
use crate::sql::Sql;

/// Entries looked at in one go.
const PAGE: i64 = 500;

/// A record that a share no longer shows.
pub(crate) struct Gone {
    pub(crate) agreement: String,
    /// Its number in the ledger.
    pub(crate) name: i64,
    /// The first edition of the share without it.
    pub(crate) edition: i64,
}

/// What the ledger tells about such records.
pub(crate) struct Heard {
    pub(crate) items: Vec<HeardBy>,
    /// Reads without a token, which name nobody.
    pub(crate) public: Vec<RecordRead>,
}

/// One recipient under one agreement.
pub(crate) struct HeardBy {
    pub(crate) agreement: String,
    pub(crate) recipient: String,
    /// Whether it was given the record.
    pub(crate) given: bool,
    /// Whether it has fetched the removal.
    pub(crate) told: bool,
}

type Tallies = BTreeMap<(String, String), (bool, bool)>;

impl LedgerStore {
    /// Looks through the entries that name one of these records.
    pub(crate) fn told(&self, provider: &str, gone: &[Gone]) -> Result<Heard> {
        let (mut tallies, mut public) = (Tallies::new(), Vec::new());
        let indexed = self.db.read(Eyes::Own, indexed_up_to)?;
        let covering = format!(
            "select {ENTRY_COLUMNS} from entry_agreements a join entries e on e.row = a.row
            where a.agreement = ? and a.row > ? and a.row <= ? and a.low <= ? and a.high >= ? order by a.row limit ?"
        );
        for one in gone {
            let page = |from: i64| {
                let page = Sql::new(&covering).bind(&one.agreement).bind(from).bind(indexed);
                page.bind(one.name).bind(one.name).bind(PAGE)
            };
            self.each(0, page, |entry| add(entry, provider, std::slice::from_ref(one), &mut tallies))?;
            public.extend(self.public_reads(provider, &one.agreement)?);
        }
        if !gone.is_empty() {
            let newer = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? order by e.row limit ?");
            let page = |from: i64| Sql::new(&newer).bind(from).bind(PAGE);
            self.each(indexed, page, |entry| add(entry, provider, gone, &mut tallies))?;
        }
        let items =
            tallies.into_iter().map(|((agreement, recipient), (given, told))| HeardBy { agreement, recipient, given, told });
        Ok(Heard { items: items.collect(), public })
    }

    fn each(&self, mut from: i64, page: impl Fn(i64) -> Sql, mut see: impl FnMut(&Entry)) -> Result<()> {
        loop {
            let rows = self.db.read(Eyes::Own, |conn| conn.load::<EntryRow>(page(from)))?;
            let Some(last) = rows.last() else { return Ok(()) };
            from = last.row;
            for row in rows {
                see(&row.read()?.entry);
            }
        }
    }
}

/// An entry of an edition in which the record no longer stood can name it for one reason: the feed said that it is gone.
fn add(entry: &Entry, provider: &str, gone: &[Gone], tallies: &mut Tallies) {
    if entry.kind != EntryKind::Disclosure || entry.recipient == PUBLIC {
        return;
    }
    for disclosed in entry.disclosed.iter().filter(|disclosed| disclosed.provider == provider) {
        for one in gone.iter().filter(|one| one.agreement == disclosed.agreement && disclosed.covers(one.name)) {
            let tally = tallies.entry((disclosed.agreement.clone(), entry.recipient.clone())).or_default();
            let is_told = disclosed.edition >= one.edition;
            tally.0 |= !is_told;
            tally.1 |= is_told;
        }
    }
}
