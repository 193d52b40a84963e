//! One JSON object as cells under keys.
//!
//! An object inside another becomes `outer.inner`, an object in an array `outer[0].inner`, and an array of scalars one cell. What a
//! careful reader refuses is refused: a key twice, half a surrogate pair, nesting beyond 32.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::row::Shape;
use crate::refusal::COLUMNS;

/// How deep a record may be nested.
const DEPTH: usize = 32;

/// The longest path to a value, in bytes.
const PATH: usize = 1024;

pub(super) const NOT_JSON: &str = "the record is not valid JSON";
const NOT_AN_OBJECT: &str = "the record is not an object";
const TWICE: &str = "the record has the same key twice";
pub(super) const BAD_TEXT: &str = "the record has text or a number that cannot be kept exactly";
const TOO_DEEP: &str = "the record is nested deeper than 32 levels";
const TOO_WIDE: &str = "the record has more keys than a table has columns";
const LONG_KEY: &str = "the record has a key longer than 1,024 bytes";

/// The columns of a JSON file, by path.
#[derive(Default)]
pub(crate) struct Keys {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Keys {
    /// The columns called `names`, in this order.
    pub(crate) fn new(names: impl Iterator<Item = String>) -> Self {
        let mut keys = Self::default();
        for name in names {
            keys.place(&name);
        }
        keys
    }

    /// Their names in order.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.names
    }

    fn known(&self, path: &str) -> Option<usize> {
        self.places.get(path).copied()
    }

    fn place(&mut self, path: &str) -> Option<usize> {
        if let Some(place) = self.known(path) {
            return Some(place);
        }
        if self.names.len() >= COLUMNS {
            return None;
        }
        let place = self.names.len();
        self.places.insert(path.to_owned(), place);
        self.names.push(path.to_owned());
        Some(place)
    }
}

/// What is under one key.
type Found = Option<(Shape, String)>;

/// Turns one record after the other into cells.
pub(super) struct Flattener {
    keys: Keys,
    cells: Vec<Found>,
}

impl Flattener {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, cells: Vec::new() }
    }

    pub(super) fn cells(&self) -> &[Found] {
        &self.cells
    }

    pub(super) fn into_keys(self) -> Keys {
        self.keys
    }

    /// Reads one record.
    pub(super) fn read(&mut self, record: &str) -> Result<(), &'static str> {
        let entries = self.begin(record)?;
        self.entries("", entries, 1)
    }

    /// Begins a row with what stands in `record`.
    pub(super) fn begin<'r>(&mut self, record: &'r str) -> Result<Vec<(String, &'r RawValue)>, &'static str> {
        self.cells.clear();
        self.cells.resize(self.keys.names.len(), None);
        let raw: &RawValue = serde_json::from_str(record).map_err(|_| NOT_JSON)?;
        if !raw.get().starts_with('{') {
            return Err(NOT_AN_OBJECT);
        }
        entries(raw.get())
    }

    /// Whether nothing stands in the column of `path`.
    pub(super) fn is_free(&self, path: &str) -> bool {
        self.keys.known(path).and_then(|place| self.cells.get(place)).is_none_or(Option::is_none)
    }

    pub(super) fn object(&mut self, path: &str, raw: &str, depth: usize) -> Result<(), &'static str> {
        self.entries(path, entries(raw)?, depth)
    }

    fn entries(&mut self, path: &str, entries: Vec<(String, &RawValue)>, depth: usize) -> Result<(), &'static str> {
        for (key, value) in entries {
            let inner = if path.is_empty() { key } else { format!("{path}.{key}") };
            self.value(&inner, value.get(), depth)?;
        }
        Ok(())
    }

    pub(super) fn value(&mut self, path: &str, raw: &str, depth: usize) -> Result<(), &'static str> {
        if depth > DEPTH {
            return Err(TOO_DEEP);
        }
        match raw.as_bytes().first() {
            Some(b'{') => {
                self.nested(path);
                self.object(path, raw, depth + 1)
            }
            Some(b'[') => self.array(path, raw, depth + 1),
            Some(b'"') => self.put(path, Shape::Text, serde_json::from_str(raw).map_err(|_| BAD_TEXT)?),
            Some(b'n') => self.put(path, Shape::Text, String::new()),
            Some(b't' | b'f') => self.put(path, Shape::Boolean, raw.to_owned()),
            Some(_) => self.put(path, Shape::Number, raw.to_owned()),
            None => Err(NOT_JSON),
        }
    }

    fn array(&mut self, path: &str, raw: &str, depth: usize) -> Result<(), &'static str> {
        let elements: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| NOT_JSON)?;
        let scalars = elements.iter().all(|element| !element.get().starts_with(['{', '[']));
        if scalars {
            // Read once here, so that half a surrogate pair is found before anything is kept.
            serde_json::from_str::<Vec<serde_json::Value>>(raw).map_err(|_| BAD_TEXT)?;
            let shape = if elements.is_empty() { Shape::Text } else { Shape::List };
            return self.put(path, shape, if elements.is_empty() { String::new() } else { raw.to_owned() });
        }
        self.nested(path);
        for (index, element) in elements.iter().enumerate() {
            self.value(&format!("{path}[{index}]"), element.get(), depth)?;
        }
        Ok(())
    }

    /// Marks the cell of a column that other records fill with a scalar.
    fn nested(&mut self, path: &str) {
        if let Some(cell) = self.keys.known(path).and_then(|place| self.cells.get_mut(place)) {
            *cell = Some((Shape::Nested, String::new()));
        }
    }

    pub(super) fn put(&mut self, path: &str, shape: Shape, text: String) -> Result<(), &'static str> {
        if path.len() > PATH {
            return Err(LONG_KEY);
        }
        if path.contains('\0') {
            return Err(BAD_TEXT);
        }
        let place = self.keys.place(path).ok_or(TOO_WIDE)?;
        if place >= self.cells.len() {
            self.cells.resize(place + 1, None);
        }
        match self.cells.get_mut(place) {
            // `{"a": {"b": 1}, "a.b": 2}` comes here.
            Some(Some(_)) => Err(TWICE),
            Some(cell) => {
                *cell = Some((shape, text));
                Ok(())
            }
            None => Err(TOO_WIDE),
        }
    }
}

/// The entries of an object in their order; a key may stand there once.
pub(super) fn entries(raw: &str) -> Result<Vec<(String, &RawValue)>, &'static str> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(raw);
    // The syntax of the whole record has been checked: what is left to be wrong is the text of a key.
    let entries = reader.deserialize_map(Entries).map_err(|_| BAD_TEXT)?;
    let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let twice = keys.windows(2).any(|pair| pair.first() == pair.last());
    if twice { Err(TWICE) } else { Ok(entries) }
}
