//! From agreed to answered: building a share, and what the clock ends.
//!
//! * An agreed version is due once its grace period is over and its first day has come.
//! * Its share is built under the dataset's claim, from every live record, and becomes readable in the same transaction that makes
//!   the version active and its predecessor superseded.
//! * A version that is in force while its share was built under another (narrowing), or under a schema that has gone on since, is
//!   rebuilt in the same way.
//! * If anything moved meanwhile (withdrawn, ended, narrowed again), what was staged is removed and nothing happens.
//! * Expiry is a commit of its own, made before the next list or feed is answered.

use std::sync::Arc;

use hayward_domain::agreement::{Event, State};
use hayward_domain::terms::Terms;

use crate::agreements::{self, By};
use crate::conn::{Conn, Eyes};
use crate::edition::{Commit, MEMORY};
use crate::error::{Result, StoreError};
use crate::share::Staging;
use crate::sql::{Number, Sql, rows};
use crate::{Store, counter, floor, share};

rows! {
    Due { agreement: i64, version: i64, dataset: i64 }
    ShareState { head: i64, floor: i64, version: i64 }
}

impl Store {
    /// Ends what has reached its last day.
    ///
    /// # Errors
    /// Only the database's.
    pub fn expire_due(&self) -> Result<usize> {
        let now = (self.clock)();
        let select =
            "select v.agreement, v.version, a.dataset from agreement_versions v join agreements a on a.number = v.agreement
            where v.ends_at <= ? and v.state in ('requested', 'offered', 'agreed', 'active', 'suspended')";
        // Nearly always there is nothing to do, and then nothing is written.
        if self.db.read(Eyes::Own, |conn| conn.load::<Due>(Sql::new(select).bind(now)))?.is_empty() {
            return Ok(0);
        }
        self.db.write(|conn| {
            let number = counter::commit(conn)?;
            let due = conn.load::<Due>(Sql::new(select).bind(now))?;
            for due in &due {
                let agreement = agreements::by_number(conn, due.agreement)?;
                let version = agreements::version(conn, due.agreement, due.version)?;
                let stood = agreements::in_force(version.state()?);
                agreements::transition(conn, &agreement, &version, Event::Expire, &By::clock(), now)?;
                if stood {
                    floor::close(conn, due.agreement, number)?;
                }
            }
            Ok(due.len())
        })
    }

    /// Builds every share that is due. Returns how many were built; those whose dataset is being written are left for the next time.
    ///
    /// # Errors
    /// If what is due cannot be found out.
    pub fn build_due(self: &Arc<Self>) -> Result<usize> {
        let mut built = 0;
        for due in self.due()? {
            match self.build(&due) {
                Ok(done) => built += usize::from(done),
                Err(StoreError::Busy(_) | StoreError::Fenced) => {}
                // One agreement that cannot be built must not keep the others waiting.
                Err(error) => tracing::error!(agreement = due.agreement, %error, "a share could not be built"),
            }
        }
        Ok(built)
    }

    fn due(&self) -> Result<Vec<Due>> {
        let now = (self.clock)();
        self.db.read(Eyes::Own, |conn| {
            let grace = self.settings(conn)?.grace;
            let select =
                "select v.agreement, v.version, a.dataset from agreement_versions v join agreements a on a.number = v.agreement
                where (v.state = 'agreed' and v.starts_at <= ? and v.agreed_at <= ? and v.ends_at > ?)
                or (v.state in ('active', 'suspended') and v.starts_at <= ? and not exists
                    (select 1 from shares s where s.number = v.agreement and s.version = v.version and s.head >= s.floor))
                order by v.agreement";
            conn.load::<Due>(Sql::new(select).bind(now).bind(now.minus(grace)).bind(now).bind(now))
        })
    }

    fn build(self: &Arc<Self>, due: &Due) -> Result<bool> {
        let commit = Commit::begin(self, due.dataset, "activation")?;
        match self.build_share(due, &commit) {
            Ok(()) => {
                self.tidied(floor::erase_below(&self.db, due.agreement));
                Ok(true)
            }
            Err(StoreError::Stale(_)) => commit.abandon().map(|()| false),
            Err(error) => {
                commit.give_up();
                Err(error)
            }
        }
    }

    /// Builds the share and gives the dataset back with it; [`StoreError::Stale`] where the version has run out or was halted
    /// meanwhile.
    fn build_share(self: &Arc<Self>, due: &Due, commit: &Commit) -> Result<()> {
        let (edition, claim) = (commit.view.dataset.head, commit.view.claim());
        let lens = self.db.write(|conn| {
            self.ensure_share(conn, due)?;
            // Somebody else may have built it while we waited for the claim.
            let state = agreements::version(conn, due.agreement, due.version)?.state()?;
            let built = "select case when head >= floor then version else 0 end as value from shares where number = ?";
            let built = Sql::new(built).bind(due.agreement);
            if agreements::in_force(state) && conn.one::<Number>(built)?.value == due.version {
                return Err(StoreError::Stale("this share is built".to_owned()));
            }
            share::lens_of(self, conn, due.agreement, due.version)
        })?;
        let (terms, schema) = (Arc::clone(&lens.terms), Arc::clone(&lens.schema));
        let mut staging = Staging::new(Arc::new(lens), MEMORY);
        share::rebuild(self, commit.view.lease(), &mut staging, edition)?;
        let staged = staging.finish(self, claim)?;
        let now = commit.now();
        self.db.write(|conn| {
            let number = counter::commit(conn)?;
            claim.check(conn, now)?;
            let agreement = agreements::by_number(conn, due.agreement)?;
            let mut version = agreements::version(conn, due.agreement, due.version)?;
            let share = "select head, floor, version from shares where number = ?";
            let share = conn.one::<ShareState>(Sql::new(share).bind(due.agreement))?;
            let state = version.state()?;
            if version.ends_at <= now.0 || !(state == State::Agreed || agreements::in_force(state)) {
                // An error, so that no commit number is taken for nothing.
                return Err(StoreError::Stale("this version is over".to_owned()));
            }
            let (bound_terms, bound) = self.terms(conn, due.agreement, due.version)?;
            if *bound_terms != *terms || bound.closed != schema.closed || bound.consent != schema.consent {
                return Err(StoreError::Stale("the schema went on meanwhile".to_owned()));
            }
            let before = if state == State::Agreed { self.predecessor(conn, due.agreement)? } else { None };
            let floor = self.floor_of(conn, due, &share, &terms)?;
            // The head reaches the floor even where no row changed: below it nothing can be read.
            let head = if staged.moved.anything() || floor > share.head { share.head + 1 } else { share.head };
            let update = "update shares set head = ?, floor = ?, version = ? where number = ?";
            conn.execute(Sql::new(update).bind(head).bind(floor).bind(due.version).bind(due.agreement))?;
            if head > share.head {
                share::note_edition(conn, due.agreement, head, (number, now), &staged.moved)?;
            }
            if state == State::Agreed {
                // A new version is no way around the other side's halt, not even once the halted one has run out.
                version.suspended_by = self.halted_by(conn, due.agreement)?;
            }
            if let Some(before) = before {
                agreements::transition(conn, &agreement, &before, Event::Supersede, &By::clock(), now)?;
            }
            if state == State::Agreed {
                agreements::transition(conn, &agreement, &version, Event::Activate, &By::clock(), now)?;
            }
            if floor > share.floor {
                // The feed sees a closing and an opening, and so nothing of what lies below the floor.
                floor::close(conn, due.agreement, number)?;
            }
            floor::reopen(conn, due.agreement, number)?;
            claim.release(conn)
        })?;
        self.has_grown(u64::try_from(staged.moved.added).unwrap_or(0));
        Ok(())
    }

    /// The floor of a share that is rebuilt under `terms`: what it showed and they do not must not come back through a cursor from
    /// before, even where the version that showed it is long over.
    fn floor_of(&self, conn: &mut Conn, due: &Due, share: &ShareState, terms: &Terms) -> Result<i64> {
        if share.version == 0 || share.version == due.version {
            return Ok(share.floor);
        }
        let (showed, _) = self.terms(conn, due.agreement, share.version)?;
        Ok(if showed.is_at_most(terms) { share.floor } else { share.head + 1 })
    }

    /// Who halts the newest version that was in force until its end.
    fn halted_by(&self, conn: &mut Conn, agreement: i64) -> Result<String> {
        let mut halted_by = String::new();
        for version in agreements::versions(conn, agreement)? {
            let state = version.state()?;
            if agreements::in_force(state) || state == State::Expired {
                halted_by = version.suspended_by;
            }
        }
        Ok(halted_by)
    }

    /// The version in force that an agreed one takes over from.
    fn predecessor(&self, conn: &mut Conn, agreement: i64) -> Result<Option<agreements::VersionRow>> {
        for version in agreements::versions(conn, agreement)? {
            if agreements::in_force(version.state()?) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The share of an agreement exists from its first building on.
    fn ensure_share(&self, conn: &mut Conn, due: &Due) -> Result<()> {
        let exists = Sql::new("select count(*) as value from shares where number = ?").bind(due.agreement);
        if conn.one::<Number>(exists)?.value > 0 {
            return Ok(());
        }
        let agreement = agreements::by_number(conn, due.agreement)?;
        let (_, schema) = self.terms(conn, due.agreement, due.version)?;
        let shelf = self.shelf(conn, agreement.audience, &schema.collection)?;
        // Version 0 is none: the share is not built yet.
        let insert = "insert into shares (number, shelf, dataset, version) values (?, ?, ?, 0)";
        conn.execute(Sql::new(insert).bind(due.agreement).bind(shelf).bind(agreement.dataset))?;
        Ok(())
    }

    /// The shelf of an audience and a collection.
    fn shelf(&self, conn: &mut Conn, audience: i64, collection: &str) -> Result<i64> {
        let select = "select number as value from shelves where audience = ? and collection = ?";
        let found = conn.first::<Number>(Sql::new(select).bind(audience).bind(collection))?;
        if let Some(found) = found {
            return Ok(found.value);
        }
        let number = counter::take(conn, "shelf", 1)?;
        let insert = "insert into shelves (number, audience, collection) values (?, ?, ?)
            on conflict (audience, collection) do nothing";
        conn.execute(Sql::new(insert).bind(number).bind(audience).bind(collection))?;
        Ok(conn.one::<Number>(Sql::new(select).bind(audience).bind(collection))?.value)
    }
}
