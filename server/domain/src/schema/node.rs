//! A place in a schema document: a value that knows its own JSON pointer, so that every refusal names where.

use serde_json::{Map, Value};

use super::SchemaError;

/// A value of the document, and where it stands.
pub(super) struct Node<'a> {
    pub value: &'a Value,
    pub pointer: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, pointer: String::new() }
    }

    fn below(&self, segment: &str, value: &'a Value) -> Self {
        let segment = segment.replace('~', "~0").replace('/', "~1");
        Self { value, pointer: format!("{}/{segment}", self.pointer) }
    }

    /// The refusal of what stands here.
    pub(super) fn refuse(&self, detail: impl Into<String>) -> SchemaError {
        SchemaError { pointer: self.pointer.clone(), detail: detail.into() }
    }

    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| self.below(key, value))
    }

    pub(super) fn need(&self, key: &str) -> Result<Self, SchemaError> {
        self.get(key).ok_or_else(|| self.refuse(format!("`{key}` is missing")))
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, SchemaError> {
        self.value.as_object().ok_or_else(|| self.refuse("must be an object"))
    }

    pub(super) fn text(&self) -> Result<&'a str, SchemaError> {
        self.value
            .as_str()
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| self.refuse("must be a text that says something"))
    }

    pub(super) fn flag(&self) -> Result<bool, SchemaError> {
        self.value.as_bool().ok_or_else(|| self.refuse("must be true or false"))
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, SchemaError> {
        let items = self.value.as_array().ok_or_else(|| self.refuse("must be a list"))?;
        Ok(items.iter().enumerate().map(|(at, value)| self.below(&at.to_string(), value)).collect())
    }

    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Self)>, SchemaError> {
        Ok(self.object()?.iter().map(|(key, value)| (key.as_str(), self.below(key, value))).collect())
    }

    /// Refuses a key that is not among `known`: a misspelt one would be silently without effect.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), SchemaError> {
        match self.entries()?.into_iter().find(|(key, _)| !known.contains(key)) {
            Some((key, unknown)) => Err(unknown.refuse(format!("`{key}` is not known here; known are {}", listed(known)))),
            None => Ok(()),
        }
    }

    /// The one of `choices` that is written here.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, SchemaError> {
        let written = self.text()?;
        choices.iter().find(|(word, _)| *word == written).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.refuse(format!("`{written}` is not one of {}", listed(&words)))
        })
    }

    /// The list of `choices` that is written here, each at most once; an absent list is an empty one.
    pub(super) fn choices<T: Copy + PartialEq>(list: Option<&Self>, choices: &[(&str, T)]) -> Result<Vec<T>, SchemaError> {
        let mut chosen = Vec::new();
        for item in list.map(Self::items).transpose()?.unwrap_or_default() {
            let choice = item.choice(choices)?;
            if chosen.contains(&choice) {
                return Err(item.refuse("says the same twice"));
            }
            chosen.push(choice);
        }
        Ok(chosen)
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
