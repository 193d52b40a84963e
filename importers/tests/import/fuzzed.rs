//! The corpora of the fuzz targets, once more: what a fuzzer found stays mended, on any toolchain.

use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
mod exercises;

/// Does with every file of a corpus what its fuzz target does; how many there are.
fn replay(target: &str, exercise: impl Fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.iter().for_each(|path| exercise(&std::fs::read(path).unwrap()));
    files.len()
}

#[test]
fn what_a_fuzzer_found_in_the_reader_stays_mended() {
    assert!(replay("reader", exercises::read) > 50);
}

#[test]
fn what_a_fuzzer_found_in_the_matcher_stays_mended() {
    assert!(replay("matcher", exercises::match_columns) > 3);
}
