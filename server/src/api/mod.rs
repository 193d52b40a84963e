//! The HTTP API: a handler extracts, parses, asks the store, answers. One file a thing.

pub mod agreements;
pub mod body;
pub mod catalogue;
pub mod changes;
pub mod datasets;
pub mod diff;
pub mod disclosures;
pub mod fixes;
pub mod format;
pub mod health;
pub mod imports;
pub mod invite;
pub mod made;
pub mod marked;
pub mod names;
pub mod numbered;
pub mod oauth;
pub mod params;
pub mod reading;
pub mod readings;
pub mod sessions;
pub mod setup;
pub mod shared;
pub mod undo;
pub mod upload;
pub mod watching;
