//! Files in, drafts out: the importer as its callers use it, over files that people really save.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod accounting;
mod books;
mod corpus;
mod csv_files;
mod encodings;
mod fixes;
mod fuzzed;
mod harness;
mod headings;
mod hostile;
mod json_files;
mod limits;
mod lists;
mod long_files;
mod marked;
mod matching;
mod overruled;
mod properties;
mod real_lists;
mod safety;
mod typing;
