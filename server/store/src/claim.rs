//! One writer per dataset.
//!
//! * Whoever writes a dataset or rebuilds one of its shares holds its claim: a row with a token, a purpose and a lease.
//! * The token grows with every claim. Every transaction of the writer locks the row and checks the token, so a writer that was
//!   thought dead and wakes up can write nothing more ([`StoreError::Fenced`]).
//! * The lease is renewed by every such transaction. Once it has run out, the next claimer takes over.
//! * A transaction that stages ([`Claim::stage`]) is not waited for until it is safe on disk: a database that crashes may forget it.
//!   The claim counts them, and one that was forgotten fences the writer whose rows it had.
//! * `dirty` is set before the first staged row and cleared when nothing staged is left. A claimer that finds it set first
//!   removes what was staged (`born > head`) and revives what was closed (`died = head + 1`), in the dataset and in its shares.
//! * Nothing is recovered at start-up as such: another server may be in the middle of its work.
//! * Floors and changes of state never wait for a claim; only building and rebuilding does. An erasure waits a little, and then takes
//!   the claim from whoever has it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hayward_domain::moment::Moment;

use crate::conn::{Conn, Db};
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};

/// How long a writer may be silent before it is thought dead.
const LEASE: Duration = Duration::from_secs(30);
/// How long a claimer waits for the writer before it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The right to write one dataset.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) dataset: i64,
    token: i64,
    /// Transactions that staged something since the dataset was last known to be clean.
    staged: Arc<AtomicI64>,
}

/// How often a writer that only reads says that it is alive.
const RENEW: Duration = Duration::from_secs(5);

/// A claim that is renewed while nothing is written.
pub(crate) struct Lease {
    pub(crate) claim: Claim,
    renewed: Mutex<Instant>,
}

impl Lease {
    pub(crate) fn new(claim: Claim) -> Self {
        Self { claim, renewed: Mutex::new(Instant::now()) }
    }

    /// Says that the writer is alive, if it has been silent for long.
    pub(crate) fn renew(&self, db: &Db, clock: &dyn Fn() -> Moment) -> Result<()> {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.elapsed() > RENEW {
            let now = clock();
            db.write(|conn| self.claim.renew(conn, now))?;
            *renewed = Instant::now();
        }
        Ok(())
    }
}

rows! {
    ClaimRow { token: i64, purpose: Option<String>, until: i64, dirty: i64 }
    ShareHead { number: i64, head: i64 }
}

/// Claims `dataset`, waiting a little for whoever has it, and clears away what an earlier claimer left half done.
pub(crate) fn take(db: &Db, clock: &dyn Fn() -> Moment, dataset: i64, purpose: &str) -> Result<Claim> {
    let started = Instant::now();
    loop {
        match try_take(db, clock(), dataset, purpose, false) {
            Err(StoreError::Busy(_)) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            Ok((claim, dirty)) => {
                if dirty {
                    recover(db, clock, &claim)?;
                }
                return Ok(claim);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Claims `dataset` for what goes before all other work: waits a little for whoever has it, and then takes it away. What that one has
/// staged is removed, and whatever it still writes is refused.
pub(crate) fn take_over(db: &Db, clock: &dyn Fn() -> Moment, dataset: i64, purpose: &str) -> Result<Claim> {
    let busy = match take(db, clock, dataset, purpose) {
        Err(busy @ StoreError::Busy(_)) => busy,
        taken => return taken,
    };
    tracing::info!(%busy, purpose, "a list is taken from its writer");
    let (claim, dirty) = try_take(db, clock(), dataset, purpose, true)?;
    if dirty {
        recover(db, clock, &claim)?;
    }
    Ok(claim)
}

fn try_take(db: &Db, now: Moment, dataset: i64, purpose: &str, from_anybody: bool) -> Result<(Claim, bool)> {
    db.write(|conn| {
        let lock = dialect::for_update(conn.kind());
        let select = format!("select token, purpose, until, dirty from claims where dataset = ?{lock}");
        let row = conn.one::<ClaimRow>(Sql::new(&select).bind(dataset))?;
        if let Some(purpose) = row.purpose.filter(|_| row.until > now.0 && !from_anybody) {
            return Err(StoreError::Busy(purpose));
        }
        let token = row.token + 1;
        let update = "update claims set token = ?, purpose = ?, until = ?, staged = 0 where dataset = ?";
        conn.execute(Sql::new(update).bind(token).bind(purpose).bind(now.plus(LEASE)).bind(dataset))?;
        Ok((Claim { dataset, token, staged: Arc::default() }, row.dirty == 1))
    })
}

impl Claim {
    /// Renews the lease, while another thread of the same writer may be staging.
    fn renew(&self, conn: &mut Conn, now: Moment) -> Result<()> {
        let update = "update claims set until = ? where dataset = ? and token = ?";
        held(conn.execute(Sql::new(update).bind(now.plus(LEASE)).bind(self.dataset).bind(self.token)))
    }

    /// Locks the claim for the rest of this transaction, checks that it still holds and that everything staged is there, and renews
    /// its lease.
    pub(crate) fn check(&self, conn: &mut Conn, now: Moment) -> Result<()> {
        let update = "update claims set until = ? where dataset = ? and token = ? and staged = ?";
        held(conn.execute(self.bound(Sql::new(update).bind(now.plus(LEASE)))))
    }

    /// Runs `f` in one transaction that stages rows: nobody sees them before a later transaction says so, which also makes them
    /// durable.
    pub(crate) fn stage<T>(&self, db: &Db, now: Moment, f: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let update = "update claims set until = ?, dirty = 1, staged = staged + 1 where dataset = ? and token = ? and staged = ?";
        let done = db.stage(|conn| {
            held(conn.execute(self.bound(Sql::new(update).bind(now.plus(LEASE)))))?;
            f(conn)
        })?;
        self.staged.fetch_add(1, Ordering::Relaxed);
        Ok(done)
    }

    /// Gives the dataset back, in the transaction that made everything staged visible.
    pub(crate) fn release(&self, conn: &mut Conn) -> Result<()> {
        let update = "update claims set purpose = null, until = 0, dirty = 0 where dataset = ? and token = ? and staged = ?";
        held(conn.execute(self.bound(Sql::new(update))))
    }

    fn bound(&self, sql: Sql) -> Sql {
        sql.bind(self.dataset).bind(self.token).bind(self.staged.load(Ordering::Relaxed))
    }

    /// Gives the dataset back after removing what was staged.
    pub(crate) fn abandon(&self, db: &Db, clock: &dyn Fn() -> Moment) -> Result<()> {
        recover(db, clock, self)?;
        db.write(|conn| self.release(conn))
    }
}

/// A claim that holds is a row that was touched.
fn held(touched: Result<usize>) -> Result<()> {
    if touched? == 1 { Ok(()) } else { Err(StoreError::Fenced) }
}

/// Rows touched by one transaction of the clean-up: short enough for other writers to get in between.
const CHUNK: i64 = 1_000;

fn recover(db: &Db, clock: &dyn Fn() -> Moment, claim: &Claim) -> Result<()> {
    // What was staged goes, all of it or what is left of it: counting begins anew.
    let now = clock();
    db.write(|conn| {
        claim.renew(conn, now)?;
        conn.execute(Sql::new("update claims set staged = 0 where dataset = ?").bind(claim.dataset))
    })?;
    claim.staged.store(0, Ordering::Relaxed);
    let head = "select number, head from datasets where number = ?";
    let head = db.write(|conn| conn.one::<ShareHead>(Sql::new(head).bind(claim.dataset)))?.head;
    unstage(db, clock, claim, "records", "dataset", claim.dataset, head)?;
    let shares = "select number, head from shares where dataset = ?";
    for share in db.write(|conn| conn.load::<ShareHead>(Sql::new(shares).bind(claim.dataset)))? {
        unstage(db, clock, claim, "shared_records", "share", share.number, share.head)?;
    }
    let now = clock();
    db.write(|conn| {
        claim.check(conn, now)?;
        conn.execute(Sql::new("update claims set dirty = 0 where dataset = ?").bind(claim.dataset))?;
        Ok(())
    })
}

/// Removes what is born above `head` and revives what dies right above it, a chunk at a time and from the table's end, where staged
/// rows lie together.
fn unstage(db: &Db, clock: &dyn Fn() -> Moment, claim: &Claim, table: &str, column: &str, number: i64, head: i64) -> Result<()> {
    let newborn =
        format!("select row as value from {table} where {column} = ? and born > ? order by born desc, row desc limit ?");
    let dying = format!(
        "select row as value from {table} where {column} = ? and died > ? and died < 9223372036854775807 order by died limit ?"
    );
    // In this order: a key may be live only once.
    let steps = [
        (newborn, format!("delete from {table} where row in ")),
        (dying, format!("update {table} set died = 9223372036854775807 where row in ")),
    ];
    for (select, change) in steps {
        loop {
            let now = clock();
            let touched = claim.stage(db, now, |conn| {
                let rows = conn.load::<Number>(Sql::new(&select).bind(number).bind(head).bind(CHUNK))?;
                if rows.is_empty() {
                    return Ok(0);
                }
                let mut change = Sql::new(&change);
                change.list(rows.into_iter().map(|row| row.value));
                conn.execute(change)
            })?;
            if touched == 0 {
                break;
            }
        }
    }
    Ok(())
}
