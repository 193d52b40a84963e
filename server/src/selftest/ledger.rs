//! `ledger`: every answer has its entry, both sides can see it, and every provider's chain holds.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::Value;

use super::Found;
use super::world::{COLLECTIONS, Disclosed, World, steward, text};
use crate::ledger::{seal, verify};

pub(super) fn check(world: &World) -> Found {
    for reader in world.readers().filter(|reader| reader.token.is_some()).take(12) {
        for collection in COLLECTIONS {
            world.get(&format!("/api/v1/{collection}?limit=3"), reader.token)?;
        }
    }
    let (store, now) = (&world.commons.store, world.commons.store.now());
    seal::all(&world.commons.ledger.store, &store.keyring().signing(), now).map_err(|error| error.to_string())?;
    let trusted = seal::public_key(&store.keyring().signing());
    let (mut sealed, mut kept) = (0, BTreeMap::<String, BTreeSet<String>>::new());
    for organization in &world.organizations {
        let token = steward(organization)?;
        let lines = |request: reqwest::blocking::RequestBuilder| request.header("Accept", "application/x-ndjson");
        let export = world.send(Method::GET, "/api/v1/disclosures", Some(token), lines)?;
        if export.status != 200 {
            return Err(format!("{} was answered {} where its ledger was asked for", organization.slug, export.status));
        }
        let entries = export.body.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        kept.insert(token.to_owned(), entries.map(|entry| text(&entry, "id").to_owned()).collect());
        let insist = verify::Insist { key: Some(&trusted), checkpoint: None };
        let report = verify::verify(std::io::Cursor::new(&export.body), insist).map_err(|error| error.to_string())?;
        if let Some(fault) = report.faults.first() {
            return Err(format!("the chain of {} does not hold: {fault}", organization.slug));
        }
        sealed += report.sealed;
    }
    let told = world.disclosed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    for Disclosed { id, token, path } in &told {
        // What a program read, a steward of its co-op finds.
        let found = match kept.get(token) {
            Some(ids) => ids.contains(id),
            None => kept.values().any(|ids| ids.contains(id)),
        };
        if !found {
            return Err(format!("the answer to {path} bears {id}, and who received it finds no such entry"));
        }
    }
    if sealed == 0 || told.is_empty() {
        return Err("nothing was written down".to_owned());
    }
    Ok(format!("{} answers have their entries, and {sealed} sealed links hold", told.len()))
}
