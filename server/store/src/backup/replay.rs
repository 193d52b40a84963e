//! Closing again what was closed after the archive was made, from what the journals noted.
//!
//! Notes of another commons are none of ours. What was closed up to the archive's newest commit is in the archive, as closed or as
//! opened again since. A revocation of a token or a program, and leaving, is final, and is done again in any case.

use std::sync::Arc;

use hayward_domain::agreement::Side;
use hayward_domain::id::{AgreementId, OrganizationId};
use serde::Serialize;

use super::BackupError;
use super::archive::Header;
use crate::Store;
use crate::agreements::Again;
use crate::error::{Result, StoreError};
use crate::journal::{Closing, Note, Stop};

/// What became of one note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// What was noted.
    pub what: &'static str,
    /// About which agreement, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What came of it.
    pub outcome: Again,
}

/// Replays what belongs to the commons of `header` and is not in its archive, in the order in which it happened.
pub(super) fn replay(store: &Arc<Store>, header: &Header, notes: &[Note]) -> std::result::Result<Vec<Replayed>, BackupError> {
    let ours = |note: &&Note| header.commons.as_ref().is_none_or(|commons| *commons == note.commons);
    let since = |note: &&Note| match note.closing {
        Closing::Stopped { .. } | Closing::Narrowed { .. } => note.commit > header.commit,
        Closing::TokenRevoked { .. } | Closing::ClientRevoked { .. } | Closing::Left { .. } => true,
    };
    let mut notes: Vec<&Note> = notes.iter().filter(ours).filter(since).collect();
    notes.sort_by_key(|note| (note.commit, note.at));
    // The same journal may have been named twice, or a copy of it.
    notes.dedup();
    if !notes.is_empty() {
        // What the clock has ended meanwhile is over before anything is done about it.
        store.expire_due()?;
    }
    notes.into_iter().map(|note| Ok(one(store, &note.closing)?)).collect()
}

fn one(store: &Arc<Store>, closing: &Closing) -> Result<Replayed> {
    let revoked = |done: Result<()>| match done {
        Ok(()) => Ok(Again::Closed),
        Err(StoreError::NotFound) => Ok(Again::Nothing),
        Err(error) => Err(error),
    };
    Ok(match closing {
        Closing::Stopped { agreement, version, how, side, by } => {
            let (id, side) = (agreement_id(agreement)?, Side::parse(side).ok_or(StoreError::Corrupt("a note's side"))?);
            let outcome = store.stop_again(&id, *version, *how, side, by)?;
            Replayed { what: word(*how), agreement: Some(agreement.clone()), version: Some(*version), outcome }
        }
        Closing::Narrowed { agreement, version, terms, by } => {
            let outcome = store.narrow_again(&agreement_id(agreement)?, *version, terms, by)?;
            Replayed { what: "narrow", agreement: Some(agreement.clone()), version: Some(*version), outcome }
        }
        Closing::Left { organization, .. } => {
            let id = OrganizationId::parse(organization).ok_or(StoreError::Corrupt("a note's organization"))?;
            Replayed { what: "leave", agreement: None, version: None, outcome: store.leave_again(&id)? }
        }
        Closing::TokenRevoked { hash } => {
            Replayed { what: "revoke-token", agreement: None, version: None, outcome: revoked(store.revoke_token(hash))? }
        }
        Closing::ClientRevoked { client } => {
            Replayed { what: "revoke-client", agreement: None, version: None, outcome: revoked(store.revoke_client(client))? }
        }
    })
}

fn agreement_id(text: &str) -> Result<AgreementId> {
    AgreementId::parse(text).ok_or(StoreError::Corrupt("a note's agreement"))
}

fn word(how: Stop) -> &'static str {
    match how {
        Stop::Suspend => "suspend",
        Stop::End => "end",
        Stop::Withdraw => "withdraw",
        Stop::Decline => "decline",
        Stop::Certify => "certify",
    }
}
