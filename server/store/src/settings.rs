//! What a commons has decided about itself.

use std::time::Duration;

use hayward_domain::moment::Moment;
use hayward_domain::terms::Terms;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use crate::{Store, counter};

rows! {
    Setting { name: String, value: String }
}

/// The settings of a commons.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What people call it.
    pub name: String,
    /// Where its days begin: an IANA time zone.
    pub time_zone: chrono_tz::Tz,
    /// How long an agreed version can be taken back.
    pub grace: Duration,
    /// Requests a second that a program or a person may make, unless it has a limit of its own.
    pub client_limit: u32,
    /// The same for an address from which somebody asks without a token.
    pub address_limit: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Commons".to_owned(),
            time_zone: chrono_tz::UTC,
            grace: Duration::from_secs(15 * 60),
            client_limit: 1_000,
            address_limit: 200,
        }
    }
}

fn limit(text: &str) -> Result<u32> {
    text.parse().ok().filter(|limit| *limit > 0).ok_or(StoreError::Corrupt("a limit"))
}

impl Store {
    pub(crate) fn settings(&self, conn: &mut Conn) -> Result<Settings> {
        let mut settings = Settings::default();
        for row in conn.load::<Setting>(Sql::new("select name, value from settings"))? {
            match row.name.as_str() {
                "name" => settings.name = row.value,
                "time_zone" => settings.time_zone = row.value.parse().map_err(|_| StoreError::Corrupt("the time zone"))?,
                "grace_seconds" => {
                    settings.grace =
                        row.value.parse().map(Duration::from_secs).map_err(|_| StoreError::Corrupt("the grace period"))?;
                }
                "client_limit" => settings.client_limit = limit(&row.value)?,
                "address_limit" => settings.address_limit = limit(&row.value)?,
                _ => {}
            }
        }
        Ok(settings)
    }

    /// The settings of this commons.
    ///
    /// # Errors
    /// Only the database's.
    pub fn read_settings(&self) -> Result<Settings> {
        self.db.read(Eyes::Own, |conn| self.settings(conn))
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// Only the database's.
    pub fn write_settings(&self, settings: &Settings) -> Result<()> {
        let grace = settings.grace.as_secs().to_string();
        let (client, address) = (settings.client_limit.to_string(), settings.address_limit.to_string());
        let all = [
            ("name", settings.name.as_str()),
            ("time_zone", settings.time_zone.name()),
            ("grace_seconds", &grace),
            ("client_limit", &client),
            ("address_limit", &address),
        ];
        all.into_iter().try_for_each(|(name, value)| self.note(name, value))
    }

    /// One fact about this commons that is no setting, such as the print of its keys.
    ///
    /// # Errors
    /// Only the database's.
    pub fn noted(&self, name: &str) -> Result<Option<String>> {
        let select = Sql::new("select name, value from settings where name = ?").bind(name);
        Ok(self.db.read(Eyes::Own, |conn| conn.first::<Setting>(select))?.map(|row| row.value))
    }

    /// Writes such a fact down unless it stands already; returns what stands.
    ///
    /// # Errors
    /// Only the database's.
    pub fn note_once(&self, name: &str, value: &str) -> Result<String> {
        let insert = "insert into settings (name, value) values (?, ?) on conflict (name) do nothing";
        let select = Sql::new("select name, value from settings where name = ?").bind(name);
        self.db.write(|conn| {
            conn.execute(Sql::new(insert).bind(name).bind(value))?;
            Ok(conn.one::<Setting>(select)?.value)
        })
    }

    /// Writes such a fact down.
    ///
    /// # Errors
    /// Only the database's.
    pub fn note(&self, name: &str, value: &str) -> Result<()> {
        let upsert = "insert into settings (name, value) values (?, ?) on conflict (name) do update set value = excluded.value";
        self.db.write(|conn| conn.execute(Sql::new(upsert).bind(name).bind(value)).map(drop))
    }

    /// The instants between which terms hold: the start of the first day and the end of the last, in the commons' time zone.
    pub(crate) fn days(&self, conn: &mut Conn, terms: &Terms) -> Result<(Moment, Moment)> {
        let zone = self.settings(conn)?.time_zone;
        let after = terms.ends_on.succ_opt().ok_or(StoreError::Corrupt("a last day"))?;
        Ok((midnight(zone, terms.starts_on)?, midnight(zone, after)?))
    }

    /// When a day begins, in the commons' time zone.
    ///
    /// # Errors
    /// Only the database's.
    pub fn day_begins(&self, day: chrono::NaiveDate) -> Result<Moment> {
        let zone = self.db.read(Eyes::Own, |conn| self.settings(conn))?.time_zone;
        midnight(zone, day)
    }

    /// The number of the newest commit.
    ///
    /// # Errors
    /// Only the database's.
    pub fn newest_commit(&self) -> Result<i64> {
        self.db.read(Eyes::Own, counter::newest)
    }
}

/// The day of a moment.
pub(crate) fn day_of(zone: chrono_tz::Tz, at: Moment) -> String {
    let at = chrono::DateTime::from_timestamp_micros(at.0).map(|at| at.with_timezone(&zone).date_naive());
    at.map(|day| day.to_string()).unwrap_or_default()
}

/// When a day begins. Where the clocks skip midnight, it begins an hour later.
fn midnight(zone: chrono_tz::Tz, day: chrono::NaiveDate) -> Result<Moment> {
    let corrupt = StoreError::Corrupt("a day");
    for hour in 0..3 {
        let Some(naive) = day.and_hms_opt(hour, 0, 0) else { return Err(corrupt) };
        if let Some(at) = naive.and_local_timezone(zone).earliest() {
            return Ok(at.with_timezone(&chrono::Utc).into());
        }
    }
    Err(corrupt)
}
