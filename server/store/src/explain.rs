//! Why somebody can, or cannot, see something now.
//!
//! * What is shown is decided by the very functions that reading uses: a [`View`] of the organization that would read, its shares, and the
//!   row under an id. Nothing here decides it again; the rest is looking for reasons.
//! * The provider is told everything about its own agreements: state, scope, building, row condition, treatment. Of the other side it
//!   learns whether the client may read the collection, for a client whose id it knows, and nothing else.
//! * The recipient is told what it knows: its agreements and their states, its own scope, and whether something is shown. A record that it
//!   cannot see and one that does not exist are answered alike, and so are a hidden field and a typo; why a row is missing is not told.

use std::sync::Arc;

use hayward_domain::agreement::State;
use hayward_domain::id::{ClientId, OrganizationId};
use hayward_domain::record::{OrganizationNumber, Record, RecordNumber, Sealed};
use hayward_domain::schema::{Schema, Sensitivity};
use hayward_domain::scope::{Scope, Scopes};
use hayward_domain::terms::Terms;
use hayward_domain::treatment::Treatment;
use serde::Serialize;
use serde_json::Value;

use crate::agreements::{MEMBERS, PUBLIC, in_force, open, versions};
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::shelf::{AudienceKind, ShareQuery, View};
use crate::sql::{Sql, rows};
use crate::{Caller, Store};
use hayward_domain::keys::Named;

/// Who would read.
#[derive(Clone, Debug)]
pub struct Beholder {
    /// As a caller, with the scopes of the client; without a client, those of the collections.
    pub caller: Caller,
    /// Whether the client's scopes count; an organization as a whole has none.
    pub scoped: bool,
    /// Whether the client is revoked.
    pub revoked: bool,
}

/// What is asked about.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Only under this agreement.
    pub agreement: Option<String>,
    /// About this record; about the agreements as a whole if none is named.
    pub record: Option<String>,
    /// About this field; about the record as a whole if none is named.
    pub field: Option<String>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Its name.
    pub code: &'static str,
    /// Under which agreement.
    pub agreement: Option<String>,
    /// Under which version of it.
    pub version: Option<i64>,
    /// The same in words.
    pub text: String,
}

/// What holds under one agreement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnderAgreement {
    /// The agreement.
    pub agreement: String,
    /// The version in force, else the open one, else the newest.
    pub version: i64,
    /// Its state.
    pub state: String,
    /// For whom it is: `organization`, `members` or `public`.
    pub audience: &'static str,
    /// Whether it is shown under this agreement.
    pub visible: bool,
    /// How the field looks, where one was asked about and is shown.
    #[serde(rename = "as")]
    pub treatment: Option<Value>,
    /// Why, or everything that stands in the way.
    pub because: Vec<Reason>,
    /// The id that the record has for the reader, where it is shown. Not for the wire.
    #[serde(skip)]
    pub id: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// Who would read.
    pub organization: String,
    /// Through which client, if one was named.
    pub client: Option<String>,
    /// Whether it is shown under any agreement.
    pub visible: bool,
    /// How the field looks under the first of them.
    #[serde(rename = "as")]
    pub treatment: Option<Value>,
    /// The reasons of those that show it; where none does, of all.
    pub because: Vec<Reason>,
    /// Each agreement that has to do with it.
    pub agreements: Vec<UnderAgreement>,
}

/// An agreement, as a reader may have to do with it.
struct Candidate {
    number: i64,
    agreement: String,
    audience: i64,
    version: i64,
    state: State,
    suspended_by: String,
    terms: Arc<Terms>,
    schema: Arc<Schema>,
}

/// What a reader gets under one agreement now.
enum Sight {
    /// The agreement answers nothing.
    Closed,
    /// It answers, and the record is not there.
    NoRecord,
    /// The record is there, and no such field.
    NoField,
    /// It is shown; the record has this id.
    Shown(Option<String>),
}

rows! {
    CandidateRow { number: i64, agreement: String, audience: i64 }
    ClientRow { id: String, organization: i64, organization_id: String, scopes: String, revoked_at: Option<i64> }
    OrganizationRow { number: i64, id: String }
    OriginalRow { dataset: i64, organization: i64, body: Option<String> }
    ShareRow { version: i64, head: i64, floor: i64, open: i64 }
}

impl Store {
    /// A client as a reader, for its own organization, or for a provider that shares something with it, with all or with everybody.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else.
    pub fn beholding_client(&self, caller: &Caller, id: &str) -> Result<Beholder> {
        self.db.read(Eyes::Own, |conn| {
            let select = "select c.id, c.organization, o.id as organization_id, c.scopes, c.revoked_at from clients c
                join organizations o on o.number = c.organization where c.id = ?";
            let row = conn.one::<ClientRow>(Sql::new(select).bind(id))?;
            let corrupt = || StoreError::Corrupt("a client");
            let caller_of = Caller {
                organization: OrganizationNumber(row.organization),
                organization_id: OrganizationId::parse(&row.organization_id).ok_or_else(corrupt)?,
                person: None,
                client: Some(ClientId::parse(&row.id).ok_or_else(corrupt)?),
                scopes: Scopes::parse(&row.scopes).map_err(|_| corrupt())?,
            };
            if row.organization != caller.organization.0 && shared_with(conn, caller.organization, row.organization)?.is_empty() {
                return Err(StoreError::NotFound);
            }
            Ok(Beholder { caller: caller_of, scoped: true, revoked: row.revoked_at.is_some() })
        })
    }

    /// An organization as a reader, for a provider.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    pub fn beholding_organization(&self, id: &str) -> Result<Beholder> {
        let row = self.db.read(Eyes::Own, |conn| {
            conn.one::<OrganizationRow>(Sql::new("select number, id from organizations where id = ?").bind(id))
        })?;
        let caller = Caller {
            organization: OrganizationNumber(row.number),
            organization_id: OrganizationId::parse(&row.id).ok_or(StoreError::Corrupt("an organization"))?,
            person: None,
            client: None,
            scopes: self.collections()?.into_iter().map(Scope::Read).collect(),
        };
        Ok(Beholder { caller, scoped: false, revoked: false })
    }

    /// Why `beholder` can or cannot see something of the provider's. Nothing where the clock has ended something that is not committed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a record or an agreement that is not the provider's.
    pub fn explain_to_provider(&self, provider: &Caller, beholder: &Beholder, question: &Question) -> Result<Option<Explained>> {
        let owner = provider.organization;
        let record = question.record.as_deref().map(|id| self.own_number(owner, id)).transpose()?;
        let (candidates, original) = self.db.read(Eyes::Own, |conn| {
            let original = record.map(|record| original(conn, owner, record)).transpose()?;
            let mut candidates = Vec::new();
            for row in shared_with(conn, owner, beholder.caller.organization.0)? {
                if question.agreement.as_ref().is_none_or(|agreement| row.agreement == *agreement) {
                    candidates.push(self.candidate(conn, row)?);
                }
            }
            Ok::<_, StoreError>((candidates, original))
        })?;
        let of_dataset = |candidate: &Candidate, conn: &mut Conn| dataset_of(conn, candidate.number);
        if question.agreement.is_some() && candidates.is_empty() {
            return Err(StoreError::NotFound);
        }
        let mut under = Vec::new();
        for candidate in candidates {
            if let Some(original) = &original
                && self.db.read(Eyes::Own, |conn| of_dataset(&candidate, conn))? != original.dataset
            {
                continue;
            }
            let looked =
                self.looked(beholder, &candidate, question, |view, share| record.map(|record| view.record_id(share, record.0)))?;
            let Some(sight) = looked else { return Ok(None) };
            let because = match &sight {
                Sight::Shown(_) => vec![shown(&candidate, question)],
                _ => self.stands_in_the_way(beholder, &candidate, question, original.as_ref(), &sight)?,
            };
            under.push(told(candidate, question, sight, because));
        }
        let none = "none of your agreements is for this organization, for all member co-ops or for the public";
        Ok(Some(answer(beholder, under, none)))
    }

    /// Why a program of the recipient's can or cannot see something. Nothing where the clock has ended something that is not committed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an agreement that the recipient cannot know of.
    pub fn explain_to_recipient(&self, beholder: &Beholder, question: &Question) -> Result<Option<Explained>> {
        let me = beholder.caller.organization;
        let mut candidates = self.db.read(Eyes::Own, |conn| {
            let select = "select number, id as agreement, audience from agreements where audience = ? order by number";
            let rows = conn.load::<CandidateRow>(Sql::new(select).bind(me.0))?;
            rows.into_iter().map(|row| self.candidate(conn, row)).collect::<Result<Vec<_>>>()
        })?;
        // What is open to all is known while it answers.
        let collections = self.collections()?;
        let answering = self.view_as(beholder.caller.clone(), |view| {
            if view.anything_expired()? {
                return Ok(None);
            }
            let mut numbers = Vec::new();
            for collection in &collections {
                let shares = view.shares(collection, &ShareQuery::default(), view.commit)?;
                numbers
                    .extend(shares.iter().filter(|share| share.audience != AudienceKind::Organization).map(|share| share.number));
            }
            Ok::<_, StoreError>(Some(numbers))
        })?;
        let Some(answering) = answering else { return Ok(None) };
        for number in answering {
            let candidate = self.db.read(Eyes::Own, |conn| {
                let select = "select number, id as agreement, audience from agreements where number = ?";
                let row = conn.one::<CandidateRow>(Sql::new(select).bind(number))?;
                self.candidate(conn, row)
            })?;
            candidates.push(candidate);
        }
        if let Some(agreement) = &question.agreement {
            candidates.retain(|candidate| candidate.agreement == *agreement);
            if candidates.is_empty() {
                return Err(StoreError::NotFound);
            }
        }
        let mut under = Vec::new();
        for candidate in candidates {
            let Some(sight) = self.looked(beholder, &candidate, question, |_, _| question.record.clone())? else {
                return Ok(None);
            };
            let because = match &sight {
                Sight::Shown(_) => vec![shown(&candidate, question)],
                Sight::NoRecord => vec![candidate.reason("not-shown", "it shows you no record with this id".to_owned())],
                Sight::NoField => vec![candidate.reason("not-open", "no field of this name is open to you".to_owned())],
                Sight::Closed => closed(beholder, &candidate).collect(),
            };
            under.push(told(candidate, question, sight, because));
        }
        Ok(Some(answer(beholder, under, "no agreement is for your organization, and nothing is open to all")))
    }

    /// The number behind an id of a provider's own list.
    fn own_number(&self, owner: OrganizationNumber, id: &str) -> Result<RecordNumber> {
        match self.keyring.record_ids().read(id) {
            Some(Named::Stable(number)) => {
                self.own_record_names(owner, id)?;
                Ok(number)
            }
            Some(Named::Pseudonym { .. }) | None => Err(StoreError::NotFound),
        }
    }

    fn candidate(&self, conn: &mut Conn, row: CandidateRow) -> Result<Candidate> {
        let all = versions(conn, row.number)?;
        let mut picked = all.last();
        for wanted in [open, in_force] {
            for version in &all {
                if wanted(version.state()?) {
                    picked = Some(version);
                }
            }
        }
        let picked = picked.ok_or(StoreError::Corrupt("an agreement without versions"))?;
        let (terms, schema) = self.terms(conn, row.number, picked.version)?;
        let CandidateRow { number, agreement, audience } = row;
        let (version, state) = (picked.version, picked.state()?);
        Ok(Candidate { number, agreement, audience, version, state, suspended_by: picked.suspended_by.clone(), terms, schema })
    }

    /// What the reader gets under one agreement: read as it would read. Nothing where something is overdue.
    fn looked(
        &self,
        beholder: &Beholder,
        candidate: &Candidate,
        question: &Question,
        id: impl FnOnce(&View<'_>, &crate::ShareSummary) -> Option<String>,
    ) -> Result<Option<Sight>> {
        let collection = &candidate.schema.collection;
        self.view_as(beholder.caller.clone(), |view| {
            if view.anything_expired()? {
                return Ok(None);
            }
            if beholder.revoked || !beholder.caller.scopes.has(&Scope::Read(collection.clone())) {
                return Ok(Some(Sight::Closed));
            }
            let wanted = ShareQuery { agreement: Some(candidate.agreement.clone()), ..ShareQuery::default() };
            let shares = match view.shares(collection, &wanted, view.commit) {
                Ok(shares) => shares,
                Err(StoreError::NotFound) => return Ok(Some(Sight::Closed)),
                Err(other) => return Err(other),
            };
            let Some(share) = shares.iter().next() else { return Ok(Some(Sight::Closed)) };
            let field = question.field.as_deref();
            let Some(id) = id(view, share) else {
                let open = field.is_none_or(|field| shares.names.has(field));
                return Ok(Some(if open { Sight::Shown(None) } else { Sight::NoField }));
            };
            let row = match view.get(&shares, &id) {
                Ok((row, _)) => row,
                Err(StoreError::NotFound) => return Ok(Some(Sight::NoRecord)),
                Err(other) => return Err(other),
            };
            let payload: Value = serde_json::from_str(row.record.payload()).map_err(|_| StoreError::Corrupt("a payload"))?;
            let open = field.is_none_or(|field| payload.get(field).is_some());
            Ok(Some(if open { Sight::Shown(Some(row.id)) } else { Sight::NoField }))
        })
    }

    /// Everything that keeps the reader from it, for the provider.
    fn stands_in_the_way(
        &self,
        beholder: &Beholder,
        candidate: &Candidate,
        question: &Question,
        original: Option<&Original>,
        sight: &Sight,
    ) -> Result<Vec<Reason>> {
        let mut because: Vec<Reason> = Vec::new();
        because.extend(closed(beholder, candidate).filter(|reason| reason.code != "not-open-now"));
        let built = self.db.read(Eyes::Own, |conn| {
            let select = "select version, head, floor, open from shares where number = ?";
            conn.first::<ShareRow>(Sql::new(select).bind(candidate.number))
        })?;
        let stands =
            built.is_some_and(|share| share.version == candidate.version && share.head >= share.floor && share.open == 1);
        if candidate.state == State::Active && !stands {
            let text = "what the version shows is not built yet, and until then nothing is shown".to_owned();
            because.push(candidate.reason("not-built", text));
        }
        if let Some(original) = original {
            because.extend(self.keeps_out(candidate, original)?);
        }
        if let Some(field) = &question.field {
            because.extend(field_reason(candidate, field));
        }
        if because.is_empty() {
            let text = match sight {
                Sight::NoField => "the terms show this record without this field",
                Sight::NoRecord | Sight::Closed | Sight::Shown(_) => "something is being changed at this moment",
            };
            because.push(candidate.reason("withheld", text.to_owned()));
        }
        Ok(because)
    }

    /// Why the terms keep a record out, if they do.
    fn keeps_out(&self, candidate: &Candidate, original: &Original) -> Result<Vec<Reason>> {
        let Some(record) = &original.record else {
            return Ok(vec![candidate.reason("no-record", "the record is not in the list any more".to_owned())]);
        };
        let unmet = candidate.terms.unmet(record);
        if !unmet.is_empty() {
            let one = |(field, phrase): (_, String)| format!("`{field}` {phrase}");
            let reasons = unmet.iter().map(|condition| {
                let demands: Vec<String> = condition.implied().into_iter().map(one).collect();
                let text = format!("the row condition asks that {}", demands.join(" and "));
                candidate.reason("row-condition", text)
            });
            return Ok(reasons.collect());
        }
        let keys = match self.db.read(Eyes::Own, |conn| self.agreement_keys(conn, candidate.number)) {
            Ok(keys) => keys,
            // The agreement is over, and that is told already.
            Err(StoreError::Refused { .. }) => return Ok(Vec::new()),
            Err(other) => return Err(other),
        };
        let shows = candidate.terms.disclose(&candidate.schema, &keys, record).is_some();
        let text = "the terms show nothing of this record".to_owned();
        Ok(if shows { Vec::new() } else { vec![candidate.reason("withheld", text)] })
    }
}

/// A record as its provider has it.
struct Original {
    dataset: i64,
    record: Option<Sealed<Record>>,
}

/// The newest version of a record: what it is now, if it is in the list.
fn original(conn: &mut Conn, owner: OrganizationNumber, record: RecordNumber) -> Result<Original> {
    let select = "select d.number as dataset, d.organization,
            case when r.born <= d.head and r.died > d.head then r.body end as body
        from records r join datasets d on d.number = r.dataset where r.record = ? and r.born <= d.head and d.organization = ?
        order by r.born desc limit 1";
    let row = conn.one::<OriginalRow>(Sql::new(select).bind(record.0).bind(owner.0))?;
    let read = |body: String| {
        let record = Record::from_body(&body).ok_or(StoreError::Corrupt("a record"))?;
        Ok::<_, StoreError>(Sealed::new(OrganizationNumber(row.organization), record))
    };
    Ok(Original { dataset: row.dataset, record: row.body.map(read).transpose()? })
}

fn dataset_of(conn: &mut Conn, agreement: i64) -> Result<i64> {
    let select = "select dataset as value from agreements where number = ?";
    Ok(conn.one::<crate::sql::Number>(Sql::new(select).bind(agreement))?.value)
}

/// The agreements of a provider that are for an organization, for all or for everybody.
fn shared_with(conn: &mut Conn, provider: OrganizationNumber, recipient: i64) -> Result<Vec<CandidateRow>> {
    let select = "select number, id as agreement, audience from agreements where provider = ? and audience in (?, ?, ?)
        order by number";
    conn.load::<CandidateRow>(Sql::new(select).bind(provider.0).bind(recipient).bind(MEMBERS).bind(PUBLIC))
}

impl Candidate {
    fn reason(&self, code: &'static str, text: String) -> Reason {
        Reason { code, agreement: Some(self.agreement.clone()), version: Some(self.version), text }
    }

    fn treatment(&self, field: &str) -> Option<&Treatment> {
        self.terms.disclosed().find(|(name, _)| name.as_str() == field).map(|(_, treatment)| treatment)
    }
}

/// Why an agreement answers nothing at all: what both sides know of it.
fn closed(beholder: &Beholder, candidate: &Candidate) -> impl Iterator<Item = Reason> {
    let mut reasons = Vec::new();
    if beholder.revoked {
        reasons.push(candidate.reason("client-revoked", "the client is revoked".to_owned()));
    } else if beholder.scoped && !beholder.caller.scopes.has(&Scope::Read(candidate.schema.collection.clone())) {
        let scope = Scope::Read(candidate.schema.collection.clone());
        reasons.push(candidate.reason("scope", format!("the client does not have the scope `{scope}`")));
    }
    let reason = match candidate.state {
        State::Active => ("not-open-now", "it is in force, and answers nothing at this moment".to_owned()),
        State::Draft => ("not-agreed", "it is a draft".to_owned()),
        State::Requested => ("not-agreed", "it is requested; the provider has not offered it".to_owned()),
        State::Offered => ("not-agreed", "it is offered, and not approved by everybody whose word it takes".to_owned()),
        State::Agreed => ("not-begun", "it is agreed, and has not begun".to_owned()),
        State::Suspended => ("suspended", format!("it is suspended by the {}", candidate.suspended_by.replace(' ', " and the "))),
        State::Superseded | State::Expired | State::Ended | State::Closed | State::Terminated => {
            ("over", format!("it is {}", candidate.state.as_str()))
        }
    };
    // Where the client alone is in the way, the agreement is not.
    if candidate.state != State::Active || reasons.is_empty() {
        reasons.push(candidate.reason(reason.0, reason.1));
    }
    reasons.into_iter()
}

/// What the terms say about a field that is not shown.
fn field_reason(candidate: &Candidate, field: &str) -> Option<Reason> {
    let Some(known) = candidate.schema.field(field) else {
        return Some(candidate.reason("no-such-field", "the schema that the version was made for has no such field".to_owned()));
    };
    if known.sensitivity == Sensitivity::Never {
        return Some(candidate.reason("never", "the schema lets nobody share this field".to_owned()));
    }
    match candidate.terms.fields.get(&known.name) {
        None => Some(candidate.reason("not-named", "the terms do not name this field, so it is hidden".to_owned())),
        Some(Treatment::Hidden) => Some(candidate.reason("hidden", "the terms hide this field".to_owned())),
        Some(_) => None,
    }
}

fn shown(candidate: &Candidate, question: &Question) -> Reason {
    let what = match (&question.field, &question.record) {
        (Some(_), _) => "the field is shown",
        (None, Some(_)) => "the record is shown",
        (None, None) => "the agreement answers",
    };
    candidate.reason("shown", what.to_owned())
}

fn told(candidate: Candidate, question: &Question, sight: Sight, because: Vec<Reason>) -> UnderAgreement {
    let visible = matches!(sight, Sight::Shown(_));
    let treatment = question.field.as_deref().filter(|_| visible).and_then(|field| candidate.treatment(field));
    UnderAgreement {
        treatment: treatment.map(Treatment::to_json),
        audience: AudienceKind::of(candidate.audience).as_str(),
        state: candidate.state.as_str().to_owned(),
        version: candidate.version,
        agreement: candidate.agreement,
        visible,
        because,
        id: if let Sight::Shown(id) = sight { id } else { None },
    }
}

fn answer(beholder: &Beholder, agreements: Vec<UnderAgreement>, none: &str) -> Explained {
    let visible = agreements.iter().any(|under| under.visible);
    let reasons = agreements.iter().filter(|under| under.visible == visible).flat_map(|under| under.because.iter().cloned());
    let mut because: Vec<Reason> = reasons.collect();
    if agreements.is_empty() {
        because.push(Reason { code: "no-agreement", agreement: None, version: None, text: none.to_owned() });
    }
    Explained {
        organization: beholder.caller.organization_id.to_string(),
        client: beholder.caller.client.as_ref().map(ToString::to_string),
        visible,
        treatment: agreements.iter().find(|under| under.visible).and_then(|under| under.treatment.clone()),
        because,
        agreements,
    }
}
