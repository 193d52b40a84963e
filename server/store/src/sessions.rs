//! What a person has open: browsers in which they are signed in, and bearer tokens that they got by signing in.
//!
//! * A browser's session is a row of its own, kept under a hash of its cookie; it authorizes pages and nothing else. A token is a row
//!   of [`crate::tokens`], and authorizes the API and nothing else.
//! * Both are begun only while what was checked still stands: the password, or that the person is not shut out. The person's row is
//!   locked for that, and written by whatever takes sessions away, so none slips in between.
//! * Whoever looks a session up looks at the person in the same statement: who is shut out has none, on any server, at once.
//! * Each has an id that names it and opens nothing. When it was last used is known to the hour; from where is not kept.

use std::time::Duration;

use hayward_domain::id::PersonId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::{Role, Scopes};
use serde::Serialize;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::journal::Closing;
use crate::people::{self, Organization};
use crate::sql::{Number, Sql, Word, rows};
use crate::tokens::{Caller, NewToken, add_token};
use crate::{Store, counter, dialect, leaving, oauth};

/// How exactly it is known when a session was last used.
const COARSE: Duration = Duration::from_secs(3_600);

/// A browser's session to be.
pub struct NewPageSession {
    /// Its id, which opens nothing.
    pub id: String,
    /// The hash of its cookie.
    pub hash: String,
    /// Whose it is.
    pub person: PersonId,
    /// For whom they act, where that is clear.
    pub organization: Option<OrganizationNumber>,
    /// The browser, in a few words of a closed set.
    pub program: String,
    /// When it ends by itself.
    pub expires_at: Moment,
}

/// Who is signed in at a browser.
#[derive(Clone)]
pub struct PageSession {
    /// The session's id.
    pub id: String,
    /// Who.
    pub person: PersonId,
    /// What they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// Whether they run the server.
    pub operator: bool,
    /// What else they are in the commons.
    pub offices: Vec<Role>,
    /// For which member co-op they act now; one of `positions`.
    pub organization: Option<OrganizationNumber>,
    /// What they are, and where.
    pub positions: Vec<(Organization, Vec<Role>)>,
    /// When it was last used, to the hour.
    pub used_at: Moment,
}

/// One session, as its person sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ListedSession {
    /// Its id.
    pub id: String,
    /// `browser` or `token`.
    pub kind: &'static str,
    /// What it was begun with, in a few words.
    pub program: String,
    /// When it was begun.
    pub began_at: String,
    /// When it was last used, to the hour.
    pub used_at: String,
    /// When it ends by itself.
    pub expires_at: String,
}

rows! {
    SessionRow { id: String, person: String, email: String, name: String, operator: i64, organization: Option<i64>, used_at: i64 }
    ListedRow { id: String, program: Option<String>, began_at: i64, used_at: Option<i64>, expires_at: i64 }
}

/// The beginning of the hour.
fn coarse(at: i64) -> i64 {
    let hour = i64::try_from(COARSE.as_micros()).unwrap_or(i64::MAX);
    at - at.rem_euclid(hour)
}

impl Store {
    /// Begins a browser's session.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where what was checked does not stand any more.
    pub fn begin_page_session(&self, new: &NewPageSession, checked: &str) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            still_proved(conn, &new.person, checked)?;
            let insert = "insert into page_sessions (id, hash, person, organization, program, began_at, used_at, expires_at)
                values (?, ?, ?, ?, ?, ?, ?, ?)";
            let insert = Sql::new(insert).bind(&new.id).bind(&new.hash).bind(new.person.as_str());
            let insert = insert.bind(new.organization.map(|number| number.0)).bind(&new.program);
            conn.execute(insert.bind(now).bind(coarse(now.0)).bind(new.expires_at)).map(drop)
        })
    }

    /// Keeps the token of somebody who has just signed in.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where what was checked does not stand any more.
    pub fn begin_session(&self, new: &NewToken, id: &str, program: &str, checked: &str) -> Result<()> {
        let now = (self.clock)();
        let person = new.person.as_ref().ok_or(StoreError::NotFound)?;
        self.db.write(|conn| {
            still_proved(conn, person, checked)?;
            add_token(conn, new, now)?;
            let update = "update tokens set session = ?, program = ?, used_at = ? where hash = ?";
            conn.execute(Sql::new(update).bind(id).bind(program).bind(coarse(now.0)).bind(&new.hash)).map(drop)
        })
    }

    /// Who is signed in at the browser whose cookie has this hash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that does not exist, is over, or whose person is shut out.
    pub fn page_session(&self, hash: &str) -> Result<PageSession> {
        let now = (self.clock)();
        self.db.read(Eyes::Own, |conn| page_session(conn, hash, now))
    }

    /// What somebody who is signed in at a browser may do for the member co-op that they act for.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] as [`Self::page_session`], and where they act for none.
    pub fn caller_of_page(&self, hash: &str) -> Result<Caller> {
        let now = (self.clock)();
        self.db.read(Eyes::Own, |conn| {
            let session = page_session(conn, hash, now)?;
            let acting = session.positions.iter().find(|(at, _)| Some(at.number) == session.organization);
            let (organization, roles) = acting.ok_or(StoreError::NotFound)?;
            let collections = conn.load::<Word>(Sql::new("select distinct collection as value from schemas order by value"))?;
            let collections: Vec<String> = collections.into_iter().map(|row| row.value).collect();
            let scopes: Vec<Scopes> = roles.iter().map(|role| role.scopes(&collections)).collect();
            let mut scopes: Scopes = scopes.iter().flat_map(|scopes| scopes.iter().cloned()).collect();
            let left = "select count(*) as value from organizations where number = ? and left_at is not null";
            if conn.one::<Number>(Sql::new(left).bind(organization.number.0))?.value > 0 {
                scopes = leaving::still_open(&scopes);
            }
            Ok(Caller {
                organization: organization.number,
                organization_id: organization.id.clone(),
                person: Some(session.person),
                client: None,
                scopes,
            })
        })
    }

    /// Notes that a session is in use: at most once in an hour for each.
    ///
    /// # Errors
    /// Only the database's.
    pub fn page_session_used(&self, session: &PageSession) -> Result<()> {
        let hour = coarse((self.clock)().0);
        if session.used_at.0 >= hour {
            return Ok(());
        }
        let update = Sql::new("update page_sessions set used_at = ? where id = ? and used_at < ?");
        let update = update.bind(hour).bind(&session.id).bind(hour);
        self.db.write(|conn| conn.execute(update).map(drop))
    }

    /// Acts for another member co-op from now on, in this browser.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the person has no role there.
    pub fn act_for(&self, session: &PageSession, organization: OrganizationNumber) -> Result<()> {
        let update = "update page_sessions set organization = ? where id = ? and exists
            (select 1 from positions p where p.person = page_sessions.person and p.organization = ?)";
        let update = Sql::new(update).bind(organization.0).bind(&session.id).bind(organization.0);
        self.db.write(|conn| if conn.execute(update)? == 0 { Err(StoreError::NotFound) } else { Ok(()) })
    }

    /// What a person has open, the newest first.
    ///
    /// # Errors
    /// Only the database's.
    pub fn sessions(&self, person: &PersonId) -> Result<Vec<ListedSession>> {
        let now = (self.clock)();
        let pages = "select id, program, began_at, used_at, expires_at from page_sessions
            where person = ? and ended_at is null and expires_at > ? order by began_at desc, id";
        let tokens = "select session as id, program, issued_at as began_at, used_at, expires_at from tokens
            where person = ? and session is not null and revoked_at is null and expires_at > ? order by issued_at desc, session";
        let (pages, tokens) = self.db.read(Eyes::Own, |conn| {
            let load = |conn: &mut Conn, select: &str| conn.load::<ListedRow>(Sql::new(select).bind(person.as_str()).bind(now));
            Ok::<_, StoreError>((load(conn, pages)?, load(conn, tokens)?))
        })?;
        let listed = |kind: &'static str| {
            move |row: ListedRow| {
                let used_at = Moment(row.used_at.unwrap_or_else(|| coarse(row.began_at)));
                let one = ListedSession {
                    id: row.id,
                    kind,
                    program: row.program.unwrap_or_default(),
                    began_at: Moment(row.began_at).to_rfc3339(),
                    used_at: used_at.to_rfc3339(),
                    expires_at: Moment(row.expires_at).to_rfc3339(),
                };
                (row.began_at, one)
            }
        };
        let mut all: Vec<_> = pages.into_iter().map(listed("browser")).chain(tokens.into_iter().map(listed("token"))).collect();
        all.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.id.cmp(&other.id)));
        Ok(all.into_iter().map(|(_, one)| one).collect())
    }

    /// Ends one session of a person's own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where they have none of this id open.
    pub fn end_session(&self, person: &PersonId, id: &str) -> Result<()> {
        let now = (self.clock)();
        let (hash, commit) = self.db.write(|conn| {
            let update = "update page_sessions set ended_at = ? where id = ? and person = ? and ended_at is null";
            if conn.execute(Sql::new(update).bind(now).bind(id).bind(person.as_str()))? > 0 {
                return Ok((None, 0));
            }
            let select = "select hash as value from tokens where session = ? and person = ? and revoked_at is null";
            let hash = conn.one::<Word>(Sql::new(select).bind(id).bind(person.as_str()))?.value;
            let update = "update tokens set revoked_at = ? where hash = ? and revoked_at is null";
            conn.execute(Sql::new(update).bind(now).bind(&hash))?;
            Ok::<_, StoreError>((Some(hash), counter::newest(conn)?))
        })?;
        // A browser's session is in no archive: nothing can bring it back.
        hash.map_or(Ok(()), |hash| self.write_down(commit, now, Closing::TokenRevoked { hash }))
    }

    /// Ends the session whose cookie has this hash; one that is over already stays so.
    ///
    /// # Errors
    /// Only the database's.
    pub fn end_page_session(&self, hash: &str) -> Result<()> {
        let now = (self.clock)();
        let update = Sql::new("update page_sessions set ended_at = ? where hash = ? and ended_at is null").bind(now).bind(hash);
        self.db.write(|conn| conn.execute(update).map(drop))
    }

    /// Sets the password that a person chose, and ends every other session of theirs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the password that was checked does not stand any more.
    pub fn change_password(&self, person: &PersonId, checked: &str, password_hash: &str, but: Option<&str>) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            still_proved(conn, person, checked)?;
            let update = Sql::new("update people set password_hash = ? where id = ?").bind(password_hash).bind(person.as_str());
            conn.execute(update)?;
            end_all(conn, person.as_str(), but, now)
        })
    }

    /// Forgets browsers' sessions that are long over. Returns how many went.
    ///
    /// # Errors
    /// Only the database's.
    pub fn prune_sessions(&self) -> Result<usize> {
        let before = (self.clock)().minus(Duration::from_secs(86_400));
        let delete = Sql::new("delete from page_sessions where expires_at < ? or ended_at < ?").bind(before).bind(before);
        self.db.write(|conn| conn.execute(delete))
    }
}

/// Ends everything that a person has open, but for one session.
pub(crate) fn end_all(conn: &mut Conn, person: &str, but: Option<&str>, now: Moment) -> Result<()> {
    let but = but.unwrap_or_default();
    // Before the tokens: what is being issued now waits for the consent.
    oauth::end_of_person(conn, person, now)?;
    let pages = "update page_sessions set ended_at = ? where person = ? and id <> ? and ended_at is null";
    conn.execute(Sql::new(pages).bind(now).bind(person).bind(but))?;
    let tokens = "update tokens set revoked_at = ? where person = ? and coalesce(session, '') <> ? and revoked_at is null";
    // A token without a session is ended, whatever is spared.
    let but = if but.is_empty() { "none" } else { but };
    conn.execute(Sql::new(tokens).bind(now).bind(person).bind(but)).map(drop)
}

/// Checks, with the person's row locked, that what was checked before still stands.
pub(crate) fn still_proved(conn: &mut Conn, person: &PersonId, checked: &str) -> Result<()> {
    let lock = dialect::for_update(conn.kind());
    let select = format!("select id as value from people where id = ? and password_hash = ? and disabled_at is null{lock}");
    conn.one::<Word>(Sql::new(&select).bind(person.as_str()).bind(checked)).map(drop)
}

fn page_session(conn: &mut Conn, hash: &str, now: Moment) -> Result<PageSession> {
    let select = "select s.id, s.person, p.email, p.name, p.operator, s.organization, s.used_at
        from page_sessions s join people p on p.id = s.person
        where s.hash = ? and s.ended_at is null and s.expires_at > ? and p.disabled_at is null";
    let row = conn.one::<SessionRow>(Sql::new(select).bind(hash).bind(now))?;
    let positions = people::positions(conn, &row.person)?;
    // A role that was taken away is gone here, too.
    let organization = positions.iter().map(|(at, _)| at.number).find(|number| Some(number.0) == row.organization);
    Ok(PageSession {
        id: row.id,
        offices: people::offices(conn, &row.person)?,
        person: PersonId::parse(&row.person).ok_or(StoreError::Corrupt("a person"))?,
        email: row.email,
        name: row.name,
        operator: row.operator == 1,
        organization,
        positions,
        used_at: Moment(row.used_at),
    })
}
