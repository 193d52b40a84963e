//! What happened to a version, and what its days mean now, as each side reads it.
//!
//! Both sides read every change of state with its reason. Who it was reads their own side only, and how many of the other side
//! approved or declared a conflict reads nobody: of these only what changed the state is told.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use hayward_domain::agreement::{Side, State};
use hayward_domain::moment::Moment;
use hayward_domain::terms::{Ending, Terms};
use serde_json::{Map, Value, json};

use super::{VersionRow, in_force};
use crate::Store;
use crate::conn::Conn;
use crate::error::Result;
use crate::sql::{Sql, rows};

rows! {
    EventRow {
        version: i64, event: String, state: String, side: Option<String>, actor: Option<String>, reason: Option<String>, at: i64,
    }
}

/// What happened to the versions of an agreement, the oldest first.
pub(super) fn events(conn: &mut Conn, agreement: i64) -> Result<Vec<EventRow>> {
    let select = "select e.version, e.event, e.state, e.side, coalesce(p.name, c.name, e.actor) as actor, e.reason, e.at
        from agreement_events e left join people p on p.id = e.actor left join clients c on c.id = e.actor
        where e.agreement = ? order by e.number";
    conn.load::<EventRow>(Sql::new(select).bind(agreement))
}

/// The history of one version for one side.
pub(super) fn history(events: &[EventRow], version: i64, own: Side) -> Vec<Value> {
    let mut told = Vec::new();
    let mut before = "";
    for event in events.iter().filter(|event| event.version == version) {
        let moved = event.state != before;
        before = &event.state;
        let ours = event.side.as_deref() == Some(own.as_str());
        let counts_people = matches!(event.event.as_str(), "approve" | "recuse");
        if counts_people && !ours && !moved {
            continue;
        }
        let mut json = json!({
            "event": event.event, "state": event.state, "side": event.side, "at": Moment(event.at).to_rfc3339(),
            "reason": event.reason.as_ref().filter(|_| ours || !counts_people),
        });
        if let (true, Some(members)) = (ours, json.as_object_mut()) {
            members.insert("by".to_owned(), event.actor.clone().into());
        }
        told.push(json);
    }
    told
}

/// Now, in the days of the commons.
pub(super) struct Today {
    now: Moment,
    zone: Tz,
    grace: std::time::Duration,
}

impl Today {
    pub(super) fn of(store: &Store, conn: &mut Conn) -> Result<Self> {
        let settings = store.settings(conn)?;
        Ok(Self { now: (store.clock)(), zone: settings.time_zone, grace: settings.grace })
    }

    fn day(&self, at: Moment) -> Option<NaiveDate> {
        chrono::DateTime::from_timestamp_micros(at.0).map(|at| at.with_timezone(&self.zone).date_naive())
    }

    /// From when on it can be in force, whether the review is due, and by when the copies are to be deleted.
    pub(super) fn tell(&self, row: &VersionRow, terms: &Terms, events: &[EventRow], json: &mut Map<String, Value>) -> Result<()> {
        let (state, today) = (row.state()?, self.day(self.now));
        if let (State::Agreed, Some(agreed_at)) = (state, row.agreed_at) {
            let from = Moment(agreed_at).plus(self.grace).max(Moment(row.starts_at));
            json.insert("active_from".to_owned(), from.to_rfc3339().into());
        }
        let review_due = in_force(state) && terms.review_on.is_some_and(|day| today >= Some(day));
        json.insert("review_due".to_owned(), review_due.into());
        if let (State::Expired | State::Ended, Ending::DeleteWithinDays(days)) = (state, &terms.ending) {
            let due = self.last_day(row, terms, events).and_then(|day| day.checked_add_days(Days::new((*days).into())));
            json.insert("due_on".to_owned(), due.map(|day| day.to_string()).into());
            json.insert("overdue".to_owned(), (due.is_some() && today > due).into());
        }
        Ok(())
    }

    /// The last day on which the recipient could read.
    fn last_day(&self, row: &VersionRow, terms: &Terms, events: &[EventRow]) -> Option<NaiveDate> {
        let ended = events.iter().rev().find(|event| event.version == row.version && event.event == "end");
        match ended {
            Some(event) => self.day(Moment(event.at)),
            None => Some(terms.ends_on),
        }
    }
}
