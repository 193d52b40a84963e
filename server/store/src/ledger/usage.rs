//! How much of what an agreement grants was ever given.
//!
//! Facts of the ledger, added up by [`super::index`]: which fields stood in answers with at least one record, when and how often.
//! What a recipient asked for beyond that (the literals of its filters, the order of its lists) is written down nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{begun_before, indexed_up_to};
use super::{ENTRY_COLUMNS, EntryKind, EntryRow, HOUR, LedgerStore, PUBLIC};
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use hayward_domain::moment::Moment;

/// Entries looked at in one go.
const PAGE: i64 = 500;

/// What an agreement gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many answers, by channel; those without rows too. Tokenless reads are `public`.
    pub channels: BTreeMap<String, i64>,
    /// How many records all answers had together, each as often as it was given.
    pub records: i64,
    /// When it was read first …
    pub first: Option<Moment>,
    /// … and last.
    pub last: Option<Moment>,
    /// Every field that was ever given.
    pub fields: BTreeMap<String, FieldUse>,
    /// How many requests were refused.
    pub refusals: i64,
}

/// How often one field was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldUse {
    /// In so many answers with at least one record.
    pub answers: i64,
    /// When for the last time; for tokenless reads, the beginning of the hour.
    pub last: Moment,
}

rows! {
    SumRow { channel: String, field: String, answers: i64, records: i64, first_at: i64, last_at: i64 }
    HoursRow { fields: String, reads: i64, records: i64, first: i64, last: i64 }
    TimesRow { times: i64 }
}

impl LedgerStore {
    /// What was given under an agreement: to everybody, or to one `recipient` only.
    ///
    /// # Errors
    /// Only the database's.
    pub fn usage(&self, agreement: &str, recipient: Option<&str>) -> Result<Usage> {
        let mut usage = Usage::default();
        let mut sums =
            Sql::new("select channel, field, answers, records, first_at, last_at from given_fields where agreement = ?")
                .bind(agreement);
        let mut refused =
            Sql::new("select cast(coalesce(sum(times), 0) as bigint) as times from refusals where agreement = ?").bind(agreement);
        if let Some(recipient) = recipient {
            sums.push_with(" and recipient = ?", [recipient.into()]);
            refused.push_with(" and recipient = ?", [recipient.into()]);
        }
        let hours = "select fields, cast(sum(reads) as bigint) as reads, cast(sum(records) as bigint) as records,
            min(hour) as first, max(hour) as last from public_reads where agreement = ? group by fields";
        // One snapshot: nothing is indexed between the sums and where they end.
        let (sums, refused, hours, indexed) = self.db.read(Eyes::Own, |conn| {
            let hours = Sql::new(hours).bind(agreement);
            let hours = if recipient.is_none() { conn.load::<HoursRow>(hours)? } else { Vec::new() };
            Ok::<_, StoreError>((conn.load::<SumRow>(sums)?, conn.one::<TimesRow>(refused)?, hours, indexed_up_to(conn)?))
        })?;
        usage.refusals = refused.times;
        for row in sums {
            usage.add(&row.channel, &row.field, row.answers, row.records, [Moment(row.first_at), Moment(row.last_at)]);
        }
        for row in hours {
            let fields: Vec<String> = serde_json::from_str(&row.fields).map_err(|_| StoreError::Corrupt("a ledger entry"))?;
            let between = [row.first, row.last].map(|hour| Moment(hour.saturating_mul(HOUR)));
            let given = fields.iter().filter(|_| row.records > 0).map(String::as_str);
            for field in std::iter::once("").chain(given) {
                usage.add(PUBLIC, field, row.reads, row.records, between);
            }
        }
        self.add_newer(&mut usage, agreement, recipient, indexed)?;
        Ok(usage)
    }

    /// The entries that are not added up yet: few.
    fn add_newer(&self, usage: &mut Usage, agreement: &str, recipient: Option<&str>, indexed: i64) -> Result<()> {
        let select = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? order by e.row limit ?");
        let (mut from, mut begun) = (indexed, BTreeSet::new());
        loop {
            let rows = self.db.read(Eyes::Own, |conn| conn.load::<EntryRow>(Sql::new(&select).bind(from).bind(PAGE)))?;
            let Some(last) = rows.last() else { return Ok(()) };
            from = last.row;
            for row in rows {
                let entry = row.read()?.entry;
                let counts = entry.kind == EntryKind::Disclosure && entry.recipient != PUBLIC;
                if !counts || recipient.is_some_and(|recipient| recipient != entry.recipient) {
                    continue;
                }
                for disclosed in entry.disclosed.iter().filter(|disclosed| disclosed.agreement == agreement) {
                    // A long answer whose beginning is added up already is counted there.
                    let fresh = begun.insert(entry.id.clone())
                        && (entry.chunk == 0 || !self.db.read(Eyes::Own, |conn| begun_before(conn, &entry, agreement))?);
                    let given = disclosed.fields.iter().filter(|_| disclosed.count > 0).map(String::as_str);
                    for field in std::iter::once("").chain(given) {
                        usage.add(&entry.channel, field, i64::from(fresh), disclosed.count, [entry.at; 2]);
                    }
                }
            }
        }
    }
}

impl Usage {
    fn add(&mut self, channel: &str, field: &str, answers: i64, records: i64, [first, last]: [Moment; 2]) {
        if field.is_empty() {
            *self.channels.entry(channel.to_owned()).or_default() += answers;
            self.records += records;
            self.first = Some(self.first.map_or(first, |known| known.min(first)));
            self.last = Some(self.last.map_or(last, |known| known.max(last)));
        } else {
            let field = self.fields.entry(field.to_owned()).or_insert(FieldUse { answers: 0, last });
            field.answers += answers;
            field.last = field.last.max(last);
        }
    }
}
