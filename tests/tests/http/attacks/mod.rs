//! The attacks of RFC 9700, one by one. A test here says in its comment which row of `docs/oauth.md` it is for; [`table`] holds the
//! document and the tests to each other.

mod codes;
mod pages;
pub mod scene;
mod table;
mod tokens;
