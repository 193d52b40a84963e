//! A collection of the copy as one file: written whole, then put in the place of the one before.

use std::borrow::Cow;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value};

use super::copy::{Copy, Item};
use crate::api::format::{cell_text, push_line};

/// As CSV, safe to open in a spreadsheet. Its columns are those of the items, then every field that the collection has or had.
pub(super) fn csv(copy: &Copy, collection: Option<&str>, file: &Path) -> Result<(), String> {
    let collection = copy.collection(collection)?;
    written(file, |out| {
        let Some(collection) = collection else { return Ok(()) };
        let fields = copy.fields(&collection)?;
        let mut line = String::new();
        let head = ["id", "provider", "agreement", "edition"].into_iter().chain(fields.iter().map(String::as_str));
        push_line(&mut line, head.map(Cow::Borrowed));
        out(&line)?;
        copy.each(&collection, |item| {
            let values = values(&item)?;
            let edition = item.edition.to_string();
            let named = [item.id.as_str(), &item.provider, &item.agreement, &edition].map(Cow::Borrowed);
            let cells = fields.iter().map(|field| values.get(field).map_or(Cow::Borrowed(""), cell_text));
            line.clear();
            push_line(&mut line, named.into_iter().chain(cells));
            out(&line)
        })
    })
}

/// As NDJSON: each item as a list has it.
pub(super) fn ndjson(copy: &Copy, collection: Option<&str>, file: &Path) -> Result<(), String> {
    let collection = copy.collection(collection)?;
    written(file, |out| {
        let Some(collection) = collection else { return Ok(()) };
        copy.each(&collection, |item| {
            let fields = values(&item)?;
            let Item { id, provider, agreement, edition, .. } = item;
            let mut whole = Map::new();
            for (name, value) in [("id", id), ("provider", provider), ("agreement", agreement)] {
                whole.insert(name.to_owned(), value.into());
            }
            whole.insert("edition".to_owned(), edition.into());
            whole.extend(fields);
            out(&format!("{}\n", Value::Object(whole)))
        })
    })
}

fn values(item: &Item) -> Result<Map<String, Value>, String> {
    serde_json::from_str(&item.fields).map_err(|_| "the copy holds an item that is no item; pull with --anew".to_owned())
}

/// Writes a file beside `file`, and puts it there when it is whole.
fn written(
    file: &Path,
    fill: impl FnOnce(&mut dyn FnMut(&str) -> Result<(), String>) -> Result<(), String>,
) -> Result<(), String> {
    let unwritable = |error: std::io::Error| format!("{} cannot be written: {error}", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    let mut out = BufWriter::new(beside);
    fill(&mut |text| out.write_all(text.as_bytes()).map_err(unwritable))?;
    let beside = out.into_inner().map_err(|error| unwritable(error.into_error()))?;
    beside.as_file().sync_all().map_err(unwritable)?;
    beside.persist(file).map(drop).map_err(|error| unwritable(error.error))
}
