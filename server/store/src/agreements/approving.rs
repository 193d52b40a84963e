//! Who has to say yes to a version, and what is missing until a side has.
//!
//! * An organization has one rule for each sensitivity. Those for all that a version discloses have to be met, every one.
//! * Who counts: its stewards and owners as they are now, without those who belong to the other organization too, who were shut out,
//!   or who declared a conflict on this agreement.
//! * A side reads how many of its own have approved; of the other only whether that is enough.
//! * The organization itself may only tighten its rules, so that nobody loosens one and then approves alone. Loosening is the
//!   operator's act.

use std::collections::BTreeSet;

use hayward_domain::agreement::{ApprovalRule, Rules, RulesMet, Side, met};
use hayward_domain::id::PersonId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::schema::Sensitivity;
use serde_json::{Value, json};

use super::{AgreementRow, By, VersionRow};
use crate::conn::{Conn, Eyes};
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, Word, rows};
use crate::{Caller, Store};

rows! {
    RulesRow { rule_public: String, rule_internal: String, rule_personal: String, rule_special: String }
    RecusalRow { side: String, name: String, reason: String, at: i64 }
}

/// What one side's approval hangs on.
pub(super) struct Approving {
    rules: BTreeSet<ApprovalRule>,
    approvers: BTreeSet<PersonId>,
    stewards: BTreeSet<PersonId>,
    /// Who wrote the version, if this side did.
    proposer: Option<PersonId>,
}

impl Approving {
    pub(super) fn met(&self) -> bool {
        met(&self.rules, &self.approvers, &self.stewards, self.proposer.as_ref())
    }

    /// What is missing, for this side itself.
    pub(super) fn to_json(&self) -> Value {
        let rules: Vec<&str> = match self.rules.iter().filter(|rule| **rule != ApprovalRule::One).collect::<Vec<_>>() {
            above if above.is_empty() => vec![ApprovalRule::One.as_str()],
            above => above.into_iter().map(|rule| rule.as_str()).collect(),
        };
        json!({
            "met": self.met(),
            "have": self.approvers.intersection(&self.stewards).count(),
            "need": rules.join(" and "),
            "nobody": self.stewards.is_empty(),
        })
    }
}

/// The rules of an organization; `lock` is empty, or keeps others from changing them meanwhile.
fn rules(conn: &mut Conn, organization: i64, lock: &str) -> Result<Rules> {
    let select = "select rule_public, rule_internal, rule_personal, rule_special from organizations where number = ?";
    let row = conn.one::<RulesRow>(Sql::new(&format!("{select}{lock}")).bind(organization))?;
    let rule = |text: &str| ApprovalRule::parse(text).ok_or(StoreError::Corrupt("an approval rule"));
    Ok(Rules {
        public: rule(&row.rule_public)?,
        internal: rule(&row.rule_internal)?,
        personal: rule(&row.rule_personal)?,
        special: rule(&row.rule_special)?,
    })
}

fn write_rules(conn: &mut Conn, organization: i64, rules: &Rules) -> Result<()> {
    let update =
        "update organizations set rule_public = ?, rule_internal = ?, rule_personal = ?, rule_special = ? where number = ?";
    let update = Rules::SENSITIVITIES.iter().fold(Sql::new(update), |update, of| update.bind(rules.of(*of).as_str()));
    conn.execute(update.bind(organization)).map(drop)
}

impl Store {
    /// The approval rules of an organization.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none with this number.
    pub fn approval_rules(&self, organization: OrganizationNumber) -> Result<Rules> {
        self.db.read(Eyes::Own, |conn| rules(conn, organization.0, ""))
    }

    /// Replaces the approval rules of an organization: the operator's act, in either direction.
    ///
    /// # Errors
    /// Only the database's.
    pub fn set_approval_rules(&self, organization: OrganizationNumber, rules: &Rules) -> Result<()> {
        self.db.write(|conn| write_rules(conn, organization.0, rules))
    }

    /// Sets one rule for everything: `1`, `2` or `all`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for another word.
    pub fn set_approval_rule(&self, organization: OrganizationNumber, rule: &str) -> Result<()> {
        let unknown = || StoreError::refused("unknown-rule", "an approval rule is `1`, `2` or `all`");
        self.set_approval_rules(organization, &Rules::all(ApprovalRule::parse(rule).ok_or_else(unknown)?))
    }

    /// Tightens the rules of the caller's own organization. `change` makes the new rules of those that stand.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a program, for somebody who is neither owner nor steward, and for rules that are not at least as
    /// strict as those that stand.
    pub fn tighten_approval_rules(&self, caller: &Caller, change: impl Fn(Rules) -> Rules) -> Result<Rules> {
        let Some(person) = &caller.person else {
            return Err(StoreError::refused("people-only", "a program decides about no rule"));
        };
        let decides =
            "select count(*) as value from positions where person = ? and organization = ? and role in ('steward', 'owner')";
        let decides = Sql::new(decides).bind(person.as_str()).bind(caller.organization.0);
        self.db.write(|conn| {
            if conn.one::<Number>(decides.clone())?.value == 0 {
                return Err(StoreError::refused("people-only", "a steward or an owner of the organization must do this"));
            }
            let lock = dialect::for_update(conn.kind());
            let before = rules(conn, caller.organization.0, lock)?;
            let after = change(before);
            if !after.only_tighten(&before) {
                let detail =
                    "rules can only be tightened here, and `2` and `all` do not stand in for each other; ask the operator";
                return Err(StoreError::refused("would-loosen", detail));
            }
            write_rules(conn, caller.organization.0, &after)?;
            Ok(after)
        })
    }

    /// What a side's approval of a version hangs on; nothing where there is no such side.
    pub(super) fn approving(
        &self,
        conn: &mut Conn,
        agreement: &AgreementRow,
        row: &VersionRow,
        side: Side,
    ) -> Result<Option<Approving>> {
        let (organization, other) = match side {
            Side::Provider => (Some(agreement.provider), agreement.recipient),
            Side::Recipient => (agreement.recipient, Some(agreement.provider)),
        };
        let Some(organization) = organization else { return Ok(None) };
        let (terms, schema) = self.terms(conn, agreement.number, row.version)?;
        let rules = rules(conn, organization, "")?.asked(terms.sensitivities(&schema));
        let people = |words: Vec<Word>| words.into_iter().filter_map(|word| PersonId::parse(&word.value)).collect();
        let approvers = "select person as value from approvals where agreement = ? and version = ? and side = ? and hash = ?";
        let approvers = Sql::new(approvers).bind(agreement.number).bind(row.version).bind(side.as_str()).bind(&row.hash);
        let approvers = people(conn.load::<Word>(approvers)?);
        // Whoever does not count is nobody that the others would have to wait for either.
        let stewards = "select distinct person as value from positions p where organization = ? and role in ('steward', 'owner')
            and not exists (select 1 from positions q where q.person = p.person and q.organization = ?)
            and not exists (select 1 from people d where d.id = p.person and d.disabled_at is not null)
            and not exists (select 1 from recusals c where c.agreement = ? and c.person = p.person)";
        let stewards = people(conn.load::<Word>(Sql::new(stewards).bind(organization).bind(other).bind(agreement.number))?);
        let proposer = row.proposer.as_deref().filter(|_| row.proposed_by == side.as_str()).and_then(PersonId::parse);
        Ok(Some(Approving { rules, approvers, stewards, proposer }))
    }

    /// What is missing until both sides have approved: in numbers for one's own side, met or not for the other.
    pub(super) fn approvals(&self, conn: &mut Conn, agreement: &AgreementRow, row: &VersionRow, own: Side) -> Result<Value> {
        let mut shown = serde_json::Map::new();
        for side in [Side::Provider, Side::Recipient] {
            let Some(approving) = self.approving(conn, agreement, row, side)? else { continue };
            let json = if side == own { approving.to_json() } else { json!({"met": approving.met()}) };
            shown.insert(side.as_str().to_owned(), json);
        }
        Ok(Value::Object(shown))
    }

    /// Which sides' rules are met for a version as it stands.
    pub(super) fn rules_met(&self, conn: &mut Conn, agreement: &AgreementRow, row: &VersionRow) -> Result<RulesMet> {
        let mut met =
            |side| Ok::<_, StoreError>(self.approving(conn, agreement, row, side)?.is_some_and(|approving| approving.met()));
        Ok(RulesMet { provider: met(Side::Provider)?, recipient: met(Side::Recipient)? })
    }

    /// Writes an approval down.
    pub(super) fn note_approval(
        &self,
        conn: &mut Conn,
        agreement: &AgreementRow,
        row: &VersionRow,
        side: Side,
        by: &By,
        now: Moment,
    ) -> Result<()> {
        let Some(person) = by.who.and_then(|caller| caller.person.as_ref()) else {
            return Err(StoreError::refused("people-only", "a program cannot approve"));
        };
        let both = "select count(distinct organization) as value from positions where person = ? and organization in (?, ?)";
        let both =
            Sql::new(both).bind(person.as_str()).bind(agreement.provider).bind(agreement.recipient.unwrap_or(agreement.provider));
        if conn.one::<Number>(both)?.value > 1 {
            return Err(StoreError::refused("conflict-of-interest", "who belongs to both organizations approves for neither"));
        }
        let (terms, schema) = self.terms(conn, agreement.number, row.version)?;
        if by.reason.is_none() && terms.sensitivities(&schema).contains(&Sensitivity::Special) {
            let detail = "this version shows special data: give the decision of the board as `reason`, with its day";
            return Err(StoreError::refused("decision-missing", detail));
        }
        let insert = "insert into approvals (agreement, version, person, side, hash, at) values (?, ?, ?, ?, ?, ?)
            on conflict (agreement, version, person) do nothing";
        let insert = Sql::new(insert).bind(agreement.number).bind(row.version).bind(person.as_str());
        conn.execute(insert.bind(side.as_str()).bind(&row.hash).bind(now)).map(drop)
    }
}

/// Declares a conflict, for good.
pub(super) fn note_recusal(
    conn: &mut Conn,
    agreement: &AgreementRow,
    caller: &Caller,
    side: Side,
    reason: &str,
    now: Moment,
) -> Result<()> {
    let Some(person) = &caller.person else {
        return Err(StoreError::refused("people-only", "only a person has a conflict of interest"));
    };
    refuse_recused(conn, agreement, caller)?;
    let insert = "insert into recusals (agreement, person, side, reason, at) values (?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(agreement.number).bind(person.as_str()).bind(side.as_str()).bind(reason).bind(now);
    conn.execute(insert).map(drop)
}

/// Who declared a conflict opens nothing under this agreement; stopping it is open to everybody who decides.
pub(super) fn refuse_recused(conn: &mut Conn, agreement: &AgreementRow, caller: &Caller) -> Result<()> {
    let Some(person) = &caller.person else { return Ok(()) };
    let recused = "select count(*) as value from recusals where agreement = ? and person = ?";
    match conn.one::<Number>(Sql::new(recused).bind(agreement.number).bind(person.as_str()))?.value {
        0 => Ok(()),
        _ => Err(StoreError::refused("recused", "you declared a conflict of interest on this agreement")),
    }
}

/// Who declared a conflict: how many on each side, and who on one's own.
pub(super) fn recusals(conn: &mut Conn, agreement: i64, own: Side) -> Result<Value> {
    let select = "select r.side, p.name, r.reason, r.at from recusals r join people p on p.id = r.person
        where r.agreement = ? order by r.at, p.id";
    let rows = conn.load::<RecusalRow>(Sql::new(select).bind(agreement))?;
    let count = |side: Side| rows.iter().filter(|row| row.side == side.as_str()).count();
    let people: Vec<Value> = rows
        .iter()
        .filter(|row| row.side == own.as_str())
        .map(|row| json!({"name": row.name, "reason": row.reason, "at": Moment(row.at).to_rfc3339()}))
        .collect();
    Ok(json!({"provider": count(Side::Provider), "recipient": count(Side::Recipient), "people": people}))
}
