//! A GeoJSON feature (RFC 7946) as a row: its properties, and where it is.
//!
//! A point becomes `latitude` and `longitude`, as a list of places has them. Any other shape stays as it is written, in one cell.

use serde_json::value::RawValue;

use super::flatten::{BAD_TEXT, Flattener, NOT_JSON, entries};
use super::row::Shape;
use crate::refusal::CELL_BYTES;

/// The columns of a position, in the order of its numbers.
const POSITION: [&str; 3] = ["longitude", "latitude", "altitude"];

impl Flattener {
    /// Reads one feature.
    pub(super) fn read_feature(&mut self, record: &str) -> Result<(), &'static str> {
        let members = self.begin(record)?;
        let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value.get());
        if let Some(properties) = member("properties").filter(|properties| properties.starts_with('{')) {
            self.object("", properties, 2)?;
        }
        if let Some(geometry) = member("geometry").filter(|geometry| geometry.starts_with('{')) {
            self.geometry(geometry)?;
        }
        // Its id, and what a program of its own has added.
        for (key, value) in members.iter().filter(|(key, _)| !["type", "properties", "geometry"].contains(&key.as_str())) {
            if self.is_free(key) {
                self.value(key, value.get(), 1)?;
            }
        }
        Ok(())
    }

    fn geometry(&mut self, geometry: &str) -> Result<(), &'static str> {
        let members = entries(geometry)?;
        let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value.get());
        if member("type") != Some("\"Point\"") {
            let text = if geometry.len() > CELL_BYTES { member("type").unwrap_or_default() } else { geometry };
            return if self.is_free("geometry") { self.put("geometry", Shape::Text, text.to_owned()) } else { Ok(()) };
        }
        let position: Vec<&RawValue> = serde_json::from_str(member("coordinates").unwrap_or_default()).map_err(|_| NOT_JSON)?;
        for (name, number) in POSITION.into_iter().zip(position) {
            if !number.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
                return Err(BAD_TEXT);
            }
            // What the properties say of it themselves comes first.
            if self.is_free(name) {
                self.put(name, Shape::Number, number.get().to_owned())?;
            }
        }
        Ok(())
    }
}
