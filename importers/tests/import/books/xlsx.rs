//! Workbooks of Office Open XML.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use super::parts::{Book, widened, zipped};

pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("kinds.xlsx", kinds()),
        ("sheets.xlsx", sheets()),
        ("sheet-named.xlsx", sheets()),
        ("sheet-unknown.xlsx", sheets()),
        ("header-said.xlsx", sheets()),
        ("merged.xlsx", merged()),
        ("away-from-the-corner.xlsx", away()),
        ("formulas.xlsx", formulas()),
        ("first-sheet-hidden.xlsx", first_hidden()),
        ("nothing-on-any-sheet.xlsx", first_sheet_of(|_| ())),
        (
            "headings-only.xlsx",
            first_sheet_of(|sheet| {
                sheet.write_row(0, 0, ["identifier", "name"]).unwrap();
            }),
        ),
        ("date1904.xlsx", date1904()),
        ("texts-of-all-kinds.xlsx", texts()),
        ("without-references.xlsx", without_references()),
        ("prefixed-and-absolute.xlsx", prefixed()),
        ("relative-with-marks.xlsx", relative()),
        ("numbers-in-eight-bytes.xlsx", widened(&relative())),
        ("format-of-dates.xlsx", date_formats()),
        ("rows-out-of-order.xlsx", Book::of(r#"<row r="2"><c><v>1</v></c></row><row r="1"><c><v>2</v></c></row>"#).bytes()),
        ("cut-off.xlsx", cut_off()),
        ("binary-workbook.xlsb", zipped([("xl/workbook.bin", &b"\x83\x01"[..])])),
        ("other-programs.numbers", zipped([("Index/Document.iwa", &b"\x00"[..])])),
        ("no-workbook.zip", zipped([("letter.txt", &b"Dear members"[..])])),
        ("with-a-password.xlsx", encrypted()),
    ]
}

fn first_sheet_of(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet());
    book.save_to_buffer().unwrap()
}

fn kinds() -> Vec<u8> {
    first_sheet_of(|sheet| {
        let day = Format::new().set_num_format("dd/mm/yyyy");
        let moment = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        let padded = Format::new().set_num_format("00000");
        let money = Format::new().set_num_format("#,##0.00 [$€-407]");
        let headings = ["identifier", "name", "number", "sum", "whole", "day", "moment", "time", "yes", "postcode", "money"];
        sheet.write_row(0, 0, headings).unwrap();
        sheet.write_string(1, 0, "007").unwrap();
        sheet.write_string(1, 1, "Café & “Ñandú” <1>\nsecond line").unwrap();
        sheet.write_number(1, 2, 1234.5).unwrap();
        sheet.write_number(1, 3, 0.1 + 0.2).unwrap();
        sheet.write_number(1, 4, 1.0).unwrap();
        sheet.write_with_format(1, 5, ExcelDateTime::from_ymd(2024, 4, 3).unwrap(), &day).unwrap();
        let half_past_ten = ExcelDateTime::from_ymd(2024, 4, 3).unwrap().and_hms(10, 30, 0).unwrap();
        sheet.write_with_format(1, 6, half_past_ten, &moment).unwrap();
        let time = Format::new().set_num_format("hh:mm");
        sheet.write_with_format(1, 7, ExcelDateTime::from_hms(9, 5, 0).unwrap(), &time).unwrap();
        sheet.write_boolean(1, 8, true).unwrap();
        sheet.write_number_with_format(1, 9, 2138, &padded).unwrap();
        sheet.write_number_with_format(1, 10, 1_234_567.891, &money).unwrap();
        sheet.write_row(2, 0, ["+34600", "=1+1", "1E5", "-5", "'x", "", "@y"]).unwrap();
    })
}

fn sheets() -> Vec<u8> {
    let mut book = Workbook::new();
    let cover = book.add_worksheet().set_name("Read me").unwrap();
    cover.write_string(0, 0, "List of the union").unwrap();
    cover.write_string(2, 0, "Kept by several hands since 2011").unwrap();
    let list = book.add_worksheet().set_name("Members & friends").unwrap();
    list.write_row(0, 0, ["identifier", "name"]).unwrap();
    list.write_row(1, 0, ["A1", "One"]).unwrap();
    let old = book.add_worksheet().set_name("2011").unwrap().set_hidden(true);
    old.write_row(0, 0, ["As of 2011"]).unwrap();
    old.write_row(1, 0, ["identifier", "name", "city"]).unwrap();
    old.write_row(2, 0, ["Z9", "Old", "Vic"]).unwrap();
    book.save_to_buffer().unwrap()
}

fn first_hidden() -> Vec<u8> {
    let mut book = Workbook::new();
    let hidden = book.add_worksheet().set_name("Codes").unwrap().set_hidden(true);
    hidden.write_row(0, 0, ["code", "meaning"]).unwrap();
    hidden.write_row(1, 0, ["x", "nothing"]).unwrap();
    let list = book.add_worksheet().set_name("List").unwrap().set_active(true);
    list.write_row(0, 0, ["identifier", "name"]).unwrap();
    list.write_row(1, 0, ["A1", "One"]).unwrap();
    book.save_to_buffer().unwrap()
}

fn merged() -> Vec<u8> {
    first_sheet_of(|sheet| {
        let plain = Format::new();
        sheet.merge_range(0, 0, 0, 2, "Members of the union", &plain).unwrap();
        sheet.write_row(1, 0, ["identifier", "name", "region"]).unwrap();
        sheet.write_row(2, 0, ["A1", "One"]).unwrap();
        sheet.write_row(3, 0, ["A2", "Two"]).unwrap();
        sheet.merge_range(2, 2, 3, 2, "Osona", &plain).unwrap();
    })
}

/// A table that begins in C4, with a row between, and colours far beyond it.
fn away() -> Vec<u8> {
    first_sheet_of(|sheet| {
        let yellow = Format::new().set_background_color("FFFF00");
        sheet.write_string(0, 2, "Our list").unwrap();
        sheet.write_row(3, 2, ["identifier", "name"]).unwrap();
        sheet.write_row(4, 2, ["A1", "One"]).unwrap();
        sheet.write_row(6, 2, ["A2", "Two"]).unwrap();
        sheet.write_blank(4, 16_383, &yellow).unwrap();
        sheet.write_blank(1_048_575, 0, &yellow).unwrap();
    })
}

fn formulas() -> Vec<u8> {
    let rows = r#"<row r="1"><c r="A1" t="str"><f>"identi"&amp;"fier"</f><v>identifier</v></c><c r="B1" t="inlineStr"><is><t>name</t></is></c><c r="C1" t="inlineStr"><is><t>sum</t></is></c></row>
        <row r="2"><c r="A2" t="str"><f>A1</f><v>A1</v></c><c r="B2" t="e"><f>VLOOKUP(1,A1:B2,2)</f><v>#N/A</v></c><c r="C2"><f>1/3</f><v>0.33333333333333331</v></c></row>
        <row r="3"><c r="A3" t="str"><f>A2</f><v>A2</v></c><c r="B3"><f>NOW()</f></c><c r="C3" t="b"><f>TRUE()</f><v>1</v></c></row>
        <row r="4"><c r="A4" t="str"><v>A3</v></c><c r="B4" t="str"><f>IF(TRUE(),"")</f><v></v></c><c r="C4"><v> </v></c></row>"#;
    Book::of(rows).bytes()
}

fn date1904() -> Vec<u8> {
    Book {
        properties: r#"<workbookPr date1904="1"/>"#,
        styles: r#"<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>"#,
        ..Book::of(
            r#"<row r="1"><c r="A1" t="str"><v>identifier</v></c><c r="B1" t="str"><v>founded_on</v></c></row>
            <row r="2"><c r="A2" t="str"><v>A1</v></c><c r="B2" s="1"><v>43923</v></c></row>
            <row r="3"><c r="A3" t="str"><v>A2</v></c><c r="B3" s="1"><v>0</v></c></row>"#,
        )
    }
    .bytes()
}

fn texts() -> Vec<u8> {
    Book {
        strings: r#"<si><t>identifier</t></si><si><r><rPr><b/></rPr><t xml:space="preserve">na</t></r><r><t>me</t></r></si><si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si>
            <si><t>one_x000D_
two &lt;3 &#233;</t></si><si><t/></si>"#
            .to_owned(),
        ..Book::of(
            r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>
            <row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row>
            <row r="3"><c r="A3" t="s"><v>4</v></c><c r="B3" t="inlineStr"><is><r><t>ri</t></r><r><t>ch</t></r></is></c></row>
            <row r="4"><c r="A4" t="d"><v>2024-04-03</v></c><c r="B4"><v>12345678901234567890</v></c></row>"#,
        )
    }
    .bytes()
}

/// Rows and cells that do not say where they stand, as some programs write them.
fn without_references() -> Vec<u8> {
    Book::of(
        r#"<row><c t="str"><v>identifier</v></c><c t="str"><v>name</v></c></row>
        <row><c t="str"><v>A1</v></c><c t="str"><v>One</v></c></row><row/>
        <row r="5"><c t="str"><v>A2</v></c><c r="C5" t="str"><v>beside</v></c></row>"#,
    )
    .bytes()
}

/// Prefixes for every element, absolute targets, and another case than the archive has.
fn prefixed() -> Vec<u8> {
    let relations = |kind: &str, target: &str| {
        format!(
            r#"<p:Relationships xmlns:p="x"><p:Relationship Id="a" Type="http://purl.oclc.org/ooxml/{kind}" Target="{target}"/></p:Relationships>"#
        )
    };
    let (root, book) = (relations("officeDocument", "/xl/Workbook.xml"), relations("worksheet", "/xl/worksheets/Sheet.xml"));
    zipped([
        ("_rels/.rels", root.as_bytes()),
        ("xl/_rels/workbook.xml.rels", book.as_bytes()),
        ("xl/workbook.xml", br#"<x:workbook xmlns:x="x" xmlns:r="r"><x:sheets><x:sheet name="L" sheetId="1" r:id="a"/></x:sheets></x:workbook>"#),
        ("xl\\worksheets\\sheet.xml", br#"<x:worksheet xmlns:x="x"><x:sheetData><x:row><x:c t="str"><x:v>identifier</x:v></x:c><x:c t="str"><x:v>name</x:v></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c><x:c><x:v>2.50</x:v></x:c></x:row></x:sheetData></x:worksheet>"#),
    ])
}

/// Parts that are named by the way to them, and begin with a byte order mark, as some libraries write them.
fn relative() -> Vec<u8> {
    let book = Book {
        strings: "<si><t>identifier</t></si><si><t>name</t></si>".to_owned(),
        ..Book::of(
            r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2"><v>7</v></c></row>"#,
        )
    };
    let parts = book.parts().into_iter().map(|(name, part)| {
        let part = part.replace("worksheets/sheet0.xml", "./worksheets/../worksheets/sheet0.xml");
        (
            name,
            format!(
                "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{}",
                part.replace("sharedStrings.xml", "../xl/sharedStrings.xml")
            ),
        )
    });
    let parts: Vec<_> = parts.collect();
    zipped(parts.iter().map(|(name, part)| (name.as_str(), part.as_bytes())))
}

fn date_formats() -> Vec<u8> {
    let formats = ["d/m/yy", "[$-40A]d\\ \"de\"\\ mmmm", "mmm\\-yy", "[h]:mm", "#,##0", "\"day \"0", "0.00%"];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, code) in (0..).zip(formats) {
        sheet.write_string(0, column, format!("column {code}")).unwrap();
        sheet.write_number_with_format(1, column, 45_385.5, &Format::new().set_num_format(code)).unwrap();
        sheet.write_number_with_format(2, column, 1.5, &Format::new().set_num_format(code)).unwrap();
    }
    sheet.write_formula(3, 0, Formula::new("=1+1").set_result("2")).unwrap();
    book.save_to_buffer().unwrap()
}

fn cut_off() -> Vec<u8> {
    let mut bytes = kinds();
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// What Excel makes of a workbook with a password: a compound file around what nobody can read.
fn encrypted() -> Vec<u8> {
    let mut compound = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    compound.create_stream("/EncryptionInfo").unwrap();
    compound.create_stream("/EncryptedPackage").unwrap();
    compound.flush().unwrap();
    compound.into_inner().into_inner()
}
