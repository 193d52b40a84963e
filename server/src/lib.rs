//! Hayward: a data commons for co-ops, shared field by field.
//!
//! [`app`] wires the parts together and serves them; [`cli`] is the command line. Handlers of the API live in [`api`], pages in
//! [`web`], one file a thing, and [`routes`] lists them all.

pub mod admin;
pub mod api;
pub mod app;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod commons;
pub mod config;
pub mod credentials;
pub mod cursor;
pub mod demo;
pub mod doctor;
pub mod edge;
pub mod error;
pub mod files;
pub mod jobs;
pub mod journal;
pub mod ledger;
pub mod logging;
pub mod oauth;
pub mod problems;
pub mod pull;
pub mod reference;
pub mod request_id;
pub mod revocation;
pub mod routes;
pub mod selftest;
pub mod telemetry;
pub mod tls;
pub mod web;
