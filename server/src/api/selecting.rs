//! The parameters that select rows by more than one value: `updated_since`, `open`, `near`, `bbox`, `q`.
//!
//! Each stands for fields. Where no share opens these, the parameter is one that there is not.

use std::collections::BTreeSet;

use hayward_domain::condition::Condition;
use hayward_domain::moment::Moment;
use hayward_domain::search::Query;
use hayward_store::{Names, OpenOn, Place, Selection, View};

use super::params::{Params, unknown};
use crate::error::Error;

/// Half way round the earth, in kilometres: nothing is farther away.
const FARTHEST: f64 = 20_038.0;

/// What a request gave of them, read; and as it stood there.
#[derive(Clone, Default)]
pub struct Selecting {
    since: Option<Moment>,
    open: Option<bool>,
    near: Option<Place>,
    within: Option<Place>,
    words: Option<Query>,
    given: Vec<(&'static str, String)>,
}

impl Selecting {
    /// Takes them out of the parameters.
    ///
    /// # Errors
    /// `invalid-parameter`.
    pub fn parse(params: &mut Params) -> Result<Self, Error> {
        let mut given = Vec::new();
        let mut take = |name: &'static str| {
            let text = params.take(name)?;
            given.push((name, text.clone()));
            Some(text)
        };
        let (since, open, near, within, words) = (take("updated_since"), take("open"), take("near"), take("bbox"), take("q"));
        Ok(Self {
            since: since.map(|text| moment(&text)).transpose()?,
            open: open.map(|text| truth(&text)).transpose()?,
            near: near.map(|text| circle(&text)).transpose()?,
            within: within.map(|text| frame(&text)).transpose()?,
            words: words.map(|text| search(&text)).transpose()?,
            given,
        })
    }

    /// The names of those that were given.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.given.iter().map(|(name, _)| *name)
    }

    /// Those that were given, with their values.
    pub fn given(&self) -> impl Iterator<Item = (String, String)> {
        self.given.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))
    }

    /// What they select besides `condition`, over the names that are open. Adds the fields that they stand for to `used`.
    ///
    /// # Errors
    /// `unknown-parameter` where a parameter's fields are open in no share.
    pub fn select(
        &self,
        condition: Condition,
        view: &mut View<'_>,
        names: &Names,
        begun: Moment,
        used: &mut BTreeSet<String>,
    ) -> Result<Selection, Error> {
        for name in self.names() {
            let known = match name {
                "open" => names.is_day(OpenOn::CLOSES),
                "near" | "bbox" => !names.places.is_empty(),
                "q" => names.have_words(),
                _ => true,
            };
            if !known {
                return Err(unknown(name));
            }
        }
        let open = match self.open {
            Some(open) => Some(OpenOn { day: view.day(begun)?, open }),
            None => None,
        };
        if open.is_some() {
            used.extend([OpenOn::CLOSES, OpenOn::OPENS].into_iter().filter(|name| names.has(name)).map(str::to_owned));
        }
        let places: Vec<Place> = self.near.iter().chain(&self.within).copied().collect();
        if !places.is_empty() {
            used.extend(names.places.iter().flat_map(|(north, east)| [north.to_string(), east.to_string()]));
        }
        if self.words.is_some() {
            // Which of them had the words is not known: each may have been what a row was found by.
            used.extend(names.in_order.iter().filter(|name| names.has_words(name)).cloned());
        }
        Ok(Selection { condition, since: self.since, open, places, words: self.words.clone() })
    }
}

fn wrong(name: &str, detail: &str) -> Error {
    Error::parameter("invalid-parameter", name, format!("`{name}` {detail}"))
}

fn moment(text: &str) -> Result<Moment, Error> {
    let at = chrono::DateTime::parse_from_rfc3339(text);
    at.map(|at| at.to_utc().into()).map_err(|_| wrong("updated_since", "is a moment, as in 2026-12-01T09:30:00Z (RFC 3339)"))
}

fn truth(text: &str) -> Result<bool, Error> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong("open", "is true or false")),
    }
}

fn search(text: &str) -> Result<Query, Error> {
    Query::parse(text).map_err(|error| wrong("q", &format!("cannot be looked for: {error}")))
}

/// Exactly `N` numbers, separated by commas.
fn numbers<const N: usize>(text: &str) -> Option<[f64; N]> {
    let number = |word: &str| word.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let numbers: Option<Vec<f64>> = text.split(',').map(number).collect();
    numbers?.try_into().ok()
}

fn is_latitude(angle: f64) -> bool {
    (-90.0..=90.0).contains(&angle)
}

fn is_longitude(angle: f64) -> bool {
    (-180.0..=180.0).contains(&angle)
}

fn circle(text: &str) -> Result<Place, Error> {
    let read = numbers::<3>(text)
        .filter(|[latitude, longitude, km]| is_latitude(*latitude) && is_longitude(*longitude) && (0.0..=FARTHEST).contains(km));
    let [latitude, longitude, km] = read.ok_or_else(|| wrong("near", "is latitude,longitude,kilometres, as in 41.38,2.17,25"))?;
    Ok(Place::Near { latitude, longitude, km })
}

fn frame(text: &str) -> Result<Place, Error> {
    let read = numbers::<4>(text).filter(|[west, south, east, north]| {
        is_longitude(*west) && is_longitude(*east) && is_latitude(*south) && is_latitude(*north) && south <= north
    });
    let [west, south, east, north] =
        read.ok_or_else(|| wrong("bbox", "is west,south,east,north in degrees, as in 0.16,40.52,3.33,42.86"))?;
    Ok(Place::Box { west, south, east, north })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

    use super::*;

    fn read(query: &str) -> Result<Selecting, Error> {
        Selecting::parse(&mut Params::parse(query).unwrap())
    }

    #[test]
    fn what_is_well_formed_is_taken() {
        for good in [
            "updated_since=2026-12-01T09:30:00Z",
            "updated_since=2026-12-01T09:30:00.123456%2B02:00",
            "open=true",
            "near=41.38,2.17,25",
            "near=-90,180,0",
            "bbox=170,-50,-170,-30",
            "q=solar",
            "title=x",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_not_is_refused() {
        for bad in [
            "updated_since=",
            "updated_since=2026-12-01",
            "updated_since=yesterday",
            "updated_since=2026-12-01T09:30:00 02:00",
            "open=",
            "open=1",
            "near=41.38,2.17",
            "near=41.38,2.17,-1",
            "near=41.38,2.17,30000",
            "near=91,2.17,1",
            "near=1,181,1",
            "near=NaN,1,1",
            "near=inf,1,1",
            "near=1,1,1,1",
            "bbox=1,2,3",
            "bbox=1,3,2,2",
            "bbox=-181,1,2,2",
            "bbox=1,2,3,91",
            "q=",
            "q=!",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
