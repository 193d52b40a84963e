//! CSV as people's programs write it.

use hayward_importers::Format;
use serde_json::json;

use crate::harness::{import, opportunities, organizations, refusal, schema};

#[test]
fn any_common_separator_is_found() {
    for separator in [",", ";", "\t", "|"] {
        let text = "identifier,name,city\nA1,One,Vic\nA2,Two,Olot\n".replace(',', separator);
        let imported = organizations(&text);
        assert_eq!(imported.profile.reading.delimiter.map(String::from).as_deref(), Some(separator));
        assert_eq!(imported.ready().len(), 2, "{separator:?}");
    }
}

#[test]
fn many_rows_outvote_a_first_line_with_commas_in_it() {
    let text = "List, as of May, for all\nidentifier;name;latitude;city\nA1;One;41,93;Vic\nA2;Two, Inc;42,18;Olot\nA3;\"a;b\";42,0;Vic\n";
    let imported = organizations(text);
    assert_eq!((imported.profile.reading.delimiter, imported.profile.reading.header_row), (Some(';'), 2));
    assert_eq!(imported.values("latitude"), [json!(41.93), json!(42.18), json!(42)]);
}

#[test]
fn a_line_that_names_the_separator_is_no_row() {
    let imported = organizations("sep=;\r\nidentifier;name\r\nA1;One, Two\r\n");
    assert_eq!((imported.profile.reading.delimiter, imported.profile.reading.header_row), (Some(';'), 1));
    assert_eq!(imported.ready()[0].row, 2);
}

#[test]
fn any_line_end_ends_a_row_and_none_inside_quotes_does() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("identifier,name{end}A1,\"a{end}b\"{end}A2,Two");
        let imported = organizations(&text);
        assert_eq!(imported.values("name"), ["a\nb", "Two"], "{end:?}");
        assert_eq!(imported.ready()[1].row, 3);
    }
}

#[test]
fn line_ends_inside_quotes_do_not_say_how_rows_end() {
    let text = "identifier,name,founded_on,country\n\"1,234\",,,\nEspaña,,,\n\"\r\n\",España,,\n\"1,234\",,,\nA1,One,,\n";
    let imported = organizations(text);
    assert_eq!((imported.profile.rows, imported.ready().last().unwrap().row), (5, 6));
}

#[test]
fn quotes_are_taken_as_spreadsheets_take_them() {
    let imported = organizations("identifier,name\nA1,\"say \"\"hi\"\"\"\nA2,5\" pipe\nA3,\"quoted\" and more\nA4,\"\"\n");
    assert_eq!(imported.values("name")[..3], [r#"say "hi""#, "5\" pipe", "quoted and more"]);
    assert_eq!(imported.ready()[3].missing.len(), 1);
}

#[test]
fn a_quote_that_is_never_closed_refuses_the_file() {
    let refusal = refusal("list.csv", "identifier,name\nA1,One\nA2,\"Two\nA3,Three\n");
    assert_eq!((refusal.code(), refusal.row()), ("unclosed-quote", Some(3)));
}

#[test]
fn one_column_is_a_table_too() {
    let imported = organizations("Name\nSmith, John\nOne\nTwo\n");
    assert_eq!((imported.profile.columns.len(), imported.profile.reading.delimiter), (1, None));
    assert_eq!(imported.profile.rows, 3);
}

#[test]
fn headings_without_rows_are_an_empty_list() {
    let imported = organizations("identifier,name\n");
    assert_eq!((imported.profile.rows, imported.rows.len()), (0, 0));
}

#[test]
fn what_is_no_table_is_refused_with_a_reason() {
    for (name, bytes, code) in [
        ("list.csv", &b""[..], "empty-file"),
        ("list.csv", b"\xef\xbb\xbf \r\n\r\n", "empty-file"),
        ("list.csv", b"<!DOCTYPE html><html></html>", "not-a-table"),
        ("list.csv", b"PK\x03\x04rest", "damaged-workbook"),
        ("list.csv", b"\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x0e\x0f\x10", "binary-file"),
        ("list.csv", b"1,2,3\n4,5,6\n", "missing-header"),
    ] {
        assert_eq!(refusal(name, bytes).code(), code);
    }
}

#[test]
fn headings_that_are_blank_or_double_are_said() {
    let imported = organizations("identifier,name,Note,Note,,\nA1,One,a,b,c,\n");
    let notes: Vec<_> = imported.profile.notes.iter().map(|note| (note.code.as_str(), note.column.as_deref())).collect();
    assert_eq!(notes, [("duplicate-label", Some("D")), ("blank-label", Some("E"))]);
    let private: Vec<_> = imported.ready()[0].record.private.keys().map(String::as_str).collect();
    assert_eq!(private, ["Note", "Note (2)", "column E"]);
}

#[test]
fn headings_broken_over_lines_are_one_line() {
    let imported = organizations("identifier,\"Trading\n name\"\nA1,One\n");
    assert_eq!(imported.columns[1].header, "Trading name");
    assert_eq!(imported.values("name"), ["One"]);
}

#[test]
fn a_pasted_table_without_a_name_is_read() {
    let imported = import("", "identifier\tname\nA1\tOne\n", &schema("organization"));
    assert_eq!(imported.profile.reading.format, Format::Csv);
    assert_eq!(imported.ready().len(), 1);
}

#[test]
fn accents_saved_in_the_wrong_encoding_are_noticed() {
    let imported = opportunities("reference,title\nA1,CafÃ©\n");
    assert_eq!(imported.profile.notes[0].code, "encoding-error");
    assert_eq!(imported.values("title"), ["CafÃ©"]);
}
