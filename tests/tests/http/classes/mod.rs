//! Named regression tests for the ways in which sharing by field is known to leak, one class of `docs/leaks.md` each.
//!
//! A test here says in its comment which class it is for; [`table`] holds the document and the tests to each other. Where another
//! suite covers a class already (twin worlds, canaries, the access table), the document names that test and there is none here.

mod bodies;
mod callers;
mod formats;
mod guessing;
mod movement;
mod names;
mod table;
mod union;
