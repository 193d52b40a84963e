//! New agreements and new versions.

use std::collections::BTreeSet;

use hayward_domain::agreement::{Actor, Event, Side, Standing, State, step};
use hayward_domain::fault::Fault;
use hayward_domain::id::{AgreementId, DatasetId, OrganizationId};
use hayward_domain::moment::Moment;
use hayward_domain::scope::Scope;
use hayward_domain::terms::{Audience, Context, Terms};
use serde_json::Value;

use super::{AgreementRow, By, MEMBERS, PUBLIC, VersionRow, by_number, in_force, lock, open, save, transition, versions};
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::journal::Closing;
use crate::sql::{Number, Sql, rows};
use crate::{Caller, Store, counter, era, floor};

/// How long an agreement may run, unless the commons says otherwise.
const LONGEST_MONTHS: u32 = 24;

rows! {
    DatasetOwner { number: i64, owner: i64, owner_id: String, schema_name: String, schema_version: i64 }
}

/// Why proposed terms are not acceptable: what is wrong with the document, or what the store says.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// The document has faults, each with a JSON pointer.
    #[error("the terms have faults")]
    Faults(Vec<Fault>),
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for ProposalError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What a new agreement is made with, besides its terms.
pub struct Fresh {
    /// Its id.
    pub id: AgreementId,
    /// The secret that its pseudonyms hang on.
    pub secret: [u8; 32],
}

/// A version in the making.
pub(super) struct Proposal<'a> {
    pub(super) terms: &'a Terms,
    pub(super) side: Side,
    pub(super) caller: &'a Caller,
    pub(super) commit: i64,
    pub(super) now: Moment,
}

impl Proposal<'_> {
    pub(super) fn by(&self) -> By<'_> {
        By { actor: Actor::Steward(self.side), who: Some(self.caller), reason: None }
    }
}

impl Store {
    /// Offers (as the provider) or requests (as the recipient) an agreement.
    ///
    /// # Errors
    /// [`ProposalError::Faults`] for terms that cannot be; an unknown dataset is one of them.
    pub fn propose(&self, caller: &Caller, raw: &Value, fresh: &Fresh) -> std::result::Result<(AgreementId, i64), ProposalError> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let (dataset, terms) = self.parse_terms(conn, raw)?;
            let (audience, recipient) = audience(conn, &terms.audience)?;
            let side = side_for(caller, dataset.owner, audience)?;
            let number = counter::take(conn, "agreement", 1)?;
            let insert = "insert into agreements (number, id, provider, recipient, audience, dataset, secret, created_at)
                values (?, ?, ?, ?, ?, ?, ?, ?)";
            self.keys_stand(conn)?;
            let secret = self.keyring.wrap(&fresh.id, &fresh.secret)?;
            let insert = Sql::new(insert).bind(number).bind(fresh.id.as_str()).bind(dataset.owner).bind(recipient);
            conn.execute(insert.bind(audience).bind(dataset.number).bind(secret).bind(now))?;
            let agreement = by_number(conn, number)?;
            self.add_version(conn, &agreement, 1, &Proposal { terms: &terms, side, caller, commit, now })?;
            Ok((fresh.id.clone(), 1))
        })
    }

    /// Adds a version: a counter-proposal, a successor, or the provider's narrower version, which takes effect at once.
    ///
    /// `from` is the newest version that the caller saw. Returns the new one, and whether it took effect.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if there is a newer version than `from`, faults as in [`Self::propose`].
    pub fn propose_version(
        &self,
        caller: &Caller,
        id: &AgreementId,
        from: i64,
        raw: &Value,
    ) -> std::result::Result<(i64, bool), ProposalError> {
        let now = (self.clock)();
        let (commit, version, narrowed) = self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let (agreement, side) = lock(conn, id, caller)?;
            let (dataset, terms) = self.parse_terms(conn, raw)?;
            let (audience, _) = audience(conn, &terms.audience)?;
            if dataset.number != agreement.dataset || audience != agreement.audience {
                let detail = "a version keeps the dataset and the audience of its agreement";
                return Err(StoreError::refused("other-agreement", detail).into());
            }
            // The feed names what it removes by the ids under which the recipient got it.
            if self.terms(conn, agreement.number, 1)?.0.record_id != terms.record_id {
                let detail = "a version keeps the kind of record ids; propose a new agreement";
                return Err(StoreError::refused("other-ids", detail).into());
            }
            let proposal = Proposal { terms: &terms, side, caller, commit, now };
            let (version, narrowed) = self.add_successor(conn, &agreement, from, &proposal)?;
            Ok::<_, ProposalError>((commit, version, narrowed.then(|| terms.to_json())))
        })?;
        let took_effect = narrowed.is_some();
        if let Some(terms) = narrowed {
            let (agreement, by) = (id.to_string(), caller.name().to_owned());
            self.write_down(commit, now, Closing::Narrowed { agreement, version, terms, by })?;
        }
        Ok((version, took_effect))
    }

    fn add_successor(&self, conn: &mut Conn, agreement: &AgreementRow, from: i64, proposal: &Proposal) -> Result<(i64, bool)> {
        let versions = versions(conn, agreement.number)?;
        let newest = versions.iter().map(|version| version.version).max().unwrap_or(0);
        if newest != from {
            return Err(StoreError::Stale(format!("version {newest} is newer than version {from}")));
        }
        let mut pending = None;
        let mut standing = None;
        for version in &versions {
            let state = version.state()?;
            if open(state) {
                pending = Some(version);
            } else if in_force(state) {
                standing = Some(version);
            }
        }
        let next = era::versions_from(conn)?.max(newest + 1);
        if let (Some(before), Side::Provider) = (standing, proposal.side) {
            let (in_force, bound) = self.terms(conn, agreement.number, before.version)?;
            // A program may propose; that something takes effect at once is for somebody who decides.
            let decides = proposal.caller.scopes.has(&Scope::AgreementsApprove);
            if decides && !in_force.closed_by(&bound) && proposal.terms.is_at_most(&in_force) {
                if let Some(pending) = pending {
                    // A wider version that waits is void: it was made in view of terms that no longer stand.
                    let void = if pending.state()? == State::Agreed { Event::Withdraw } else { Event::Counter };
                    transition(conn, agreement, pending, void, &proposal.by(), proposal.now)?;
                }
                self.narrow(conn, agreement, before, next, proposal)?;
                return Ok((next, true));
            }
        }
        match (pending, standing) {
            (Some(pending), _) => {
                transition(conn, agreement, pending, Event::Counter, &proposal.by(), proposal.now)?;
            }
            (None, Some(_)) => {}
            (None, None) => return Err(StoreError::refused("agreement-over", "this agreement is over; propose a new one")),
        }
        self.add_version(conn, agreement, next, proposal)?;
        Ok((next, false))
    }

    /// The provider's narrower version: in force at once, and the share answers nothing until it is rebuilt.
    pub(super) fn narrow(
        &self,
        conn: &mut Conn,
        agreement: &AgreementRow,
        before: &VersionRow,
        version: i64,
        proposal: &Proposal,
    ) -> Result<()> {
        let has_recipient = agreement.recipient.is_some();
        let suspended_by = before.standing(has_recipient)?.suspended_by;
        transition(conn, agreement, before, Event::Supersede, &By::clock(), proposal.now)?;
        let draft = Standing { state: State::Draft, proposed_by: Side::Provider, has_recipient, suspended_by };
        self.begin(conn, agreement, version, &draft, Event::Narrow, proposal)?;
        floor::raise(conn, agreement.number, proposal.commit)
    }

    fn add_version(&self, conn: &mut Conn, agreement: &AgreementRow, version: i64, proposal: &Proposal) -> Result<()> {
        let has_recipient = agreement.recipient.is_some();
        let draft = Standing { state: State::Draft, proposed_by: proposal.side, has_recipient, suspended_by: BTreeSet::new() };
        self.begin(conn, agreement, version, &draft, Event::Propose, proposal)
    }

    /// Takes a draft's first step and writes the version down.
    fn begin(
        &self,
        conn: &mut Conn,
        agreement: &AgreementRow,
        version: i64,
        draft: &Standing,
        event: Event,
        proposal: &Proposal,
    ) -> Result<()> {
        let Proposal { terms, caller, now, .. } = proposal;
        let by = proposal.by();
        let change = step(draft, event, by.actor).map_err(|refusal| StoreError::refused(refusal.code(), refusal.to_string()))?;
        let (starts_at, ends_at) = self.days(conn, terms)?;
        if ends_at.0 <= now.0 {
            return Err(StoreError::refused("already-over", "the last day has passed"));
        }
        let proposer = caller.person.as_ref().map(|person| person.as_str().to_owned());
        let insert = "insert into agreement_versions
            (agreement, version, state, terms, hash, proposed_by, proposer, starts_at, ends_at, created_at)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let insert = Sql::new(insert).bind(agreement.number).bind(version).bind(change.after.state.as_str());
        let insert = insert.bind(terms.to_json().to_string()).bind(terms.hash()).bind(draft.proposed_by.as_str()).bind(proposer);
        conn.execute(insert.bind(starts_at).bind(ends_at).bind(*now))?;
        save(conn, agreement.number, version, change, &by, *now).map(drop)
    }

    /// The terms, read against the dataset that they name.
    pub(super) fn parse_terms(&self, conn: &mut Conn, raw: &Value) -> std::result::Result<(DatasetOwner, Terms), ProposalError> {
        let unknown = || {
            ProposalError::Faults(vec![Fault {
                pointer: "/dataset".to_owned(),
                code: "unknown-dataset",
                detail: "names no dataset of this commons".to_owned(),
            }])
        };
        let id = raw.get("dataset").and_then(Value::as_str).and_then(DatasetId::parse).ok_or_else(unknown)?;
        let select = "select d.number, d.organization as owner, o.id as owner_id, d.schema_name, d.schema_version
            from datasets d join organizations o on o.number = d.organization where d.id = ? and o.left_at is null";
        let dataset = conn.first::<DatasetOwner>(Sql::new(select).bind(id.as_str()))?.ok_or_else(unknown)?;
        let version = dataset.schema_version;
        let schema = self.schema_under(conn, &dataset.schema_name, version, version)?;
        let provider = OrganizationId::parse(&dataset.owner_id).ok_or(StoreError::Corrupt("an organization"))?;
        let context = Context { provider: &provider, schema: &schema, dataset: &id, longest_months: LONGEST_MONTHS };
        let terms = Terms::parse(raw, &context).map_err(ProposalError::Faults)?;
        match terms.uneven_coordinates(&schema) {
            Some(fault) => Err(ProposalError::Faults(vec![fault])),
            None => Ok((dataset, terms)),
        }
    }
}

/// The audience's number, and the recipient where it is one organization.
fn audience(conn: &mut Conn, audience: &Audience) -> Result<(i64, Option<i64>)> {
    match audience {
        Audience::Members => Ok((MEMBERS, None)),
        Audience::Public => Ok((PUBLIC, None)),
        Audience::Organization(id) => {
            let select = Sql::new("select number as value from organizations where id = ? and left_at is null").bind(id.as_str());
            let number = conn.first::<Number>(select)?.map(|row| row.value);
            let unknown = || StoreError::refused("unknown-organization", "the audience names no member co-op of this commons");
            number.map(|number| (number, Some(number))).ok_or_else(unknown)
        }
    }
}

fn side_for(caller: &Caller, owner: i64, audience: i64) -> Result<Side> {
    let refused = |detail: &str| Err(StoreError::refused("not-a-party", detail));
    match (owner == caller.organization.0, audience == caller.organization.0) {
        (true, true) => refused("a co-op needs no agreement with itself"),
        (true, false) => Ok(Side::Provider),
        (false, true) => Ok(Side::Recipient),
        (false, false) => refused("ask for your own organization, or offer a list of your own"),
    }
}
