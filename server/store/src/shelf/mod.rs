//! What recipients read: `shared_records`, in one snapshot with the token and the agreements that open it.
//!
//! A [`View`] is that snapshot. On PostgreSQL it runs under a role that can read no original. [`shares`] says which shares answer in
//! it, [`rows`] which rows they show.

mod facets;
mod names;
mod refused;
mod rows;
mod selection;
mod shares;
mod since;

use std::time::Instant;

use hayward_domain::disclose::SharedRecord;
use hayward_domain::keys::RecordIdKeys;
use hayward_domain::moment::Moment;
use hayward_domain::mutants;

use crate::agreements::{MEMBERS, PUBLIC};
use crate::conn::{Conn, Eyes};
use crate::error::StoreError;
use crate::settings::day_of;
use crate::tokens::{self, Caller};
use crate::{Store, counter};

pub use facets::Facet;
pub use names::{Names, Shape};
pub use refused::RefusedUnder;
pub(crate) use rows::{SharedColumns, SharedRowRow};
pub use selection::{OpenOn, Place, Selection};
pub(crate) use shares::{ShareParts, Standing};
pub use shares::{ShareSummary, Shares};

/// How many visible rows a filter, a sort or a count may have to look at.
pub const BUDGET: i64 = 100_000;

/// Who reads.
#[derive(Clone)]
pub enum Viewer {
    /// The holder of the token with this hash.
    Token(String),
    /// Somebody without one: public shares only.
    Nobody,
}

/// Which shares of a collection a request selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareQuery {
    /// Only this agreement's.
    pub agreement: Option<String>,
    /// Only this provider's.
    pub provider: Option<String>,
    /// Only what is for one organization, for all members, or for the public.
    pub audience: Option<AudienceKind>,
}

/// The three audiences, the most specific first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudienceKind {
    /// One organization.
    Organization,
    /// All member co-ops.
    Members,
    /// Everyone.
    Public,
}

impl AudienceKind {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Members => "members",
            Self::Public => "public",
        }
    }

    /// The kind of an audience by its number.
    pub(crate) fn of(number: i64) -> Self {
        match number {
            MEMBERS => Self::Members,
            PUBLIC => Self::Public,
            _ => Self::Organization,
        }
    }
}

/// One shared record, on its way out.
pub struct SharedRow {
    /// The record's name for this recipient.
    pub id: String,
    /// Which of the page's shares it came under.
    pub share: i64,
    /// The share's edition in which it last changed.
    pub edition: i64,
    /// Its name in the ledger, within its share.
    pub name: i64,
    /// What is disclosed.
    pub record: SharedRecord,
    /// Its row: where the next page goes on. Not for the wire.
    pub row: i64,
}

/// One page of shared records.
pub struct SharedPage {
    /// The rows.
    pub rows: Vec<SharedRow>,
    /// The row after which the next page begins, if there is one.
    pub after: Option<i64>,
}

/// One snapshot, for one viewer.
pub struct View<'a> {
    pub(crate) store: &'a Store,
    pub(crate) conn: &'a mut Conn,
    ids: RecordIdKeys,
    /// Who the token says it is; nobody without a token.
    pub caller: Option<Caller>,
    /// The newest commit that this snapshot sees.
    pub commit: i64,
    /// Editions that older commits could see are gone.
    pruned: i64,
    /// When the snapshot was opened, or a little before.
    pub opened: Instant,
    pub(crate) now: Moment,
}

impl Store {
    /// Runs `f` in one snapshot, as `viewer`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a token that opens nothing, and whatever `f` returns.
    pub fn view<T, E: From<StoreError>>(
        &self,
        viewer: &Viewer,
        f: impl FnOnce(&mut View<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let now = (self.clock)();
        self.seen(f, |conn| match viewer {
            Viewer::Token(hash) => tokens::caller(conn, hash, now).map(|caller| {
                self.uses.note(hash, now);
                Some(caller)
            }),
            Viewer::Nobody => Ok(None),
        })
    }

    /// The same for a caller that is known without a token: to say what it would see, never to give it.
    pub(crate) fn view_as<T, E: From<StoreError>>(
        &self,
        caller: Caller,
        f: impl FnOnce(&mut View<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.seen(f, |_| Ok(Some(caller)))
    }

    fn seen<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut View<'_>) -> std::result::Result<T, E>,
        who: impl FnOnce(&mut Conn) -> crate::error::Result<Option<Caller>>,
    ) -> std::result::Result<T, E> {
        let opened = Instant::now();
        let now = (self.clock)();
        self.db.read(Eyes::Recipient, |conn| {
            let caller = who(conn)?;
            let (commit, pruned) = counter::kept(conn)?;
            f(&mut View { store: self, conn, ids: self.keyring.record_ids(), caller, commit, pruned, opened, now })
        })
    }
}

fn too_broad() -> StoreError {
    StoreError::refused("too-broad", "more rows are shared than a filter or a sort may look at; narrow the request")
}

impl View<'_> {
    /// The day of a moment, in the commons' time zone: `2026-12-01`.
    ///
    /// # Errors
    /// Only the database's.
    pub fn day(&mut self, at: Moment) -> crate::error::Result<String> {
        Ok(day_of(self.store.settings(self.conn)?.time_zone, at))
    }

    /// The numbers of the audiences that the viewer belongs to.
    pub(crate) fn audiences(&self) -> Vec<i64> {
        match &self.caller {
            Some(caller) => vec![caller.organization.0, MEMBERS, PUBLIC],
            None if mutants::on("members-are-public") => vec![MEMBERS, PUBLIC],
            None => vec![PUBLIC],
        }
    }
}
