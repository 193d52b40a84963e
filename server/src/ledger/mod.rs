//! No disclosure without its ledger entry.
//!
//! * The entry is durable before the first byte of the answer leaves. If it cannot be written, the answer is `503`.
//! * One entry an answer; a streamed answer writes one per chunk, before that chunk, under one id.
//! * Answers without rows (empty, counts, not modified) are entries too. Tokenless reads of public shares are counted by the hour.
//! * An entry says when, who, through what, and for each agreement: version, purpose, edition, fields, which records. Never a value.
//! * Previews and refusals are entries of their own kinds; refusals are counted by the hour, too.
//! * Entries that arrive together are written together: one transaction, one sync.
//! * The sealer ([`seal`]) folds entries into one hash chain a provider within seconds, and signs checkpoints.
//! * [`verify`] checks an export offline.

pub mod seal;
pub mod verify;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use hayward_domain::id::{AgreementId, DisclosureId};
use hayward_domain::moment::Moment;
use hayward_domain::terms::Terms;
use hayward_store::{Caller, Disclosed, Entry, EntryKind, LedgerStore, PublicRead, Refusal, ShareSummary};

use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::error::Error;
use writer::{Batch, Writer};

/// The ledger of a commons.
pub struct Ledger {
    /// Its database.
    pub store: Arc<LedgerStore>,
    writer: Writer,
}

/// What one share gave in one answer.
pub struct Given<'a> {
    /// The share.
    pub share: &'a ShareSummary,
    /// The fields that were given.
    pub fields: Vec<String>,
    /// The edition of the share that was read.
    pub edition: i64,
    /// The ledger names of the records that were given.
    pub names: Vec<i64>,
}

/// One answer, or one chunk of it.
pub struct Answer<'a> {
    /// The id that all chunks share.
    pub id: &'a DisclosureId,
    /// Which chunk.
    pub chunk: i64,
    /// Who asked; nobody for tokenless reads of public shares.
    pub caller: Option<&'a Caller>,
    /// How: `list`, `get`, `changes`, `csv` …
    pub channel: &'a str,
    /// What was given.
    pub given: Vec<Given<'a>>,
}

/// A look at what a version would show.
pub struct Previewed<'a> {
    /// The id of its entry.
    pub id: &'a DisclosureId,
    /// Who looked.
    pub caller: &'a Caller,
    /// The agreement.
    pub agreement: &'a AgreementId,
    /// The version.
    pub version: i64,
    /// What it says.
    pub terms: &'a Terms,
    /// How many records were shown.
    pub count: usize,
    /// When.
    pub now: Moment,
}

impl Ledger {
    /// Starts writing to a ledger.
    #[must_use]
    pub fn start(store: Arc<LedgerStore>) -> Self {
        Self { writer: Writer::start(Arc::clone(&store)), store }
    }

    /// Writes an answer's entry; when this returns, it is durable.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it is not: nothing may be answered then.
    pub async fn record(&self, answer: &Answer<'_>, now: Moment) -> Result<(), Error> {
        let disclosed: Vec<Disclosed> = answer.given.iter().map(disclosed).collect();
        let (entries, reads) = match answer.caller {
            Some(caller) => {
                let entry = Entry {
                    kind: EntryKind::Disclosure,
                    id: answer.id.to_string(),
                    chunk: answer.chunk,
                    at: now,
                    recipient: caller.organization_id.to_string(),
                    client: caller.name().to_owned(),
                    channel: answer.channel.to_owned(),
                    request: crate::request_id::current(),
                    disclosed,
                };
                (vec![entry], Vec::new())
            }
            None => {
                // An id of its own for each: one answer may cover several agreements, and so several hours' entries.
                let first = answer.chunk == 0;
                let read = |(at, disclosed)| PublicRead { id: part(answer, at).to_string(), at: now, first, disclosed };
                (Vec::new(), disclosed.into_iter().enumerate().map(read).collect())
            }
        };
        if entries.is_empty() && reads.is_empty() {
            return Ok(());
        }
        measured(self.writer.write(Batch { entries, reads, ..Batch::default() })).await
    }

    /// Writes down that the provider's own people looked at what a version would show; when this returns, it is durable.
    ///
    /// # Errors
    /// As [`Ledger::record`].
    pub async fn previewed(&self, looked: Previewed<'_>) -> Result<(), Error> {
        let Previewed { id, caller, agreement, version, terms, count, now } = looked;
        let disclosed = Disclosed {
            agreement: agreement.to_string(),
            provider: terms.provider.to_string(),
            version,
            purpose: terms.purpose.code.as_str().to_owned(),
            // No share was read: there may be none yet, and its records have no names.
            edition: 0,
            fields: terms.disclosed().map(|(name, _)| name.to_string()).collect(),
            count: i64::try_from(count).unwrap_or(i64::MAX),
            records: String::new(),
        };
        let entry = Entry {
            kind: EntryKind::Preview,
            id: id.to_string(),
            chunk: 0,
            at: now,
            recipient: caller.organization_id.to_string(),
            client: caller.name().to_owned(),
            channel: "preview".to_owned(),
            request: crate::request_id::current(),
            disclosed: vec![disclosed],
        };
        measured(self.writer.write(Batch { entries: vec![entry], ..Batch::default() })).await
    }

    /// Counts a refused request under each agreement that it was refused under; when this returns, that is durable.
    ///
    /// # Errors
    /// As [`Ledger::record`].
    pub async fn refused(&self, refusals: Vec<Refusal>) -> Result<(), Error> {
        if refusals.is_empty() {
            return Ok(());
        }
        measured(self.writer.write(Batch { refusals, ..Batch::default() })).await
    }
}

/// Counts entries and how long they took to be durable.
async fn measured(write: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let began = Instant::now();
    let written = write.instrument(tracing::info_span!("ledger entry")).await;
    let outcome = if written.is_ok() { "durable" } else { "failed" };
    metrics::counter!("hayward_ledger_entries_total", "outcome" => outcome).increment(1);
    metrics::histogram!("hayward_ledger_write_seconds").record(began.elapsed().as_secs_f64());
    written
}

/// An id for what one share gave in one chunk.
fn part(answer: &Answer<'_>, at: usize) -> DisclosureId {
    let digest = Sha256::digest(format!("{} {} {at}", answer.id, answer.chunk).as_bytes());
    let mut bytes = [0; 15];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    DisclosureId::from_random(bytes)
}

fn disclosed(given: &Given<'_>) -> Disclosed {
    Disclosed {
        agreement: given.share.agreement.to_string(),
        provider: given.share.provider.to_string(),
        version: given.share.version,
        purpose: given.share.terms.purpose.code.as_str().to_owned(),
        edition: given.edition,
        fields: given.fields.clone(),
        count: i64::try_from(given.names.len()).unwrap_or(i64::MAX),
        records: ranges(given.names.clone()),
    }
}

/// Numbers as ranges: `1-3,7`.
#[must_use]
pub fn ranges(mut numbers: Vec<i64>) -> String {
    numbers.sort_unstable();
    numbers.dedup();
    let mut runs: BTreeMap<i64, i64> = BTreeMap::new();
    for number in numbers {
        match runs.last_entry() {
            Some(mut run) if *run.get() + 1 == number => {
                run.insert(number);
            }
            _ => {
                runs.insert(number, number);
            }
        }
    }
    let words: Vec<String> =
        runs.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") }).collect();
    words.join(",")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn neighbours_become_one_range() {
        assert_eq!(ranges(vec![7, 2, 1, 3, 2, 9]), "1-3,7,9");
        assert_eq!(ranges(Vec::new()), "");
    }
}
