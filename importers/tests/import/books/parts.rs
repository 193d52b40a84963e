//! Workbooks part by part.

use std::io::{Cursor, Write};

use zip::write::{SimpleFileOptions, ZipWriter};

/// An archive with these parts.
pub fn zipped<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in parts {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The archive with every number of its table of contents in eight bytes, as programs write it that do not know beforehand how much
/// there will be.
pub fn widened(archive: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let length = |bytes: &[u8], at: usize| usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()));
    let end = archive.windows(4).rposition(|four| four == b"PK\x05\x06").unwrap();
    let contents = usize::try_from(number(archive, end + 16)).unwrap();
    let (mut widened, mut rest) = (archive[..contents].to_vec(), &archive[contents..end]);
    while !rest.is_empty() {
        let (name, extra) = (length(rest, 28), length(rest, 30));
        let mut entry = rest[..46 + name].to_vec();
        // Another field stands before it, as the time does in archives of other systems.
        let mut fields = vec![0x55, 0x54, 1, 0, 7, 1, 0, 24, 0];
        [24, 20, 42].iter().for_each(|at| fields.extend(u64::from(number(rest, *at)).to_le_bytes()));
        [24, 20, 42].iter().for_each(|at| entry[*at..at + 4].fill(0xff));
        entry[30..32].copy_from_slice(&u16::try_from(fields.len()).unwrap().to_le_bytes());
        entry[32..34].fill(0);
        widened.extend([entry, fields].concat());
        rest = &rest[46 + name + extra + length(rest, 32)..];
    }
    let size = u32::try_from(widened.len() - contents).unwrap();
    let mut tail = archive[end..].to_vec();
    tail[12..16].copy_from_slice(&size.to_le_bytes());
    [widened, tail].concat()
}

/// An Office Open XML workbook, of which each part can be said.
pub struct Book {
    pub properties: &'static str,
    pub styles: &'static str,
    pub strings: String,
    /// Name, further attributes, and what is in `sheetData`.
    pub sheets: Vec<(&'static str, &'static str, String)>,
}

impl Book {
    /// One sheet with these rows.
    pub fn of(rows: impl Into<String>) -> Self {
        Self { properties: "", styles: "", strings: String::new(), sheets: vec![("List", "", rows.into())] }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let parts = self.parts();
        zipped(parts.iter().map(|(name, contents)| (name.as_str(), contents.as_bytes())))
    }

    /// Its parts, with their names.
    pub fn parts(&self) -> Vec<(String, String)> {
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let relation =
            |id: &str, kind: &str, target: &str| format!(r#"<Relationship Id="{id}" Type="{office}/{kind}" Target="{target}"/>"#);
        let relations = |inside: String| {
            format!(
                r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inside}</Relationships>"#
            )
        };
        let (mut listed, mut targets, mut parts) = (String::new(), String::new(), Vec::new());
        for (at, (name, attributes, rows)) in self.sheets.iter().enumerate() {
            listed.push_str(&format!(r#"<sheet name="{name}" sheetId="{}" r:id="r{at}" {attributes}/>"#, at + 1));
            targets.push_str(&relation(&format!("r{at}"), "worksheet", &format!("worksheets/sheet{at}.xml")));
            parts.push((format!("xl/worksheets/sheet{at}.xml"), format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")));
        }
        targets.push_str(&relation("styles", "styles", "styles.xml"));
        targets.push_str(&relation("strings", "sharedStrings", "sharedStrings.xml"));
        let book = format!(r#"<workbook xmlns:r="{office}">{}<sheets>{listed}</sheets></workbook>"#, self.properties);
        parts.push(("_rels/.rels".to_owned(), relations(relation("book", "officeDocument", "xl/workbook.xml"))));
        parts.push(("xl/workbook.xml".to_owned(), book));
        parts.push(("xl/_rels/workbook.xml.rels".to_owned(), relations(targets)));
        parts.push(("xl/styles.xml".to_owned(), format!("<styleSheet>{}</styleSheet>", self.styles)));
        parts.push(("xl/sharedStrings.xml".to_owned(), format!("<sst>{}</sst>", self.strings)));
        parts
    }
}
