//! What was answered to requests that may be sent again.
//!
//! * A request with an `Idempotency-Key` is noted before anything is done, and what was answered after it. The same request again gets
//!   the same answer; nothing is done twice, on any number of servers: who notes a key first does the work.
//! * A server that ends in between leaves a key of which nobody knows what became of it. It is never done again under that key.
//! * Of key and request only hashes are kept. A body that was answered may hold a cell of a list: it lies where the list itself lies,
//!   in no backup, for a day at most, and every erasure takes all those of its organization away.
//! * Who may ask is decided before anything is looked up here, as for every request; a key is its caller's alone.

use std::time::Duration;

use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::sql::{Sql, rows};
use crate::{Caller, Store};

/// How long an answer is kept.
pub const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How long a request may be under way before its server is thought to have ended.
const LONGEST: Duration = Duration::from_secs(3_600);

/// An answer that was given.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Of method, address and body: tells whether a request is the same.
    pub request: String,
    /// The status.
    pub status: i64,
    /// Headers that go with it, one a line, `name: value`.
    pub headers: String,
    /// The body; nothing where it was too large to keep, or is forgotten.
    pub body: Option<String>,
}

/// What is known of a key.
pub enum Begun {
    /// Nothing: go on, and say what came of it.
    New,
    /// Somebody is at it.
    UnderWay,
    /// Somebody was at it, and nobody knows what came of it.
    Unknown,
    /// It is done.
    Done(KeptAnswer),
}

rows! {
    AnswerRow { state: String, request: Option<String>, status: Option<i64>, headers: Option<String>, body: Option<String>, at: i64 }
}

impl Store {
    /// Notes that the caller does something under a key, unless something is known of that key.
    ///
    /// # Errors
    /// Only the database's.
    pub fn begin_answer(&self, caller: &Caller, key: &str) -> Result<Begun> {
        let now = (self.clock)();
        let old = now.minus(ANSWERS_KEPT);
        let insert = "insert into kept_answers (caller, key, organization, state, at) values (?, ?, ?, 'under_way', ?)
            on conflict (caller, key) do nothing";
        let insert = Sql::new(insert).bind(caller.name()).bind(key).bind(caller.organization.0).bind(now);
        self.db.write(|conn| {
            conn.execute(Sql::new("delete from kept_answers where at < ?").bind(old))?;
            if conn.execute(insert)? == 1 {
                return Ok(Begun::New);
            }
            let select = "select state, request, status, headers, body, at from kept_answers where caller = ? and key = ?";
            let row = conn.one::<AnswerRow>(Sql::new(select).bind(caller.name()).bind(key))?;
            Ok(match (row.state.as_str(), row.request, row.status) {
                ("done", Some(request), Some(status)) => {
                    Begun::Done(KeptAnswer { request, status, headers: row.headers.unwrap_or_default(), body: row.body })
                }
                ("under_way", ..) if row.at > now.minus(LONGEST).0 => Begun::UnderWay,
                _ => Begun::Unknown,
            })
        })
    }

    /// Keeps what was answered.
    ///
    /// # Errors
    /// Only the database's.
    pub fn keep_answer(&self, caller: &Caller, key: &str, answer: &KeptAnswer) -> Result<()> {
        let update = "update kept_answers set state = 'done', request = ?, status = ?, headers = ?,
            body = case when headers is null then ? end where caller = ? and key = ? and state = 'under_way'";
        let update = Sql::new(update).bind(&answer.request).bind(answer.status).bind(&answer.headers).bind(answer.body.clone());
        let update = update.bind(caller.name()).bind(key);
        self.db.write(|conn| conn.execute(update).map(drop))
    }

    /// Forgets a key under which nothing was done.
    ///
    /// # Errors
    /// Only the database's.
    pub fn drop_answer(&self, caller: &Caller, key: &str) -> Result<()> {
        let delete = "delete from kept_answers where caller = ? and key = ? and state = 'under_way'";
        let delete = Sql::new(delete).bind(caller.name()).bind(key);
        self.db.write(|conn| conn.execute(delete).map(drop))
    }

    /// Notes that nobody knows what came of a key.
    ///
    /// # Errors
    /// Only the database's.
    pub fn lose_answer(&self, caller: &Caller, key: &str) -> Result<()> {
        let update = "update kept_answers set state = 'unknown' where caller = ? and key = ? and state = 'under_way'";
        let update = Sql::new(update).bind(caller.name()).bind(key);
        self.db.write(|conn| conn.execute(update).map(drop))
    }

    /// Deletes what is older than a day. How many answers went.
    ///
    /// # Errors
    /// Only the database's.
    pub fn drop_old_answers(&self) -> Result<usize> {
        let old = (self.clock)().minus(ANSWERS_KEPT);
        let any = Sql::new("select caller as value from kept_answers where at < ? limit 1").bind(old);
        if self.db.read(Eyes::Own, |conn| conn.first::<crate::sql::Word>(any))?.is_none() {
            return Ok(0);
        }
        let delete = Sql::new("delete from kept_answers where at < ?").bind(old);
        self.db.write(|conn| conn.execute(delete))
    }
}

/// Takes away every body that may hold what somebody erases.
pub(crate) fn forget_bodies(conn: &mut Conn, dataset: i64) -> Result<()> {
    // Of what is under way, too: its answer may have been made before. Headers that stand already keep the body out.
    let update = "update kept_answers set body = null, headers = coalesce(headers, '')
        where organization = (select organization from datasets where number = ?) and (body is not null or headers is null)";
    conn.execute(Sql::new(update).bind(dataset)).map(drop)
}
