//! The same rows in any encoding.

use crate::harness::{Imported, import, organizations, schema};

const TEXT: &str =
    "identifier,name,city\nA1,Café Coöperative “Ñandú”,Málaga\nA2,Señora Ibáñez,São Paulo\nA3,Köln Übersee Straße,Zürich\n";

fn utf16(text: &str, write: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    mark.into_iter().chain(text.encode_utf16()).flat_map(write).collect()
}

fn windows_1252(text: &str) -> Vec<u8> {
    let special = |letter| match letter {
        '“' => 0x93,
        '”' => 0x94,
        '€' => 0x80,
        letter => u8::try_from(u32::from(letter)).unwrap(),
    };
    text.chars().map(special).collect()
}

fn encoding(imported: &Imported) -> &str {
    &imported.profile.reading.encoding
}

#[test]
fn the_same_rows_come_out_of_every_encoding() {
    let plain = organizations(TEXT);
    assert_eq!(encoding(&plain), "utf-8");
    let marked = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();
    for (bytes, name) in [
        (marked, "utf-8"),
        (utf16(TEXT, u16::to_le_bytes, true), "utf-16le"),
        (utf16(TEXT, u16::to_be_bytes, true), "utf-16be"),
        (utf16(TEXT, u16::to_le_bytes, false), "utf-16le"),
        (utf16(TEXT, u16::to_be_bytes, false), "utf-16be"),
        (windows_1252(TEXT), "windows-1252"),
    ] {
        let imported = organizations(bytes);
        assert_eq!(encoding(&imported), name);
        assert_eq!(imported.rows, plain.rows, "{name}");
        assert!(!imported.profile.damaged);
    }
}

#[test]
fn one_accent_far_down_decides_the_encoding() {
    let mut text = String::from("identifier,name\n");
    for row in 0..20_000 {
        text.push_str(&format!("A{row},A plain name\n"));
    }
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(b"Z,Caf\xe9 del Mar\n");
    let imported = organizations(&bytes);
    assert_eq!(encoding(&imported), "windows-1252");
    assert_eq!(imported.values("name").last().unwrap(), "Café del Mar");
}

#[test]
fn valid_utf_8_is_never_taken_for_something_else() {
    let imported = organizations("identifier,name\nA1,Ã©\nA2,\u{fffd}lost\n");
    assert_eq!(encoding(&imported), "utf-8");
    assert_eq!(imported.values("name"), ["Ã©", "\u{fffd}lost"]);
}

#[test]
fn a_broken_byte_in_much_utf_8_costs_its_row_only() {
    let mut bytes = TEXT.as_bytes().to_vec();
    for row in 0..40 {
        bytes.extend_from_slice(format!("B{row},Señor {row},Málaga\n").as_bytes());
    }
    bytes.extend_from_slice(b"C1,Se\xc3\xb1or \xc3 cut off,Vic\n");
    let imported = organizations(&bytes);
    assert_eq!(encoding(&imported), "utf-8");
    assert!(imported.profile.damaged);
    assert_eq!(imported.codes(), [(45, "encoding-error")]);
    assert_eq!(imported.ready().len(), 43);
}

#[test]
fn a_character_split_between_two_reads_is_whole() {
    // 65,536 bytes are read at once: one more byte in front each time, so that every split is tried.
    for shift in 0..4 {
        let mut text = String::from("identifier,name\n");
        text.push_str(&"x".repeat(shift));
        while text.len() < 70_000 {
            text.push_str(&format!("A{},Łódź 🐝\n", text.len()));
        }
        let imported = import("list.csv", &text, &schema("organization"));
        assert!(imported.values("name").iter().all(|name| name == "Łódź 🐝"));
    }
}
