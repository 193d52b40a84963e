//! Twin worlds: two commons that differ only in what a recipient may not see answer it in the same way, byte for byte.
//!
//! `oracles` has one small pair of worlds for each way in which field-level sharing is known to leak, `random` makes pairs up, and
//! `mutants` shows that the comparison notices a leak where there is one, and `work` compares what the database does. `HAYWARD_TWINS=N` asks for `N` random pairs instead of
//! a few, `HAYWARD_TRACES=M` for `M` traces in each, and `HAYWARD_TWINS_SEED` for those of an earlier run. `bash tests/twins/run` asks for very many.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod ask;
mod bargain;
mod compare;
mod fields;
mod mutants;
mod oracles;
mod plan;
mod random;
mod redraw;
mod replay;
mod twins;
mod work;
mod world;
