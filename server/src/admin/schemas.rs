//! Schemas of lists.

use std::fs;
use std::path::Path;

use hayward_domain::schema::Schema;
use hayward_store::{Store, StoreError};
use serde_json::{Value, json};

use super::{AdminError, Answer, SchemaCommand};

pub(super) fn run(store: &Store, command: SchemaCommand) -> Result<Answer, AdminError> {
    match command {
        SchemaCommand::Register { file } => register(store, &file),
        SchemaCommand::List => list(store),
        SchemaCommand::Show { name } => show(store, &name),
    }
}

fn register(store: &Store, file: &Path) -> Result<Answer, AdminError> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|cause| AdminError::Io { what: format!("`{name}`"), cause })?;
    let document: Value =
        serde_json::from_str(&text).map_err(|error| AdminError::Input(format!("`{name}` is not JSON: {error}")))?;
    let schema = Schema::parse(&document).map_err(|error| AdminError::Input(format!("`{name}`: {error}")))?;
    store.register_schema(&schema)?;
    Ok(Answer::new(
        format!("version {} of `{}` is registered, under /api/v1/{}", schema.version, schema.name, schema.collection),
        json!({"name": schema.name, "version": schema.version, "collection": schema.collection}),
    )
    .did("schema register", schema.name))
}

fn show(store: &Store, name: &str) -> Result<Answer, AdminError> {
    let schema = store.schema(name).map_err(|error| match error {
        StoreError::NotFound => {
            AdminError::Input(format!("there is no schema `{name}`; `hayward admin schema list` shows those there are"))
        }
        other => other.into(),
    })?;
    let document: &Value = &schema.document;
    Ok(Answer::new(serde_json::to_string_pretty(document).unwrap_or_default(), document.clone()))
}

fn list(store: &Store) -> Result<Answer, AdminError> {
    let annotations =
        |document: &Value, key: &str| document.get("x-hayward").and_then(|own| own.get(key)).cloned().unwrap_or_default();
    let schemas = store.schemas()?;
    let items: Vec<Value> = schemas
        .iter()
        .map(|document| {
            let own = |key| annotations(document, key);
            json!({"name": own("name"), "version": own("version"), "collection": own("collection")})
        })
        .collect();
    let word =
        |item: &Value, key: &str| item.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let lines: Vec<Vec<String>> =
        items.iter().map(|item| ["name", "version", "collection"].iter().filter_map(|key| word(item, key)).collect()).collect();
    Ok(Answer::list(&lines, "no schema is registered yet", json!({"schemas": items})))
}
