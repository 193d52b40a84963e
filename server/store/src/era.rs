//! Eras: the time between a commons' founding, or a restore, and the next restore.
//!
//! * An era has a random mark. It is sealed into cursors, and stands in every ledger entry and checkpoint, so that nothing from before
//!   a restore is taken for something from after it.
//! * Numbers that name things never go back across a restore, although the lost commons went on handing them out after the archive
//!   was made. A restored counter goes on from the clock: seconds × 2^28, more than any commons can have handed out by then, however
//!   often one archive is restored. See [`leap`].
//! * Editions leap too, by seconds × 2^16: they stay exact in JSON. So an edition that somebody saw before the restore is never the
//!   number of another one made after it.
//! * So do the versions of agreements, to the seconds since 2020: who approves a version by its number approves what they saw.
//! * Floors leap with the heads: a share that waits for its rebuild goes on waiting.

use hayward_domain::id::base32;
use hayward_domain::moment::Moment;

use crate::Store;
use crate::conn::{Conn, Db, Eyes};
use crate::error::{Result, StoreError};
use crate::keys::CursorKeys;
use crate::migrate;
use crate::sql::{Sql, Word};

/// The mark of an era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era([u8; 8]);

impl Era {
    fn random() -> Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|_| StoreError::Unavailable("the system gives no randomness".to_owned()))?;
        Ok(Self(bytes))
    }

    fn parse(text: &str) -> Result<Self> {
        let bytes = hayward_domain::id::from_base32(text).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        bytes.map(Self).ok_or(StoreError::Corrupt("the mark of an era"))
    }

    /// The mark as a number, for cursors.
    #[must_use]
    pub fn number(self) -> i64 {
        i64::from_be_bytes(self.0)
    }

    /// The mark as text.
    #[must_use]
    pub fn text(self) -> String {
        base32(&self.0)
    }
}

/// What cursors are sealed with.
#[derive(Clone, Copy)]
pub struct CursorKey {
    /// The key, and the one before it.
    pub keys: CursorKeys,
    /// The era that they are good in.
    pub era: i64,
}

const NEWEST: &str = "select mark as value from eras order by since desc limit 1";

/// The era that stands. A fresh commons begins its first here, and gets the id that tells it from every other one.
pub(crate) fn current(db: &Db, clock: &dyn Fn() -> Moment) -> Result<(Era, String)> {
    let commons = "select value from settings where name = 'commons'";
    let found = db.read(Eyes::Own, |conn| {
        Ok::<_, StoreError>((conn.first::<Word>(Sql::new(NEWEST))?, conn.first::<Word>(Sql::new(commons))?))
    })?;
    if let (Some(mark), Some(commons)) = found {
        return Ok((Era::parse(&mark.value)?, commons.value));
    }
    let (first, id, now) = (Era::random()?, Era::random()?.text(), clock());
    db.write(|conn| {
        // Whoever comes first founds it; the others find what stands.
        let insert = "insert into eras (mark, since, began_at) values (?, 0, ?) on conflict (since) do nothing";
        conn.execute(Sql::new(insert).bind(first.text()).bind(now))?;
        let insert = "insert into settings (name, value) values ('commons', ?) on conflict (name) do nothing";
        conn.execute(Sql::new(insert).bind(id))?;
        let mark = conn.one::<Word>(Sql::new(NEWEST))?.value;
        Ok((Era::parse(&mark)?, conn.one::<Word>(Sql::new(commons))?.value))
    })
}

/// Begins a new era in a commons that was just restored: every number leaps beyond what the lost commons can have handed out.
///
/// Nothing may be staged any more: a row above the old head would lie below the new one.
pub(crate) fn begin(db: &Db, now: Moment) -> Result<Era> {
    let era = Era::random()?;
    db.write(|conn| {
        leap(conn, now)?;
        let insert = "insert into eras (mark, since, began_at) select ?, number, ? from commit_counter";
        conn.execute(Sql::new(insert).bind(era.text()).bind(now))
    })?;
    Ok(era)
}

/// Numbers that a counter can hand out in a second, and to be on the safe side of a clock that went back.
const NUMBERS: i64 = 1 << 28;
const NUMBERS_AT_LEAST: i64 = 1 << 32;
/// The same for editions, which must stay exact in JSON.
const EDITIONS: i64 = 1 << 16;
const EDITIONS_AT_LEAST: i64 = 1 << 20;

fn leap(conn: &mut Conn, now: Moment) -> Result<()> {
    let seconds = (now.0 / 1_000_000).max(0);
    let numbers = [("counters", "next"), ("commit_counter", "number"), ("shares", "named")];
    for (table, column) in numbers {
        beyond(conn, table, column, NUMBERS_AT_LEAST, seconds.saturating_mul(NUMBERS))?;
    }
    let edition = seconds.saturating_mul(EDITIONS);
    // Before the heads, from which it is told whether a share waits to be rebuilt.
    let floors = "update shares set floor = 1 + case when head + ? > ? then head + ? else ? end where floor > head";
    let floors = Sql::new(floors).bind(EDITIONS_AT_LEAST).bind(edition).bind(EDITIONS_AT_LEAST).bind(edition);
    conn.execute(floors)?;
    for table in ["datasets", "shares"] {
        beyond(conn, table, "head", EDITIONS_AT_LEAST, edition)?;
    }
    let versions = versions_from(conn)?.saturating_add(1_000).max(seconds.saturating_sub(YEAR_2020));
    let upsert =
        "insert into settings (name, value) values ('versions_from', ?) on conflict (name) do update set value = excluded.value";
    conn.execute(Sql::new(upsert).bind(versions.to_string())).map(drop)
}

/// 2020-01-01T00:00:00Z, in seconds since 1970.
const YEAR_2020: i64 = 1_577_836_800;

/// The lowest number that the next version of an agreement may have: 1 until a backup is restored.
pub(crate) fn versions_from(conn: &mut Conn) -> Result<i64> {
    let select = "select value from settings where name = 'versions_from'";
    let Some(row) = conn.first::<Word>(Sql::new(select))? else { return Ok(1) };
    row.value.parse().map_err(|_| StoreError::Corrupt("the number of the next version"))
}

/// Moves a number on by `least`, and to `clock` if that is further.
fn beyond(conn: &mut Conn, table: &str, column: &str, least: i64, clock: i64) -> Result<()> {
    let update = format!("update {table} set {column} = case when {column} + ? > ? then {column} + ? else ? end");
    conn.execute(Sql::new(&update).bind(least).bind(clock).bind(least).bind(clock)).map(drop)
}

/// The same for the ledger's one counter.
pub(crate) fn leap_ledger(db: &Db, now: Moment) -> Result<()> {
    let seconds = (now.0 / 1_000_000).max(0);
    db.write(|conn| beyond(conn, "counters", "next", NUMBERS_AT_LEAST, seconds.saturating_mul(NUMBERS)))
}

/// The era of a database that may be older than eras are: what a backup writes down.
pub(crate) fn of_any_age(conn: &mut Conn) -> Result<Option<String>> {
    if !migrate::tables(conn)?.iter().any(|name| name == "eras") {
        return Ok(None);
    }
    Ok(conn.first::<Word>(Sql::new(NEWEST))?.map(|row| row.value))
}

impl Store {
    /// The era that this commons is in.
    #[must_use]
    pub fn era(&self) -> Era {
        self.era
    }

    /// What tells this commons from every other one. It outlasts restores.
    #[must_use]
    pub fn commons_id(&self) -> &str {
        &self.commons
    }

    /// What cursors are sealed with.
    #[must_use]
    pub fn cursor_key(&self) -> CursorKey {
        CursorKey { keys: self.keyring.cursor(), era: self.era.number() }
    }
}
