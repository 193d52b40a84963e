//! One file cannot take the memory of all.

use hayward_importers::profile;

use crate::harness::{Endless, refusal};

fn code(start: &'static [u8], repeated: &'static [u8], times: u64) -> &'static str {
    profile(&Endless { start, repeated, times }).err().unwrap().code()
}

#[test]
fn an_endless_cell_is_refused() {
    assert_eq!(code(b"identifier,name\nA1,", b"x", 20 << 20), "cell-too-long");
    assert_eq!(code(b"identifier,name\nA1,\"", b"x\n", 10 << 20), "cell-too-long");
}

#[test]
fn an_endless_row_is_refused() {
    assert_eq!(
        code(b"identifier,name\nA1,", b"123456789012345678901234567890123456789012345678901234567890123,", 1 << 19),
        "too-many-columns"
    );
    let cell = format!("{},", "x".repeat(1 << 20));
    let text = format!("identifier,name\nA1,{}", cell.repeat(5));
    assert_eq!(refusal("list.csv", &text).code(), "row-too-long");
}

#[test]
fn an_endless_record_is_refused() {
    assert_eq!(code(b"[{\"identifier\":\"", b"x", 20 << 20), "row-too-long");
    assert_eq!(code(b"[", b"[", 20 << 20), "row-too-long");
    assert_eq!(code(b"{\"a\":1}\n{\"b\":\"", b"x", 20 << 20), "row-too-long");
}

#[test]
fn a_file_with_more_columns_than_a_table_has_is_refused() {
    let wide = (0..2_001).map(|at| format!("column {at}")).collect::<Vec<_>>().join(",");
    assert_eq!(refusal("list.csv", format!("{wide}\n")).code(), "too-many-columns");
    // Beyond what is looked at to find the separator.
    let wider = (0..100_000).map(|at| format!("column {at}")).collect::<Vec<_>>().join(";");
    assert_eq!(refusal("list.csv", format!("{wider}\n1;2\n")).code(), "too-many-columns");
}

#[test]
fn a_long_file_is_not_held() {
    let source = Endless { start: b"identifier,name\n", repeated: b"A1,The same name again and again\n", times: 300_000 };
    assert_eq!(profile(&source).unwrap().rows, 300_000);
}
