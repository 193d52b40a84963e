//! Looking at a commons' databases as they are: for `hayward doctor`.
//!
//! Nothing here writes, migrates or makes a file, and nothing reads a row of a list: a commons that something is wrong with must
//! not be changed by being looked at.

use hayward_domain::moment::Moment;
use serde_json::Value;

use crate::conn::{Conn, DatabaseUrl, Db, Eyes};
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::ledger;
use crate::ledger::ledger_url;
use crate::migrate::{self, Tree};
use crate::sql::{Number, Sql, Word, rows};

/// Two databases, looked at.
pub struct Inspector {
    commons: Db,
    ledger: Db,
}

/// How far a database was migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The last step that it has been through.
    pub done: i64,
    /// The last step that this program knows.
    pub known: i64,
}

/// When something was last written: the newest of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Newest {
    /// An edition of a list.
    pub edition: Option<Moment>,
    /// An event of an agreement.
    pub event: Option<Moment>,
    /// An entry of the ledger.
    pub entry: Option<Moment>,
}

/// What was begun and not ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stale {
    /// Lists whose writer fell silent.
    pub silent: i64,
    /// Of those, lists that hold rows which nobody can see.
    pub dirty: i64,
    /// Imports that were interrupted.
    pub interrupted: i64,
}

/// What waits for the sealer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsealed {
    /// How many entries.
    pub count: i64,
    /// When the oldest of them was written.
    pub oldest: Option<Moment>,
}

/// The end of one provider's chain.
pub struct Tail {
    /// The last links in order: the entry, the hash before it, its hash.
    pub links: Vec<(Value, String, String)>,
    /// Whether the newest checkpoint covers a link of this chain with the hash that stands there.
    pub covered: bool,
}

rows! {
    StaleRow { silent: i64, dirty: i64 }
    WhenRow { at: i64 }
    UnsealedRow { count: i64, oldest: Option<i64> }
    PointRow { provider: String, position: i64 }
}

impl Inspector {
    /// Looks at the databases of a commons, as they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no file.
    pub fn open(url: &DatabaseUrl) -> Result<Self> {
        let ledger = ledger_url(url);
        for each in [url, &ledger] {
            if let DatabaseUrl::Sqlite(path) = each
                && !path.is_file()
            {
                return Err(StoreError::NotFound);
            }
        }
        Ok(Self { commons: Db::open(url, "public", 2)?, ledger: Db::open(&ledger, "ledger", 2)? })
    }

    fn look<T>(&self, f: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.commons.read(Eyes::Own, f)
    }

    /// How far the commons and its ledger were migrated.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn steps(&self) -> Result<[Steps; 2]> {
        let done = |db: &Db| db.read(Eyes::Own, migrate::done);
        let (commons, ledger) = (done(&self.commons)?, done(&self.ledger)?);
        Ok([(commons, Tree::Commons), (ledger, Tree::Ledger)].map(|(done, tree)| Steps { done, known: tree.last_step() }))
    }

    /// The database's own clock, where it has one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn clock(&self) -> Result<Option<Moment>> {
        self.look(|conn| match dialect::clock(conn.kind()) {
            Some(select) => Ok(Some(Moment(conn.one::<Number>(Sql::new(select))?.value))),
            None => Ok(None),
        })
    }

    /// Whether recipients can be served: on PostgreSQL, whether the program may take the role for that.
    ///
    /// # Errors
    /// If they cannot.
    pub fn can_serve(&self) -> Result<()> {
        let select = Sql::new("select number as value from commit_counter");
        self.commons.read(Eyes::Recipient, |conn| conn.one::<Number>(select).map(drop))
    }

    /// What is wrong with the structure of the files: nothing, as far as the database can tell, if it is empty.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let check = |conn: &mut Conn| match dialect::integrity(conn.kind()) {
            Some(select) => conn.load::<Word>(Sql::new(select)),
            None => Ok(Vec::new()),
        };
        let found = [self.look(check)?, self.ledger.read(Eyes::Own, check)?];
        Ok(found.into_iter().flatten().map(|row| row.value).filter(|line| line != "ok").collect())
    }

    /// One fact that was noted about the commons.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn noted(&self, name: &str) -> Result<Option<String>> {
        let select = Sql::new("select value from settings where name = ?").bind(name);
        Ok(self.look(|conn| conn.first::<Word>(select))?.map(|row| row.value))
    }

    /// When something was last written.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn newest(&self) -> Result<Newest> {
        let at = |conn: &mut Conn, select: &str| Ok(conn.first::<WhenRow>(Sql::new(select))?.map(|row| Moment(row.at)));
        Ok(Newest {
            edition: self.look(|conn| at(conn, "select at from editions order by at desc limit 1"))?,
            event: self.look(|conn| at(conn, "select at from agreement_events order by number desc limit 1"))?,
            entry: self.ledger.read(Eyes::Own, |conn| at(conn, "select at from entries order by row desc limit 1"))?,
        })
    }

    /// What was begun and not ended.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn stale(&self, now: Moment) -> Result<Stale> {
        self.look(|conn| stale(conn, now))
    }

    /// What waits for the sealer.
    ///
    /// # Errors
    /// If the ledger does not answer.
    pub fn unsealed(&self) -> Result<Unsealed> {
        self.ledger.read(Eyes::Own, unsealed)
    }

    /// The last `links` links of every chain.
    ///
    /// # Errors
    /// If the ledger does not answer.
    pub fn tails(&self, links: i64) -> Result<Vec<Tail>> {
        let newest = "select provider, max(position) as position from checkpoints group by provider";
        self.ledger.read(Eyes::Own, |conn| {
            let points = conn.load::<PointRow>(Sql::new(newest))?;
            points.into_iter().map(|point| tail(conn, &point, links)).collect()
        })
    }
}

pub(crate) fn stale(conn: &mut Conn, now: Moment) -> Result<Stale> {
    let claims = "select count(*) as silent, count(case when dirty = 1 then 1 end) as dirty from claims
        where until < ? and (purpose is not null or dirty = 1)";
    let imports = "select count(*) as value from imports where state = 'interrupted'";
    let StaleRow { silent, dirty } = conn.one::<StaleRow>(Sql::new(claims).bind(now))?;
    Ok(Stale { silent, dirty, interrupted: conn.one::<Number>(Sql::new(imports))?.value })
}

pub(crate) fn unsealed(conn: &mut Conn) -> Result<Unsealed> {
    let select = "select count(*) as count, min(at) as oldest from entries
        where row > (select row from sealed where only_row = 1)";
    let row = conn.one::<UnsealedRow>(Sql::new(select))?;
    Ok(Unsealed { count: row.count, oldest: row.oldest.map(Moment) })
}

fn tail(conn: &mut Conn, point: &PointRow, links: i64) -> Result<Tail> {
    let newest = "select coalesce(max(position), 0) as value from entry_parties where organization = ?";
    let newest = conn.one::<Number>(Sql::new(newest).bind(&point.provider))?.value;
    let links = ledger::links(conn, &point.provider, (newest - links).max(0), links)?;
    let signed = Sql::new("select hash as value from checkpoints where provider = ? and position = ?");
    let signed = conn.one::<Word>(signed.bind(&point.provider).bind(point.position))?.value;
    let covered = links.iter().any(|(_, link)| link.position == point.position && link.hash == signed);
    Ok(Tail { links: links.into_iter().map(|(entry, link)| (entry, link.previous, link.hash)).collect(), covered })
}
