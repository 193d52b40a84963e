//! Who was ever given one record, and which of its fields.
//!
//! A record is named in the ledger by a number of each share that it ever stood in; [`crate::Store::own_record_names`] knows them.
//! Only entries whose numbers may cover one of them are looked at, a page at a time. Tokenless reads are counted by the hour and name
//! no record: of a public share that the record stood in, all that can be told is how often it was read.

use std::collections::{BTreeMap, BTreeSet};

use hayward_domain::moment::Moment;
use serde::Serialize;

use super::index::indexed_up_to;
use super::{ENTRY_COLUMNS, Entry, EntryKind, EntryRow, HOUR, LedgerStore, PUBLIC, RecordName};
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};

/// Entries looked at in one go.
const PAGE: i64 = 500;

/// Everybody who was given one record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GivenRecord {
    /// Organizations, by agreement, recipient and version.
    pub items: Vec<RecordGivenTo>,
    /// Reads without a token of public shares that the record stood in, by agreement and version. Whether it was among the rows
    /// is not known.
    pub public: Vec<RecordRead>,
}

/// What one recipient was given of a record under one version of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordGivenTo {
    /// The organization.
    pub recipient: String,
    /// Under which agreement.
    pub agreement: String,
    /// Under which version of it.
    pub version: i64,
    /// The code of its purpose.
    pub purpose: String,
    /// Every field that was in one of the answers, in byte order.
    pub fields: Vec<String>,
    /// Through which programs and people.
    pub clients: Vec<String>,
    /// How many answers held the record, by channel.
    pub channels: BTreeMap<String, u64>,
    /// How many answers held the record.
    pub times: u64,
    /// When for the first time, as RFC 3339.
    pub first: String,
    /// When for the last time.
    pub last: String,
}

/// How often a public share was read that a record stood in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordRead {
    /// Under which agreement.
    pub agreement: String,
    /// Under which version of it.
    pub version: i64,
    /// The fields that were in the answers, in byte order.
    pub fields: Vec<String>,
    /// How many reads.
    pub reads: i64,
    /// The first hour with a read, as RFC 3339.
    pub first: String,
    /// The last hour with a read.
    pub last: String,
}

rows! {
    ReadRow { agreement: String, version: i64, fields: String, reads: i64, first: i64, last: i64 }
}

/// What is known of one recipient, agreement and version, while entries are looked at.
struct Tally {
    purpose: String,
    fields: BTreeSet<String>,
    clients: BTreeSet<String>,
    channels: BTreeMap<String, u64>,
    first: Moment,
    last: Moment,
}

/// By agreement, recipient and version.
type Tallies = BTreeMap<(String, String, i64), Tally>;

impl LedgerStore {
    /// Everybody who was ever given the record that `names` stand for, as the ledger of its provider has it.
    ///
    /// # Errors
    /// Only the database's.
    pub fn given_record(&self, provider: &str, names: &[RecordName]) -> Result<GivenRecord> {
        let mut tallies = Tallies::new();
        // What is not indexed yet is looked through below; what is indexed meanwhile is not looked at twice.
        let indexed = self.db.read(Eyes::Own, indexed_up_to)?;
        let covering = format!(
            "select {ENTRY_COLUMNS} from entry_agreements a join entries e on e.row = a.row
            where a.agreement = ? and a.row > ? and a.row <= ? and a.low <= ? and a.high >= ? order by a.row limit ?"
        );
        for name in names {
            let mut from = 0;
            loop {
                let page = Sql::new(&covering).bind(&name.agreement).bind(from).bind(indexed);
                let page = page.bind(name.name).bind(name.name).bind(PAGE);
                match self.look_for(page, provider, std::slice::from_ref(name), &mut tallies)? {
                    Some(last) => from = last,
                    None => break,
                }
            }
        }
        let newer = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? order by e.row limit ?");
        let mut from = indexed;
        while let Some(last) = self.look_for(Sql::new(&newer).bind(from).bind(PAGE), provider, names, &mut tallies)? {
            from = last;
        }
        let mut public = Vec::new();
        for name in names {
            public.extend(self.public_reads(provider, &name.agreement)?);
        }
        Ok(GivenRecord { items: tallies.into_iter().map(told).collect(), public })
    }

    /// Looks at one page of entries. Returns the row of the last one.
    fn look_for(&self, page: Sql, provider: &str, names: &[RecordName], tallies: &mut Tallies) -> Result<Option<i64>> {
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<EntryRow>(page))?;
        let last = rows.last().map(|row| row.row);
        for row in rows {
            add(&row.read()?.entry, provider, names, tallies);
        }
        Ok(last)
    }

    /// The tokenless reads under one agreement, by version and fields.
    pub(super) fn public_reads(&self, provider: &str, agreement: &str) -> Result<Vec<RecordRead>> {
        let select =
            "select agreement, version, fields, cast(sum(reads) as bigint) as reads, min(hour) as first, max(hour) as last
            from public_reads where provider = ? and agreement = ? group by agreement, version, fields order by version, fields";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ReadRow>(Sql::new(select).bind(provider).bind(agreement)))?;
        rows.into_iter()
            .map(|row| {
                Ok(RecordRead {
                    agreement: row.agreement,
                    version: row.version,
                    fields: serde_json::from_str(&row.fields).map_err(|_| StoreError::Corrupt("a ledger entry"))?,
                    reads: row.reads,
                    first: Moment(row.first.saturating_mul(HOUR)).to_rfc3339(),
                    last: Moment(row.last.saturating_mul(HOUR)).to_rfc3339(),
                })
            })
            .collect()
    }
}

fn add(entry: &Entry, provider: &str, names: &[RecordName], tallies: &mut Tallies) {
    if entry.kind != EntryKind::Disclosure || entry.recipient == PUBLIC {
        return;
    }
    for disclosed in entry.disclosed.iter().filter(|disclosed| disclosed.provider == provider) {
        let covers = |name: &RecordName| name.agreement == disclosed.agreement && disclosed.covers(name.name);
        if !names.iter().any(covers) {
            continue;
        }
        let key = (disclosed.agreement.clone(), entry.recipient.clone(), disclosed.version);
        let tally = tallies.entry(key).or_insert_with(|| Tally {
            purpose: disclosed.purpose.clone(),
            fields: BTreeSet::new(),
            clients: BTreeSet::new(),
            channels: BTreeMap::new(),
            first: entry.at,
            last: entry.at,
        });
        tally.fields.extend(disclosed.fields.iter().cloned());
        tally.clients.insert(entry.client.clone());
        *tally.channels.entry(entry.channel.clone()).or_default() += 1;
        tally.first = tally.first.min(entry.at);
        tally.last = tally.last.max(entry.at);
    }
}

fn told(((agreement, recipient, version), tally): ((String, String, i64), Tally)) -> RecordGivenTo {
    RecordGivenTo {
        recipient,
        agreement,
        version,
        purpose: tally.purpose,
        fields: tally.fields.into_iter().collect(),
        clients: tally.clients.into_iter().collect(),
        times: tally.channels.values().sum(),
        channels: tally.channels,
        first: tally.first.to_rfc3339(),
        last: tally.last.to_rfc3339(),
    }
}
