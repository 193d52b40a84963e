//! Workbooks of OpenDocument.

use super::parts::zipped;

pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("kinds.ods", kinds()),
        ("hidden-sheet.ods", hidden()),
        ("repeated.ods", repeated()),
        ("merged-and-commented.ods", merged()),
        ("shapes-and-readings.ods", shapes()),
        ("with-a-password.ods", encrypted()),
    ]
}

/// A workbook whose `office:spreadsheet` has these tables.
pub fn ods(styles: &str, tables: &str) -> Vec<u8> {
    let content = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:style="s" xmlns:calcext="c"><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"#
    );
    zipped([("mimetype", &b"application/vnd.oasis.opendocument.spreadsheet"[..]), ("content.xml", content.as_bytes())])
}

fn text(text: &str) -> String {
    format!(
        r#"<table:table-cell office:value-type="string" calcext:value-type="string"><text:p>{text}</text:p></table:table-cell>"#
    )
}

fn table(name: &str, rows: &str) -> String {
    format!(r#"<table:table table:name="{name}">{rows}</table:table>"#)
}

fn row(cells: &str) -> String {
    format!("<table:table-row>{cells}</table:table-row>")
}

fn header() -> String {
    row(&(text("identifier") + &text("name")))
}

fn kinds() -> Vec<u8> {
    let cells = [
        text("007"),
        r#"<table:table-cell office:value-type="string"><text:p>two<text:s text:c="2"/>words</text:p><text:p>and <text:span>more</text:span></text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell office:value-type="float" office:value="0.30000000000000004"><text:p>0,3</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell office:value-type="date" office:date-value="2024-04-03"><text:p>03/04/24</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell office:value-type="date" office:date-value="2024-04-03T10:30:00"><text:p>03/04/24 10:30</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell office:value-type="time" office:time-value="PT09H05M00S"><text:p>09:05</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>WAHR</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell office:value-type="float" office:value="2138"><text:p>02138</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell table:formula="of:=NA()" office:value-type="string" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell office:value-type="currency" office:currency="EUR" office:value="1234567.891"><text:p>1.234.567,89 €</text:p></table:table-cell>"#.to_owned(),
        r#"<table:table-cell table:formula="of:=IF(1;&quot;&quot;)" office:value-type="string" office:string-value=""/>"#.to_owned(),
        r#"<table:table-cell table:formula="of:=NOW()"/>"#.to_owned(),
        r#"<table:table-cell office:value-type="string" office:string-value="Fish &amp; chips"/>"#.to_owned(),
    ];
    let headings =
        ["identifier", "name", "sum", "day", "moment", "time", "yes", "postcode", "error", "money", "blank", "never", "said"]
            .map(text)
            .concat();
    ods("", &table("List", &(row(&headings) + &row(&cells.concat()))))
}

fn hidden() -> Vec<u8> {
    let styles = r#"<style:style style:name="ta1" style:family="table"><style:table-properties table:display="false"/></style:style><style:style style:name="ta2" style:family="table"><style:table-properties table:display="true"/></style:style>"#;
    let codes = r#"<table:table table:name="Codes" table:style-name="ta1"><table:table-row><table:table-cell office:value-type="string"><text:p>code</text:p></table:table-cell></table:table-row></table:table>"#;
    let list =
        table("List", &(header() + &row(&(text("A1") + &text("One"))))).replace("\"List\"", "\"List\" table:style-name=\"ta2\"");
    ods(styles, &(codes.to_owned() + &list))
}

/// Rows and cells that stand once for many, and a sheet that is empty to its end.
fn repeated() -> Vec<u8> {
    let rows = [
        r#"<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>"#.to_owned(),
        format!("<table:table-header-rows>{}</table:table-header-rows>", header()),
        format!(r#"<table:table-row table:number-rows-repeated="3">{}<table:table-cell office:value-type="float" office:value="7" table:number-columns-repeated="2"/></table:table-row>"#, text("A1")),
        r#"<table:table-row><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#.to_owned(),
        row(&(text("A2") + &text("Two"))),
        r#"<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#.to_owned(),
    ];
    ods("", &table("List", &rows.concat()))
}

fn merged() -> Vec<u8> {
    let rows = [
        header(),
        row(
            r#"<table:table-cell office:value-type="string" table:number-columns-spanned="2"><office:annotation><text:p>Ask them again</text:p></office:annotation><text:p>A1</text:p></table:table-cell><table:covered-table-cell office:value-type="string"><text:p>under it</text:p></table:covered-table-cell>"#,
        ),
        row(&(text("A2") + &text("Two"))),
    ];
    ods("", &table("List", &rows.concat()))
}

/// A shape drawn onto a cell has text that is none of the cell's, and so has what says how a word is read.
fn shapes() -> Vec<u8> {
    let drawn = r#"<table:table-cell office:value-type="string"><draw:custom-shape><text:p>Look <text:span>here</text:span></text:p><draw:enhanced-geometry/></draw:custom-shape><text:p>A1</text:p></table:table-cell>"#;
    let read = r#"<table:table-cell office:value-type="string"><text:p><text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とうきょう</text:ruby-text></text:ruby> Co-op</text:p><text:h>and a heading</text:h></table:table-cell>"#;
    let rows = format!(
        r#"<table:shapes><draw:frame><draw:text-box><text:p>aside</text:p></draw:text-box></draw:frame></table:shapes><table:table-columns><table:table-column/></table:table-columns><table:table-row-group>{}{}</table:table-row-group>"#,
        header(),
        row(&(drawn.to_owned() + read))
    );
    ods("", &table("List", &rows))
}

fn encrypted() -> Vec<u8> {
    let manifest = br#"<manifest:manifest xmlns:manifest="m"><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"#;
    zipped([
        ("mimetype", &b"application/vnd.oasis.opendocument.spreadsheet"[..]),
        ("META-INF/manifest.xml", manifest),
        ("content.xml", b"\x01\x02"),
    ])
}
