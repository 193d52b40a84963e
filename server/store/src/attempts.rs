//! Guesses: how often somebody tried, and how long they wait before they may try again.
//!
//! * A guess is counted as failed *before* it is looked at, in one transaction over every name it is counted under, and given back once it
//!   turns out right. So a hundred guesses at once, on any number of servers, are no cheaper than one after the other.
//! * Each name has so many free failures, and then a wait that doubles up to a limit. A day without failures forgets them.
//! * What anybody can fill (an account) has a short limit: nobody is kept out for long by somebody else. Who has proved themselves
//!   there from the same network before does not wait for it at all.
//! * Names are hashes under the commons' key: from the table nobody learns an address or who was tried.

use std::time::Duration;

use hayward_domain::moment::Moment;

use crate::Store;
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use crate::{dialect, keys};

/// How long a failure counts.
const REMEMBERED: Duration = Duration::from_secs(86_400);
/// How long it counts in somebody's favour that they proved themselves from a network.
const FAMILIAR: Duration = Duration::from_secs(90 * 86_400);

/// How strictly a name is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strictness {
    /// Failures that cost nothing.
    pub free: i64,
    /// The longest wait.
    pub longest: Duration,
    /// Whether somebody who proved themselves under the first name does not wait for this one.
    pub spares_familiar: bool,
}

/// One name that a guess is counted under.
#[derive(Clone)]
pub struct Counted {
    /// What is counted, in the clear: hashed before it is kept.
    pub name: String,
    /// How strictly.
    pub strictness: Strictness,
}

rows! {
    AttemptRow { failures: i64, last_at: i64, until: i64, passed_at: Option<i64> }
}

/// How a name stands now.
struct Standing {
    who: String,
    strictness: Strictness,
    row: AttemptRow,
}

impl Standing {
    fn familiar(&self, now: Moment) -> bool {
        self.row.passed_at.is_some_and(|at| at > now.minus(FAMILIAR).0)
    }

    fn failures(&self, now: Moment) -> i64 {
        if self.row.last_at < now.minus(REMEMBERED).0 { 0 } else { self.row.failures }
    }
}

/// How long to wait after so many failures.
fn wait(failures: i64, strictness: Strictness) -> Duration {
    let over = failures.saturating_sub(strictness.free);
    // Any number that is too large for the shift is beyond every limit, too.
    let seconds = match u32::try_from(over.saturating_sub(1)) {
        _ if over <= 0 => 0,
        Ok(doublings) => 1_u64.checked_shl(doublings).unwrap_or(u64::MAX),
        Err(_) => u64::MAX,
    };
    Duration::from_secs(seconds).min(strictness.longest)
}

impl Store {
    /// Counts a guess under each name, before it is looked at.
    ///
    /// # Errors
    /// [`StoreError::TooSoon`] with the seconds to wait; nothing is counted then.
    pub fn attempt(&self, names: &[Counted]) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let mut standing = self.locked(conn, names, now)?;
            let familiar = standing.first().is_some_and(|first| first.familiar(now));
            let until =
                standing.iter().filter(|one| !(familiar && one.strictness.spares_familiar)).map(|one| one.row.until).max();
            if let Some(micros) = until.map(|until| until - now.0).filter(|left| *left > 0) {
                let seconds = u64::try_from(micros).unwrap_or_default().div_ceil(1_000_000);
                return Err(StoreError::TooSoon(seconds));
            }
            for one in &mut standing {
                let failures = one.failures(now) + 1;
                let until = now.plus(wait(failures, one.strictness));
                let update = "update attempts set failures = ?, last_at = ?, until = ? where who = ?";
                conn.execute(Sql::new(update).bind(failures).bind(now).bind(until).bind(&one.who))?;
            }
            Ok(())
        })
    }

    /// Takes a guess back that turned out right. `proved` says whether somebody proved with it who they are: what is counted against
    /// them alone is forgotten then, and they are familiar under the first name.
    ///
    /// # Errors
    /// Only the database's.
    pub fn attempt_was_right(&self, names: &[Counted], proved: bool) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            for (at, one) in self.locked(conn, names, now)?.iter().enumerate() {
                let alone = proved && (at == 0 || one.strictness.spares_familiar);
                let failures = if alone { 0 } else { (one.row.failures - 1).max(0) };
                let passed_at = if proved && at == 0 { Some(now.0) } else { one.row.passed_at };
                // The wait goes as well: it was this guess's own, since none is looked at while another's lasts.
                let update = "update attempts set failures = ?, until = ?, passed_at = ? where who = ?";
                conn.execute(Sql::new(update).bind(failures).bind(now).bind(passed_at).bind(&one.who))?;
            }
            Ok(())
        })
    }

    /// Forgets what no longer counts. Returns how many rows went.
    ///
    /// # Errors
    /// Only the database's.
    pub fn prune_attempts(&self) -> Result<usize> {
        let now = (self.clock)();
        let delete = "delete from attempts where who in (select who from attempts where last_at < ?
            and (passed_at is null or passed_at < ?) order by last_at limit 1000)";
        let delete = Sql::new(delete).bind(now.minus(REMEMBERED)).bind(now.minus(FAMILIAR));
        self.until_none(|conn| conn.execute(delete.clone()))
    }

    /// Every name's row, locked in an order that is the same for all, and handed back in the order of `names`.
    fn locked(&self, conn: &mut Conn, names: &[Counted], now: Moment) -> Result<Vec<Standing>> {
        let hashed: Vec<String> = names.iter().map(|one| self.keyring.attempt_print(&one.name)).collect();
        let mut ordered: Vec<&String> = hashed.iter().collect();
        ordered.sort_unstable();
        for who in ordered {
            // The insert waits for whoever holds the row; the update of nothing locks it on both databases.
            let insert = "insert into attempts (who, failures, last_at, until) values (?, 0, ?, 0)
                on conflict (who) do update set failures = attempts.failures";
            conn.execute(Sql::new(insert).bind(who).bind(now))?;
        }
        let lock = dialect::for_update(conn.kind());
        let select = format!("select failures, last_at, until, passed_at from attempts where who = ?{lock}");
        names
            .iter()
            .zip(hashed)
            .map(|(one, who)| {
                let row = conn.one::<AttemptRow>(Sql::new(&select).bind(&who))?;
                Ok(Standing { who, strictness: one.strictness, row })
            })
            .collect()
    }
}

impl keys::Keyring {
    /// What stands for a name that guesses are counted under.
    fn attempt_print(&self, name: &str) -> String {
        self.print_of("hayward attempts", name)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Strictness, wait};

    #[test]
    fn a_wait_doubles_from_a_second_up_to_its_limit() {
        let strictness = Strictness { free: 2, longest: Duration::from_secs(30), spares_familiar: false };
        let waits: Vec<u64> = (0..10).chain([70, i64::MAX]).map(|failures| wait(failures, strictness).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30, 30]);
    }
}
