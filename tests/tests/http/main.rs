//! The program over HTTP: journeys through it, who may ask for what, and what must never come out.
//!
//! Every test has a commons of its own, a copy of the one that [`founding`] makes, and asks it the way a stranger's program
//! would. Reaching past HTTP is for setting up, and for looking at what was written down.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it is surprised"
)]

mod access;
mod again;
mod agreeing;
mod answer;
mod asking;
mod attacks;
mod backing_up;
mod bad_bodies;
mod bad_files;
mod bad_requests;
mod bulk;
mod canaries;
mod census;
mod classes;
mod crawl;
mod deciding;
mod depth;
mod difference;
mod erasing;
mod feed;
mod founding;
mod importing;
mod leaving;
mod ledger;
mod ledger_lost;
mod lists;
mod login;
mod marked;
mod oauth;
mod operator;
mod others;
mod pages;
mod people;
mod previewing;
mod process;
mod program;
mod pulling;
mod querying;
mod rates;
mod reach;
mod real_list;
mod records;
mod refusals;
mod revocation;
mod rules;
mod second_step;
mod selecting;
mod selftest;
mod table;
mod throttling;
mod undoing;
mod watching;
mod wording;
mod world;
