//! What whoever runs a commons can watch: numbers ([`scrape`]) and traces ([`traces`]).
//!
//! * Nothing here names an organization, an agreement, a person, a program, a list or a record, and nothing holds a value. Labels are
//!   route templates, methods, classes of statuses, names of jobs and states.
//! * Both are off unless they are asked for. Numbers are served at an address of their own, never beside the API.

pub mod scrape;
pub mod traces;
