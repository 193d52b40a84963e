//! Sealing: whom each entry concerns, and one hash chain per provider.
//!
//! * Entries are sealed in the order of their rows, which is the order of their commits.
//! * A link covers the one before it and the entry as its provider reads it. How it is hashed is the caller's, and so is how a
//!   checkpoint is signed.
//! * One sealer works at a time, in transactions short enough that an answer's entry never waits long behind one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use hayward_domain::moment::Moment;

use super::{ENTRY_COLUMNS, EntryRow, HOUR, HOUR_COLUMNS, HourRow, LedgerStore, Sealable, hour_entry, insert, refusals};
use crate::bulk::{Holds, Rows, Table};
use crate::conn::{Conn, Eyes};
use crate::counter;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, Word, rows};

/// Entries, and links, that one transaction folds at most.
const BATCH: i64 = 200;
const LINKS: usize = 400;
/// Transactions after which the chains are signed at the latest, however much still waits.
const BATCHES: usize = 25;

static PARTIES: Table = Table {
    name: "entry_parties",
    columns: &[("organization", Holds::Text), ("row", Holds::Int), ("position", Holds::Int), ("hash", Holds::Text)],
};

rows! {
    SealedRow { row: i64, hour: i64 }
    HeadRow { position: i64, hash: String }
}

impl LedgerStore {
    /// Folds what is new into the chains and signs where they now end. `hash` makes a link's hash, `sign` a checkpoint's signature
    /// over (provider, position, hash, time). Returns how many entries were folded; call again while it is not 0.
    ///
    /// # Errors
    /// Only the database's.
    pub fn seal(
        &self,
        now: Moment,
        hash: &dyn Fn(&Sealable<'_>) -> String,
        sign: &dyn Fn(&str, i64, &str, Moment) -> String,
    ) -> Result<usize> {
        // A sealer that died may have left chains that no checkpoint covers; so has one that failed before this was set again.
        let mut grown = if self.signed.swap(false, Ordering::Relaxed) { BTreeSet::new() } else { self.unsigned()? };
        let mut folded = 0;
        for batch in 1..=BATCHES {
            if grown.is_empty() && !self.anything_waits(now)? {
                break;
            }
            // What folds the last of them signs, too: a chain without a checkpoint looks as if its end had been cut off.
            let (count, more) = self.db.write(|conn| {
                let (count, more) = self.fold_batch(conn, now, hash, &mut grown)?;
                if !more || batch == BATCHES {
                    grown.iter().try_for_each(|provider| self.sign(conn, provider, sign, now))?;
                }
                Ok::<_, StoreError>((count, more))
            })?;
            folded += count;
            if !more {
                break;
            }
        }
        self.signed.store(true, Ordering::Relaxed);
        self.index()?;
        Ok(folded)
    }

    /// Whether there are entries that no chain has, or an hour that is over.
    fn anything_waits(&self, now: Moment) -> Result<bool> {
        let waiting =
            "select s.row, s.hour from sealed s where s.hour < ? or exists (select 1 from entries e where e.row > s.row)";
        Ok(self.db.read(Eyes::Own, |conn| conn.first::<SealedRow>(Sql::new(waiting).bind(now.0 / HOUR)))?.is_some())
    }

    /// Folds some entries; the providers whose chains grew are added to `grown`. Returns how many they were, and whether there may be
    /// more.
    fn fold_batch(
        &self,
        conn: &mut Conn,
        now: Moment,
        hash: &dyn Fn(&Sealable<'_>) -> String,
        grown: &mut BTreeSet<String>,
    ) -> Result<(usize, bool)> {
        // One sealer at a time: the others wait on this row.
        conn.execute(Sql::new("update sealed set row = row where only_row = 1"))?;
        let sealed = conn.one::<SealedRow>(Sql::new("select row, hour from sealed where only_row = 1"))?;
        close_hours(conn, sealed.hour, now, self.era())?;
        let select = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? order by e.row limit ?");
        let rows = conn.load::<EntryRow>(Sql::new(&select).bind(sealed.row).bind(BATCH))?;
        let full = i64::try_from(rows.len()) == Ok(BATCH);
        let (mut count, mut last, mut heads) = (0, None, BTreeMap::new());
        let (mut links, mut parties) = (0, Rows::new(&PARTIES));
        for row in rows {
            // An answer over many agreements has many links.
            if links >= LINKS {
                break;
            }
            (count, last) = (count + 1, Some(row.row));
            links += fold(conn, row, &mut heads, hash, &mut parties)?;
        }
        conn.insert(&parties)?;
        grown.extend(heads.into_keys());
        if let Some(last) = last {
            conn.execute(Sql::new("update sealed set row = ? where only_row = 1").bind(last))?;
        }
        Ok((count, full || links >= LINKS))
    }

    /// The chains whose last link no checkpoint covers.
    fn unsigned(&self) -> Result<BTreeSet<String>> {
        let select = "select h.organization as value from
            (select organization, max(position) as position from entry_parties where position is not null group by organization) h
            where not exists (select 1 from checkpoints p where p.provider = h.organization and p.position = h.position)";
        let found = self.db.read(Eyes::Own, |conn| conn.load::<Word>(Sql::new(select)))?;
        Ok(found.into_iter().map(|row| row.value).collect())
    }

    fn sign(&self, conn: &mut Conn, provider: &str, sign: &dyn Fn(&str, i64, &str, Moment) -> String, now: Moment) -> Result<()> {
        let head = head(conn, provider)?;
        let signature = sign(provider, head.position, &head.hash, now);
        // Another server may have signed it.
        let insert = "insert into checkpoints (provider, position, hash, at, signature, era) values (?, ?, ?, ?, ?, ?)
            on conflict (provider, position) do nothing";
        let insert = Sql::new(insert).bind(provider).bind(head.position).bind(head.hash).bind(now);
        conn.execute(insert.bind(signature).bind(self.era().map(str::to_owned))).map(drop)
    }
}

/// Links one entry into the chain of each of its providers, and notes that it concerns its recipient. Returns how many links.
fn fold(
    conn: &mut Conn,
    row: EntryRow,
    heads: &mut BTreeMap<String, HeadRow>,
    hash: &dyn Fn(&Sealable<'_>) -> String,
    parties: &mut Rows,
) -> Result<usize> {
    let (row, kept) = (row.row, row.read()?);
    let entry = &kept.entry;
    let providers: BTreeSet<&str> = entry.disclosed.iter().map(|disclosed| disclosed.provider.as_str()).collect();
    for provider in &providers {
        let before = match heads.remove(*provider) {
            Some(head) => head,
            None => head(conn, provider)?,
        };
        let line = kept.seen_by(provider);
        let hash = hash(&Sealable { provider, previous: &before.hash, entry: &line });
        let after = HeadRow { position: before.position + 1, hash };
        parties.push([(*provider).to_owned().into(), row.into(), after.position.into(), (&after.hash).into()]);
        heads.insert((*provider).to_owned(), after);
    }
    if !providers.contains(entry.recipient.as_str()) {
        parties.push([(&entry.recipient).into(), row.into(), None::<i64>.into(), None::<String>.into()]);
    }
    Ok(providers.len())
}

/// The end of a provider's chain; before the first link, nothing at 0.
fn head(conn: &mut Conn, provider: &str) -> Result<HeadRow> {
    let select = "select position, hash from entry_parties where organization = ? and position is not null
        order by position desc limit 1";
    Ok(conn.first::<HeadRow>(Sql::new(select).bind(provider))?.unwrap_or(HeadRow { position: 0, hash: String::new() }))
}

/// Makes entries of the hours that are over.
fn close_hours(conn: &mut Conn, from: i64, now: Moment, era: Option<&str>) -> Result<()> {
    let until = now.0 / HOUR;
    if until <= from {
        return Ok(());
    }
    let select =
        format!("select {HOUR_COLUMNS} from public_reads where hour >= ? and hour < ? order by hour, agreement, version");
    let hours = conn.load::<HourRow>(Sql::new(&select).bind(from).bind(until))?;
    let mut entries = hours.into_iter().map(hour_entry).collect::<Result<Vec<_>>>()?;
    entries.extend(refusals::between(conn, from, until)?);
    let first = counter::take(conn, "entry", i64::try_from(entries.len()).unwrap_or(0))?;
    insert(conn, first, &entries, era)?;
    conn.execute(Sql::new("update sealed set hour = ? where only_row = 1").bind(until)).map(drop)
}
