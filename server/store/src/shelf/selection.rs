//! Which rows of the selected shares a request wants.
//!
//! Whatever is derived (open or closed, near, on the map) is derived from the payload, which is the treated values: what a recipient is
//! not shown selects nothing. A row that lacks what a test is about, because it is hidden in its share, does not meet it.

use hayward_domain::condition::Condition;
use hayward_domain::moment::Moment;
use hayward_domain::schema::FieldName;
use hayward_domain::search::Query;

use crate::conn::Kind;
use crate::dialect::{self, Document};
use crate::sql::{Bind, Sql};

/// What rows have to meet, all of it.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The filters.
    pub condition: Condition,
    /// Not older than this: the share's edition in which a row last changed came then, or later.
    pub since: Option<Moment>,
    /// Open, or not.
    pub open: Option<OpenOn>,
    /// In each of these places.
    pub places: Vec<Place>,
    /// With these words.
    pub words: Option<Query>,
}

impl From<Condition> for Selection {
    fn from(condition: Condition) -> Self {
        Self { condition, since: None, open: None, places: Vec::new(), words: None }
    }
}

/// Something is open from `opens_on` through `closes_on`; a month or a year until its end. Without the one it is open already, without
/// the other it stays open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOn {
    /// The day, as `2026-12-01`.
    pub day: String,
    /// Whether what is open is wanted, or what is not.
    pub open: bool,
}

impl OpenOn {
    /// The field without which nothing is known to be open.
    pub const CLOSES: &'static str = "closes_on";
    /// The field that may say that something is not open yet.
    pub const OPENS: &'static str = "opens_on";
}

/// A part of the map, in degrees north and east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// Within so many kilometres of a point, on a sphere.
    Near {
        /// Of the point.
        latitude: f64,
        /// Of the point.
        longitude: f64,
        /// The radius.
        km: f64,
    },
    /// Between two meridians and two parallels, edges included. Where `west` is greater than `east`, across the 180th meridian.
    Box {
        /// The meridian where it begins, going east.
        west: f64,
        /// The lower parallel.
        south: f64,
        /// The meridian where it ends.
        east: f64,
        /// The upper parallel.
        north: f64,
    },
}

impl Selection {
    /// What no index answers besides the filters; nothing if there is no such thing. `places` are the pairs of fields that say where a
    /// row is.
    pub(super) fn derived(&self, kind: Kind, places: &[(FieldName, FieldName)]) -> Option<Sql> {
        let mut tests: Vec<Sql> = self.open.iter().map(|open| open.emit(kind)).collect();
        tests.extend(self.places.iter().map(|place| {
            let mut sql = Sql::new("(1 = 0").varying();
            for (latitude, longitude) in places {
                let [latitude, longitude] =
                    [latitude, longitude].map(|name| dialect::field(kind, Document::Payload, name).number);
                sql.push(" or ").append(place.emit(kind, &latitude, &longitude));
            }
            sql.push(")");
            sql
        }));
        let mut tests = tests.into_iter();
        let mut sql = tests.next()?;
        for test in tests {
            sql.push(" and ").append(test);
        }
        Some(sql)
    }

    /// Whether anything is derived.
    pub(super) fn derives(&self) -> bool {
        self.open.is_some() || !self.places.is_empty()
    }
}

impl OpenOn {
    fn emit(&self, kind: Kind) -> Sql {
        let field = |name: &str| FieldName::parse(name).map(|name| dialect::field(kind, Document::Payload, &name));
        let (Some(closes), Some(opens)) = (field(Self::CLOSES), field(Self::OPENS)) else {
            return Sql::new("1 = 0").varying();
        };
        // By bytes, a month comes before each of its days, and a year before each of its months.
        let part = |letters: usize| Bind::from(self.day.get(..letters).unwrap_or_default());
        let (shown, until, from) = (closes.kind, closes.text, opens.text);
        let text = if self.open {
            format!(
                "(({shown}) is not null and ({until} is null or {until} >= ? or {until} in (?, ?)) and ({from} is null or {from} <= ?))"
            )
        } else {
            format!("(({shown}) is not null and (({until} < ? and {until} not in (?, ?)) or {from} > ?))")
        };
        let mut sql = Sql::default().varying();
        sql.push_with(&text, [part(10), part(7), part(4), part(10)]);
        sql
    }
}

impl Place {
    fn emit(&self, kind: Kind, latitude: &str, longitude: &str) -> Sql {
        let mut sql = Sql::default().varying();
        match *self {
            Self::Near { latitude: north, longitude: east, km } => {
                // A millimetre for rounding: a point is within any distance of itself.
                let (apart, binds) = dialect::apart(kind, [latitude, longitude], [north, east]);
                sql.push_with(&format!("{apart} <= ?"), binds.into_iter().chain([km + 1e-6]).map(Bind::from));
            }
            Self::Box { west, south, east, north } => {
                let between = if west <= east { "and" } else { "or" };
                let text = format!("({latitude} >= ? and {latitude} <= ? and ({longitude} >= ? {between} {longitude} <= ?))");
                sql.push_with(&text, [south, north, west, east].map(Bind::from));
            }
        }
        sql
    }
}
