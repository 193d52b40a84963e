//! A member co-op that leaves the commons.
//!
//! * Leaving is one transaction: whatever agreement it is a party to is ended, what was to come after is void, the shares close, its
//!   programs are revoked, and its lists leave the catalogue. It is noted in the journal, so that a restored backup knows of it.
//! * The other sides are told by what they have: the agreement says that it has ended and why, the feed removes the records.
//! * Its people can still sign in, for what is theirs: to read and take along their lists, their agreements and their side of the
//!   ledger, and to certify what became of the copies that they were given. Every other scope is gone.
//! * [`KEPT_AFTER_LEAVING`] later its lists are dropped: originals, what shares held of them, files, in small steps under each
//!   list's claim. Agreements and ledger stay, since they are the other sides' as well.
//! * There is no way back. Whoever comes again is a new member co-op.

use std::sync::Arc;
use std::time::Duration;

use hayward_domain::agreement::{Actor, Event, Side};
use hayward_domain::id::{ImportId, OrganizationId};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::{Role, Scope, Scopes};
use serde::Serialize;

use crate::agreements::{Again, By, by_number, in_force, side_of, transition, versions, void_open};
use crate::claim;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::imports::{drop_pieces, drop_some_problems, forget};
use crate::journal::Closing;
use crate::sql::{Number, Sql, Word, rows};
use crate::{Caller, Store, counter, floor, search};

/// How long the lists of a member co-op that has left are kept for it to take along.
pub const KEPT_AFTER_LEAVING: Duration = Duration::from_secs(30 * 86_400);

/// Rows that one transaction drops.
const CHUNK: i64 = 1_000;

/// What leaving came to.
#[derive(Debug, Serialize)]
pub struct Left {
    /// Who left.
    pub organization: String,
    /// When, as RFC 3339.
    pub left_at: String,
    /// From when on its lists are dropped, as RFC 3339.
    pub kept_until: String,
    /// The agreements that ended with it, and those that will not come into force.
    pub agreements: Vec<String>,
}

rows! {
    NamedRow { slug: String, name: String, left_at: Option<i64> }
}

/// What people of a member co-op that has left may still do.
pub(crate) fn still_open(scopes: &Scopes) -> Scopes {
    scopes.and(&Scopes::from_iter([Scope::DatasetsRead, Scope::AgreementsRead, Scope::AgreementsApprove, Scope::LedgerRead]))
}

impl Store {
    /// The caller's organization leaves. `named` is its id or short name, written out by whoever means it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `owners-only` for anybody but an owner (a steward, where there is no owner), with `not-confirmed`
    /// where another organization is named or none, and with `left-already`.
    pub fn leave(&self, caller: &Caller, named: &str, reason: &str) -> Result<Left> {
        let now = (self.clock)();
        let (commit, left) = self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let organization = caller.organization;
            let select = Sql::new("select slug, name, left_at from organizations where number = ?").bind(organization.0);
            let row = conn.one::<NamedRow>(select)?;
            decides(conn, caller)?;
            if row.left_at.is_some() {
                return Err(StoreError::refused("left-already", "this member co-op has left the commons already"));
            }
            if named != row.slug && named != caller.organization_id.as_str() {
                return Err(StoreError::refused(
                    "not-confirmed",
                    "`organization` has to name the member co-op that leaves: yours",
                ));
            }
            let reason = format!("{} has left the commons: {reason}", row.name);
            let agreements = close_all(conn, caller, commit, &reason, now)?;
            let left = Left {
                organization: caller.organization_id.to_string(),
                left_at: now.to_rfc3339(),
                kept_until: now.plus(KEPT_AFTER_LEAVING).to_rfc3339(),
                agreements,
            };
            Ok::<_, StoreError>((commit, left))
        })?;
        let (organization, by) = (caller.organization_id.to_string(), caller.name().to_owned());
        self.write_down(commit, now, Closing::Left { organization, by })?;
        Ok(left)
    }

    /// Leaves again, after a restore of an archive from before.
    pub(crate) fn leave_again(&self, id: &OrganizationId) -> Result<Again> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let select = "select number as value from organizations where id = ? and left_at is null";
            let Some(number) = conn.first::<Number>(Sql::new(select).bind(id.as_str()))? else { return Ok(Again::Nothing) };
            let caller = Caller {
                organization: OrganizationNumber(number.value),
                organization_id: id.clone(),
                person: None,
                client: None,
                scopes: Scopes::default(),
            };
            close_all(conn, &caller, commit, "left the commons; done again after a restore", now)?;
            Ok(Again::Closed)
        })
    }

    /// Drops the lists of those who left long enough ago. Returns how many lists that were.
    ///
    /// # Errors
    /// Only the database's; a list that is being written is left for the next time.
    pub fn drop_what_left(self: &Arc<Self>) -> Result<usize> {
        let before = (self.clock)().minus(KEPT_AFTER_LEAVING);
        let due = "select number as value from organizations where left_at is not null and left_at <= ? and dropped_at is null";
        let due = self.db.read(Eyes::Own, |conn| conn.load::<Number>(Sql::new(due).bind(before)))?;
        let mut dropped = 0;
        for organization in due {
            let lists = Sql::new("select number as value from datasets where organization = ?").bind(organization.value);
            let lists = self.db.read(Eyes::Own, |conn| conn.load::<Number>(lists))?;
            for list in &lists {
                self.drop_list(list.value)?;
            }
            search::forget(&self.db)?;
            let now = (self.clock)();
            let update = Sql::new("update organizations set dropped_at = ? where number = ?").bind(now).bind(organization.value);
            self.db.write(|conn| conn.execute(update))?;
            dropped += lists.len().max(1);
        }
        Ok(dropped)
    }

    /// Everything that a list holds goes: its originals, their treated copies, its files.
    fn drop_list(&self, list: i64) -> Result<()> {
        let claim = claim::take(&self.db, &*self.clock, list, "dropping")?;
        let steps = [
            "delete from records where row in (select row from records where dataset = ? limit ?)",
            "update shared_records set payload = null, index_1 = null, index_2 = null, index_3 = null where row in
                (select r.row from shared_records r join shares s on s.number = r.share
                where s.dataset = ? and r.payload is not null limit ?)",
        ];
        for step in steps {
            self.until_none(|conn| {
                claim.check(conn, (self.clock)())?;
                conn.execute(Sql::new(step).bind(list).bind(CHUNK))
            })?;
        }
        let imports = Sql::new("select id as value from imports where dataset = ?").bind(list);
        for import in self.db.read(Eyes::Own, |conn| conn.load::<Word>(imports))? {
            self.until_none(|conn| drop_pieces(conn, &import.value))?;
            self.until_none(|conn| drop_some_problems(conn, &import.value))?;
            let id = ImportId::parse(&import.value).ok_or(StoreError::Corrupt("an import"))?;
            self.db.write(|conn| forget(conn, &id))?;
        }
        self.db.write(|conn| claim.release(conn))
    }
}

/// Leaving is for an owner to say; where nobody is one, for a steward.
fn decides(conn: &mut Conn, caller: &Caller) -> Result<()> {
    let refused = || StoreError::refused("owners-only", "an owner of the member co-op has to say that it leaves");
    let person = caller.person.as_ref().ok_or_else(refused)?;
    let held = |who: &str, role: Role| {
        let text = format!("select count(*) as value from positions where organization = ? and role = ?{who}");
        Sql::new(&text).bind(caller.organization.0).bind(role.as_str())
    };
    let own = |conn: &mut Conn, role| {
        Ok::<_, StoreError>(conn.one::<Number>(held(" and person = ?", role).bind(person.as_str()))?.value > 0)
    };
    let nobody_owns = conn.one::<Number>(held("", Role::Owner))?.value == 0;
    if own(conn, Role::Owner)? || (nobody_owns && own(conn, Role::Steward)?) { Ok(()) } else { Err(refused()) }
}

/// Ends what stands, voids what waits, revokes the programs, and writes down that it has left. Returns the agreements.
fn close_all(conn: &mut Conn, caller: &Caller, commit: i64, reason: &str, now: Moment) -> Result<Vec<String>> {
    let me = caller.organization.0;
    let mine = Sql::new("select number as value from agreements where provider = ? or recipient = ? order by number");
    let mut closed = Vec::new();
    for number in conn.load::<Number>(mine.bind(me).bind(me))? {
        let agreement = by_number(conn, number.value)?;
        let side = side_of(&agreement, me).unwrap_or(Side::Provider);
        let by = By { actor: Actor::Steward(side), who: Some(caller), reason: Some(reason.to_owned()) };
        let mut stood = false;
        for version in versions(conn, agreement.number)? {
            if in_force(version.state()?) {
                transition(conn, &agreement, &version, Event::End, &by, now)?;
                floor::close(conn, agreement.number, commit)?;
                stood = true;
            }
        }
        if void_open(conn, &agreement, side, &by, now)? > 0 || stood {
            closed.push(agreement.id);
        }
    }
    let programs = "update clients set revoked_at = ? where organization = ? and revoked_at is null";
    let tokens = "update tokens set revoked_at = ? where organization = ? and client is not null and revoked_at is null";
    let consents = "update consents set ended_at = ? where organization = ? and ended_at is null";
    let invites = "update invites set revoked_at = ? where organization = ? and accepted_at is null and revoked_at is null";
    let left = "update organizations set left_at = ? where number = ?";
    for update in [programs, consents, tokens, invites, left] {
        conn.execute(Sql::new(update).bind(now).bind(me))?;
    }
    Ok(closed)
}
