//! What a commons closed, as it is written down outside its database.
//!
//! * Suspending, ending, withdrawing, declining, certifying, narrowing, revoking, leaving and erasing are noted once they are committed and before
//!   they are acknowledged: a restore of an older backup must not open again what somebody was told is closed.
//! * Nothing that opens is noted. After a restore stewards resume and approve again what the archive does not have; until then it
//!   stays closed. So does a key that was erased, although somebody may have lifted that.
//! * A note carries no name and no reason: ids, and the terms where there are narrower ones.
//! * Where notes are kept is the caller's ([`Store::note_in`]). If one cannot be kept, the change stands and the caller is told that
//!   it is not acknowledged.

use std::io;

use hayward_domain::moment::Moment;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Result, StoreError};
use crate::{Decision, Store};

/// One thing that was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Closing {
    /// A version was stopped by one of its sides.
    Stopped {
        /// The agreement.
        agreement: String,
        /// The version.
        version: i64,
        /// In which way.
        how: Stop,
        /// `provider` or `recipient`.
        side: String,
        /// The id of whoever did it.
        by: String,
    },
    /// A narrower version took effect.
    Narrowed {
        /// The agreement.
        agreement: String,
        /// The version that took effect.
        version: i64,
        /// What it says, in full.
        terms: Value,
        /// The id of whoever did it.
        by: String,
    },
    /// A token was revoked.
    TokenRevoked {
        /// The hash it is kept under.
        hash: String,
    },
    /// A member co-op left.
    Left {
        /// Its id.
        organization: String,
        /// The id of whoever said so.
        by: String,
    },
    /// A record was erased. No value of it: its number, and hashes of its keys under the commons' key.
    Erased {
        /// The erasure.
        erasure: String,
        /// The list.
        dataset: String,
        /// The number of the record.
        record: i64,
        /// The hashes.
        keys: Vec<String>,
        /// The id of whoever said so.
        by: String,
    },
    /// A program was revoked, with every token it held.
    ClientRevoked {
        /// Its id.
        client: String,
    },
}

/// The ways in which a side stops a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// For the time being.
    Suspend,
    /// For good.
    End,
    /// Before it came into force, by whoever proposed it or had agreed.
    Withdraw,
    /// Before it came into force, by the side that was asked.
    Decline,
    /// After its end: the copies are deleted or kept under the terms, and the agreement's secret is destroyed.
    Certify,
}

impl Stop {
    /// How a decision stops a version, if it does.
    pub(crate) fn of(decision: Decision) -> Option<Self> {
        match decision {
            Decision::Suspend => Some(Self::Suspend),
            Decision::End => Some(Self::End),
            Decision::Withdraw => Some(Self::Withdraw),
            Decision::Decline => Some(Self::Decline),
            Decision::Certify => Some(Self::Certify),
            Decision::Approve | Decision::Resume | Decision::Recuse => None,
        }
    }
}

/// What was closed, when, and where in the order of commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The id of the commons.
    pub commons: String,
    /// Its era.
    pub era: String,
    /// The commit that closed it, or the newest before it.
    pub commit: i64,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What.
    pub closing: Closing,
}

/// Keeps a note; when it returns, the note is durable.
pub type Keep = Box<dyn Fn(&Note) -> io::Result<()> + Send + Sync>;

impl Store {
    /// From now on, what is closed is noted with `keep` before it is acknowledged. Only the first call counts.
    pub fn note_in(&self, keep: Keep) {
        // A store is told once, when the program starts.
        let _told_before = self.keep.set(keep);
    }

    /// Notes what commit `commit` closed.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `journal-unavailable`: it is closed, and that is not safe against a restore.
    pub(crate) fn write_down(&self, commit: i64, at: Moment, closing: Closing) -> Result<()> {
        let Some(keep) = self.keep.get() else { return Ok(()) };
        let (commons, era) = (self.commons.clone(), self.era.text());
        keep(&Note { commons, era, commit, at: at.0, closing }).map_err(|error| {
            tracing::error!(%error, "the journal cannot be written: what was closed now would be open again after a restore");
            StoreError::refused(
                "journal-unavailable",
                "this is done, but could not be written down outside the database; tell the operator",
            )
        })
    }
}
