//! Workbooks that somebody made to take our memory or our time.
//!
//! Each must be refused with a stable code in two seconds and 300 MiB; nextest gives every test a process of its own to measure.

use std::time::Duration;

use hayward_importers::{HeldSource, Source, profile, suggest};

use crate::books::{self, Book, ods, zipped};
use crate::harness::{Endless, schema};

/// The most memory that this process has used so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// How long this process has computed so far: other tests may run beside it.
fn spent() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn refused(name: &str, bytes: Vec<u8>) -> &'static str {
    refused_source(name, &HeldSource::new(name, bytes))
}

fn refused_source(name: &str, source: &dyn Source) -> &'static str {
    // Forgets what making the file took.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (begun, before) = (spent(), peak());
    let code = profile(source).map(|profile| profile.rows).unwrap_err().code();
    // Without optimization everything takes several times as long.
    let limit = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });
    let took = spent() - begun;
    assert!(took < limit, "{name} took {took:?}");
    assert!(peak() - before < 300 << 10, "{name} took {} KiB", peak() - before);
    #[expect(clippy::print_stdout, reason = "figures for whoever asks for them with --no-capture")]
    {
        println!("{name}: {code} after {took:?} and {} MiB", (peak() - before) >> 10);
    }
    code
}

fn header() -> &'static str {
    r#"<row r="1"><c r="A1" t="str"><v>identifier</v></c><c r="B1" t="str"><v>name</v></c></row>"#
}

/// A sheet whose second row has `cell` in it.
fn with(cell: &str) -> Vec<u8> {
    Book::of(format!(r#"{}<row r="2">{cell}</row>"#, header())).bytes()
}

#[test]
fn a_small_archive_that_unpacks_to_much_is_refused() {
    let bomb = with(&format!(r#"<c r="A2" t="str"><v>{}</v></c>"#, " ".repeat(80 << 20)));
    assert!(bomb.len() < 1 << 20);
    assert_eq!(refused("bomb.xlsx", bomb), "workbook-too-large");
}

#[test]
fn an_archive_that_hides_how_much_it_unpacks_to_is_refused() {
    let bomb = with(&format!(r#"<c r="A2" t="str"><v>{}</v></c>"#, "x".repeat(100 << 20)));
    // The table of contents says that every part has 4,096 bytes, or two gigabytes.
    for (size, code) in [(4_096_u32, "damaged-workbook"), (1 << 31, "workbook-too-large")] {
        let mut bomb = bomb.clone();
        let starts: Vec<_> = bomb.windows(4).enumerate().filter(|(_, four)| four == b"PK\x01\x02").map(|(at, _)| at).collect();
        starts.into_iter().for_each(|at| bomb[at + 24..at + 28].copy_from_slice(&size.to_le_bytes()));
        assert_eq!(refused("liar.xlsx", bomb), code);
    }
}

#[test]
fn a_cell_in_the_last_corner_is_refused() {
    assert_eq!(refused("corner.xlsx", with(r#"<c r="XFD2"><v>1</v></c>"#)), "too-many-columns");
    let last = format!(r#"{}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>"#, header());
    assert_eq!(refused("corner.xlsx", Book::of(last).bytes()), "too-many-columns");
    let beyond = format!(r#"{}<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>"#, header());
    assert_eq!(refused("beyond.xlsx", Book::of(beyond).bytes()), "damaged-workbook");
}

#[test]
fn entities_that_expand_are_refused() {
    let laughs = r#"<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    let strings = Book { strings: "<si><t>&b;</t></si>".to_owned(), ..Book::of(header()) }.bytes();
    assert_eq!(refused("undeclared.xlsx", strings), "damaged-workbook");
    let sheet = format!("{laughs}<worksheet><sheetData>{}</sheetData></worksheet>", header());
    let parts = Book::of("").parts().into_iter();
    let parts: Vec<_> =
        parts.map(|(name, part)| if name.ends_with("sheet0.xml") { (name, sheet.clone()) } else { (name, part) }).collect();
    let bytes = zipped(parts.iter().map(|(name, part)| (name.as_str(), part.as_bytes())));
    assert_eq!(refused("laughs.xlsx", bytes), "damaged-workbook");
    let content = format!("{laughs}<office:document-content>&b;</office:document-content>");
    assert_eq!(refused("laughs.ods", zipped([("mimetype", &b""[..]), ("content.xml", content.as_bytes())])), "damaged-workbook");
}

#[test]
fn one_endless_cell_is_refused() {
    // Packs badly enough that the archive itself is nothing to be afraid of.
    let mut state = 1_u32;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 24) % 26).unwrap())
    };
    let text: String = (0..12 << 20).map(|_| letter()).collect();
    for (name, cell) in [
        ("value.xlsx", format!(r#"<c r="A2" t="str"><v>{text}</v></c>"#)),
        ("inline.xlsx", format!(r#"<c r="A2" t="inlineStr"><is><t>{text}</t></is></c>"#)),
        ("attribute.xlsx", format!(r#"<c r="A2" s="{text}"><v>1</v></c>"#)),
        ("comment.xlsx", format!(r#"<!--{text}-->"#)),
    ] {
        assert_eq!(refused(name, with(&cell)), "cell-too-long", "{name}");
    }
    let pieces = format!(r#"<c r="A2" t="str"><v>{}</v></c>"#, text.replace(['a', 'e'], "&amp;"));
    assert_eq!(refused("pieces.xlsx", with(&pieces)), "cell-too-long");
    let shared = Book { strings: format!("<si><t>{text}</t></si>"), ..Book::of(header()) };
    assert_eq!(refused("shared.xlsx", shared.bytes()), "cell-too-long");
}

#[test]
fn a_hundred_thousand_columns_are_refused() {
    let cells = "<c><v>1</v></c>".repeat(100_000);
    assert_eq!(refused("wide.xlsx", with(&cells)), "too-many-columns");
    let table = format!(
        "<table:table><table:table-row>{}</table:table-row></table:table>",
        "<table:table-cell office:value-type=\"float\" office:value=\"1\"/>".repeat(100_000)
    );
    assert_eq!(refused("wide.ods", ods("", &table)), "too-many-columns");
}

#[test]
fn a_text_in_a_million_cells_is_refused() {
    let shared = format!("<si><t>{}</t></si>", "x".repeat(1 << 19));
    let rows: String = (2..2_000).map(|_| r#"<row><c t="s"><v>0</v></c></row>"#).collect();
    let book = Book { strings: shared, ..Book::of(header().to_owned() + &rows) };
    assert_eq!(refused("amplified.xlsx", book.bytes()), "workbook-too-large");
    let row = format!(
        r#"<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell></table:table-row>"#,
        "a heading".repeat(100)
    );
    let top = "<table:table-row><table:table-cell><text:p>name</text:p></table:table-cell></table:table-row>";
    assert_eq!(refused("amplified.ods", ods("", &format!("<table:table>{top}{row}</table:table>"))), "workbook-too-large");
}

/// Sheets that are no table, of which every one is the same large part.
#[test]
fn a_thousand_sheets_that_are_one_part_are_refused() {
    let mut book = Book::of(header().to_owned() + &"<row/>".repeat(2 << 20));
    book.sheets[0].2 = "<row/>".repeat(2 << 20);
    let listed: String = (0..1_000).map(|at| format!(r#"<sheet name="{at}" sheetId="{at}" r:id="r0"/>"#)).collect();
    let parts = book.parts().into_iter().map(|(name, part)| match name.as_str() {
        "xl/workbook.xml" => (name, format!(r#"<workbook xmlns:r="r"><sheets>{listed}</sheets></workbook>"#)),
        _ => (name, part),
    });
    let parts: Vec<_> = parts.collect();
    let bytes = zipped(parts.iter().map(|(name, part)| (name.as_str(), part.as_bytes())));
    assert_eq!(refused("sheets.xlsx", bytes), "empty-file");
    let tables: String = (0..10_000)
        .map(|at| {
            format!(r#"<table:table table:name="{at}"><table:table-row>{}</table:table-row></table:table>"#, "<x/>".repeat(300))
        })
        .collect();
    assert_eq!(refused("sheets.ods", ods("", &tables)), "empty-file");
}

#[test]
fn names_without_end_are_refused() {
    let names: String =
        (0..1_000).map(|at| format!(r#"<sheet name="{}" sheetId="{at}" r:id="r0"/>"#, "x".repeat(20_000))).collect();
    let parts = Book::of(header()).parts().into_iter().map(|(name, part)| match name.as_str() {
        "xl/workbook.xml" => (name, format!(r#"<workbook xmlns:r="r"><sheets>{names}</sheets></workbook>"#)),
        _ => (name, part),
    });
    let parts: Vec<_> = parts.collect();
    let bytes = zipped(parts.iter().map(|(name, part)| (name.as_str(), part.as_bytes())));
    assert_eq!(refused("names.xlsx", bytes), "workbook-too-large");
    let tables: String = (0..1_000).map(|_| format!(r#"<table:table table:name="{}"/>"#, "x".repeat(20_000))).collect();
    assert_eq!(refused("names.ods", ods("", &tables)), "workbook-too-large");
}

#[test]
fn a_billion_rows_in_one_are_refused() {
    let row = |times: &str| {
        let first = r#"<table:table-row><table:table-cell><text:p>identifier</text:p></table:table-cell><table:table-cell><text:p>name</text:p></table:table-cell></table:table-row>"#;
        let repeated = r#"<table:table-cell><text:p>x</text:p></table:table-cell>"#;
        let table = format!(
            "<table:table>{first}<table:table-row table:number-rows-repeated=\"{times}\">{repeated}</table:table-row></table:table>"
        );
        ods("", &table)
    };
    for times in ["1000000000", "1048576", "4294967296", "18446744073709551615"] {
        assert_eq!(refused("rows.ods", row(times)), "damaged-workbook", "{times}");
    }
    let cells = r#"<table:table><table:table-row><table:table-cell table:number-columns-repeated="1000000000"><text:p>x</text:p></table:table-cell></table:table-row></table:table>"#;
    assert_eq!(refused("columns.ods", ods("", cells)), "too-many-columns");
}

#[test]
fn an_archive_of_opendocument_that_unpacks_to_much_is_refused() {
    let spaces = format!("<table:table>{}</table:table>", " ".repeat(80 << 20));
    assert_eq!(refused("bomb.ods", ods("", &spaces)), "workbook-too-large");
    // Spaces that are counted and not written.
    let counted = r#"<text:s text:c="1048577"/>"#.repeat(200_000);
    let cell = |inside: &str| {
        format!("<table:table><table:table-row><table:table-cell>{inside}</table:table-cell></table:table-row></table:table>")
    };
    assert_eq!(refused("spaces.ods", ods("", &cell(&counted))), "empty-file");
    assert_eq!(refused("spaces.ods", ods("", &cell(&format!("<text:p>{counted}</text:p>")))), "cell-too-long");
    let lines = "<text:p/>".repeat(1_100_000);
    assert_eq!(refused("lines.ods", ods("", &cell(&lines))), "cell-too-long");
}

/// The table of texts of an old workbook, with as many empty ones as fit.
#[test]
fn texts_without_end_in_an_old_workbook_are_refused() {
    let record =
        |kind: u16, data: &[u8]| [&kind.to_le_bytes()[..], &u16::try_from(data.len()).unwrap().to_le_bytes(), data].concat();
    let begin = record(0x0809, &[0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let empty = [0; 8_223];
    let mut stream = begin;
    stream.extend(record(0x00fc, &[&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f][..], &empty[..8_214]].concat()));
    (0..8_000).for_each(|_| stream.extend(record(0x003c, &empty)));
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    std::io::Write::write_all(&mut file.create_stream("/Workbook").unwrap(), &stream).unwrap();
    drop(stream);
    let bytes = file.into_inner().into_inner();
    let code = refused("texts.xls", bytes);
    assert!(["workbook-too-large", "damaged-workbook"].contains(&code), "{code}");
}

/// What is not a workbook: a cell of two gigabytes, a hundred thousand columns, brackets without end.
#[test]
fn text_without_end_is_refused() {
    for (start, repeated, times, code) in [
        (&b"identifier,name\nA1,"[..], &b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..], 1 << 26, "cell-too-long"),
        (b"identifier,name\nA1,\"", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", 1 << 26, "cell-too-long"),
        (b"identifier,name\n", b"x,", 100_000, "too-many-columns"),
        (b"", b"x,", 100_000, "too-many-columns"),
        (b"[{\"identifier\":\"", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1 << 26, "row-too-long"),
        (b"", b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1 << 26, "row-too-long"),
        (b"{\"type\":\"FeatureCollection\",\"features\":[{\"a\":", b"[{\"a\":", 1 << 26, "row-too-long"),
    ] {
        // Two gigabytes, unless every step takes many times as long.
        let times = if cfg!(debug_assertions) && times > 1 << 20 { times >> 5 } else { times };
        assert_eq!(refused_source("endless", &Endless { start, repeated, times }), code, "{}", String::from_utf8_lossy(start));
    }
}

/// As many headings as there may be, as long as are compared, and none that is a field's.
#[test]
fn headings_without_number_are_matched_in_bounded_time() {
    for length in [20, 60] {
        let heading = |at: usize| {
            format!("{at} {}", "organisation identifier ".repeat(4).chars().skip(at % 7).take(length).collect::<String>())
        };
        let headings: Vec<_> = (0..2_000).map(heading).collect();
        let source = HeldSource::new("wide.csv", format!("{}\n1\n", headings.join(",")).into_bytes());
        let profile = profile(&source).unwrap();
        let begun = spent();
        assert_eq!(suggest(&profile, &schema("organization"), None).len(), 2_000);
        let took = spent() - begun;
        assert!(took < Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 }), "took {took:?}");
    }
}

#[test]
fn elements_nested_without_end_are_refused() {
    assert_eq!(refused("deep.xlsx", with(&"<a>".repeat(2 << 20))), "damaged-workbook");
}

#[test]
fn rows_of_nothing_without_end_are_refused() {
    let rows = header().to_owned() + &"<row><c/></row>".repeat(2 << 20);
    assert_eq!(refused("nothing.xlsx", Book::of(rows).bytes()), "workbook-too-large");
}

#[test]
fn a_table_of_contents_without_end_is_refused() {
    let names: Vec<_> = (0..20_000).map(|at| format!("xl/{at}")).collect();
    let parts = names.iter().map(|name| (name.as_str(), &b""[..]));
    assert_eq!(refused("parts.xlsx", zipped(parts)), "workbook-too-large");
}

#[test]
fn an_old_workbook_that_lies_is_refused() {
    let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/kinds.xls")).unwrap();
    // Every record in turn cut off, and every length made too long: no reading may panic, or go on for ever.
    for at in (512..whole.len()).step_by(29) {
        let mut bytes = whole.clone();
        bytes[at] = 0xff;
        drop(profile(&HeldSource::new("list.xls", bytes)));
        drop(profile(&HeldSource::new("list.xls", &whole[..at])));
    }
}

#[test]
fn a_workbook_with_a_wrong_byte_is_read_or_refused() {
    let whole = Book::of(header().to_owned() + r#"<row r="2"><c r="A2"><v>1</v></c></row>"#).bytes();
    for at in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        drop(profile(&HeldSource::new("list.xlsx", bytes)));
    }
}

/// A workbook damaged anywhere reads as something else, or is refused for what it is: a file that "could not be read" is one that the
/// system, or a database that is away, does not give us, and would be tried again for ever.
#[test]
fn damage_is_never_taken_for_a_file_that_cannot_be_had() {
    let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/texts-over-records.xls")).unwrap();
    let (xlsx, ods) = (
        books::all().into_iter().find(|(name, _)| name.ends_with(".xlsx")),
        books::all().into_iter().find(|(name, _)| name.ends_with(".ods")),
    );
    let made = [xlsx, ods].map(|book| book.unwrap().1);
    for (name, whole) in [("damaged.xls", &whole), ("damaged.xlsx", &made[0]), ("damaged.ods", &made[1])] {
        for at in (0..whole.len()).step_by(16) {
            let mut bytes = whole.clone();
            bytes[at..(at + 4).min(whole.len())].fill(0x7f);
            for bytes in [bytes, whole[..at].to_vec()] {
                let code = profile(&HeldSource::new(name, bytes)).map_err(|refusal| refusal.code());
                assert_ne!(code.err(), Some("unreadable-file"), "{name} with damage at {at}");
            }
        }
    }
}
