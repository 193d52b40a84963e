//! What is done with bytes that nobody chose, by the fuzz targets and by the test that replays their corpora.
//!
//! A panic is a failure; so is a row that is not accounted for. A refusal is an answer like any other.

use std::io::{Cursor, Write};
use std::sync::LazyLock;

use hayward_domain::schema::{Schema, built_in};
use hayward_importers::{HeldSource, Matching, Overrules, Profile, draft, grid, profile_as, suggest};

static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| built_in().unwrap_or_default());

/// Reads a file of any kind: the first byte says how it is called or packed and which schema it is for, the others are in it.
pub fn read(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let Some(schema) = SCHEMAS.get(usize::from(*first) % SCHEMAS.len().max(1)) else { return };
    let (name, bytes) = packed(first / 16, bytes);
    let source = HeldSource::new(name, bytes);
    let Ok(profile) = profile_as(&source, &Overrules::default()) else { return };
    see(&source, &profile);
    let columns = suggest(&profile, schema, None);
    draw(&source, &profile, schema, &Matching::from_columns(&columns));
}

/// Holds a matching against a file: the first line is the matching, the second what is overruled, and the others are the file.
pub fn match_columns(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (matching, overrules, file) = (part(), part(), part());
    let Ok(matching) = serde_json::from_slice::<Matching>(matching) else { return };
    let overrules = serde_json::from_slice(overrules).unwrap_or_default();
    let source = HeldSource::new("list", file);
    let Ok(profile) = profile_as(&source, &overrules) else { return };
    for schema in SCHEMAS.iter() {
        let _ = matching.validate(&profile, schema);
        assert_eq!(matching.columns(&profile, schema).len(), profile.columns.len());
        assert_eq!(suggest(&profile, schema, Some(&matching)).len(), profile.columns.len());
        draw(&source, &profile, schema, &matching);
    }
}

/// Every row of the file as text: those that stand below the header are the rows of the profile.
fn see(source: &HeldSource, profile: &Profile) {
    let rows = grid(source, profile).and_then(|rows| rows.collect::<Result<Vec<_>, _>>());
    let below = |rows: Vec<(u64, Vec<String>)>| rows.iter().filter(|(number, _)| *number > profile.reading.header_row).count();
    assert_eq!(rows.map(|rows| below(rows) as u64), Ok(profile.rows), "what was profiled can be read again");
}

/// Every row as a change, or as what is wrong with it.
fn draw(source: &HeldSource, profile: &Profile, schema: &Schema, matching: &Matching) {
    let rows = draft(source, profile, schema, matching).and_then(|rows| rows.collect::<Result<Vec<_>, _>>());
    assert_eq!(rows.map(|rows| rows.len() as u64), Ok(profile.rows), "every row is accounted for");
}

/// The bytes as a file: by itself under some name, or as the part of a workbook that no fuzzer finds its way into.
fn packed(kind: u8, bytes: &[u8]) -> (&'static str, Vec<u8>) {
    match kind {
        0 => ("list", bytes.to_vec()),
        1 => ("list.csv", bytes.to_vec()),
        2 => ("list.json", bytes.to_vec()),
        3 => ("list.ndjson", bytes.to_vec()),
        4 => ("list.geojson", bytes.to_vec()),
        5 => ("list.xlsx", book("xl/worksheets/sheet1.xml", bytes)),
        6 => ("list.xlsx", book("xl/sharedStrings.xml", bytes)),
        7 => ("list.xlsx", book("xl/styles.xml", bytes)),
        8 => ("list.xlsx", book("xl/workbook.xml", bytes)),
        9 => ("list.xlsx", book("xl/_rels/workbook.xml.rels", bytes)),
        10 => ("list.ods", zipped(&[("mimetype", b""), ("content.xml", bytes)])),
        11 => ("list.ods", zipped(&[("mimetype", b""), ("META-INF/manifest.xml", bytes), ("content.xml", b"")])),
        12 | 13 => ("list.xls", compound(bytes)),
        14 => ("list.xls", bytes.to_vec()),
        _ => ("list.xlsx", bytes.to_vec()),
    }
}

/// A workbook of Office Open XML, of which one part is said.
fn book(part: &str, bytes: &[u8]) -> Vec<u8> {
    let mut parts = [
        ("_rels/.rels", r#"<Relationships><Relationship Id="r" Type="/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="a" Type="/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="b" Type="/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="c" Type="/styles" Target="styles.xml"/></Relationships>"#,
        ),
        ("xl/workbook.xml", r#"<workbook><sheets><sheet name="List" id="a"/></sheets></workbook>"#),
        (
            "xl/sharedStrings.xml",
            "<sst><si><t>identifier</t></si><si><t>name</t></si><si><t>founded_on</t></si><si><t>A1</t></si></sst>",
        ),
        (
            "xl/styles.xml",
            r#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/></cellXfs></styleSheet>"#,
        ),
        (
            "xl/worksheets/sheet1.xml",
            r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row><row r="2"><c r="A2" t="s"><v>3</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" s="1"><v>45385.5</v></c></row></sheetData></worksheet>"#,
        ),
    ]
    .map(|(name, contents)| (name, contents.as_bytes()));
    for (name, contents) in &mut parts {
        if *name == part {
            *contents = bytes;
        }
    }
    zipped(&parts)
}

fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, contents) in parts {
        let written = archive.start_file(*name, stored).map(|()| archive.write_all(contents));
        assert!(matches!(written, Ok(Ok(()))), "an archive in memory can be written");
    }
    archive.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// A compound file with `bytes` as its stream of records.
fn compound(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut file) = cfb::CompoundFile::create(Cursor::new(Vec::new())) else { return Vec::new() };
    let written = file.create_stream("/Workbook").and_then(|mut stream| stream.write_all(bytes));
    if written.is_err() {
        return Vec::new();
    }
    file.into_inner().into_inner()
}
