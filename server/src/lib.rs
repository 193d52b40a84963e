//! Hayward: a data commons for co-ops, shared field by field.
//!
//! [`app`] wires the parts together and serves them; [`cli`] is the command line. Handlers live in [`api`], one file a thing.

pub mod admin;
pub mod auth;
pub mod demo;
