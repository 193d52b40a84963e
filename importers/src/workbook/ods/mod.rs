//! Workbooks of OpenDocument (ISO/IEC 26300): `.ods`, `.ots`.
//!
//! All sheets stand in one part, one behind the other. Each reading begins at the first and passes over those before its own.

use std::collections::HashSet;

use super::Sheet;
use super::archive::{Archive, Part};
use super::xml::{Mark, Xml};
use crate::refusal::Refusal;

mod cell;
mod rows;

pub(super) use rows::Rows;

/// How many sheets a workbook may have, and how many styles are looked at.
const MOST: usize = 10_000;

/// How much text the names of all sheets, and of the styles of those that are hidden, may come to.
const NAMES: usize = 1 << 20;

/// The part with all sheets.
const CONTENT: &str = "content.xml";

/// An open workbook.
pub(super) struct Ods {
    archive: Archive,
    sheets: Vec<Sheet>,
}

impl Ods {
    /// Opens the workbook in `archive`.
    pub(super) fn open(archive: Archive) -> Result<Self, Refusal> {
        if is_encrypted(&archive)? {
            return Err(Refusal::EncryptedWorkbook);
        }
        let sheets = list(content(&archive)?)?;
        Ok(Self { archive, sheets })
    }

    /// Its sheets, in the order of their tabs.
    pub(super) fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// How many bytes describe all of them.
    pub(super) fn size(&self, _: usize) -> u64 {
        self.archive.size(CONTENT)
    }

    /// The rows of one sheet that have something in them.
    pub(super) fn rows(&self, sheet: usize) -> Result<Rows, Refusal> {
        Ok(Rows::new(content(&self.archive)?, sheet))
    }
}

fn content(archive: &Archive) -> Result<Part, Refusal> {
    archive.part(CONTENT)?.ok_or(Refusal::DamagedWorkbook("its contents are missing"))
}

/// Each part is encrypted by itself, and the list of parts says with what.
fn is_encrypted(archive: &Archive) -> Result<bool, Refusal> {
    let Some(manifest) = archive.part("META-INF/manifest.xml")? else { return Ok(false) };
    let mut xml = Xml::new(manifest);
    loop {
        match xml.next(1)? {
            Mark::Open(tag) if tag.name() == "encryption-data" => return Ok(true),
            Mark::Open(_) | Mark::Close(_) | Mark::Text(_) => {}
            Mark::End => return Ok(false),
        }
    }
}

fn list(content: Part) -> Result<Vec<Sheet>, Refusal> {
    let mut xml = Xml::new(content);
    let (mut sheets, mut hidden) = (Vec::new(), HashSet::new());
    let (mut style, mut depth, mut names) = (None, 0_usize, 0);
    loop {
        match xml.next(1)? {
            Mark::Open(tag) => match tag.name() {
                "style" => style = tag.get("name"),
                "table-properties" if tag.get("display").as_deref() == Some("false") && hidden.len() < MOST => {
                    let style: String = style.take().unwrap_or_default();
                    names += style.len();
                    hidden.insert(style);
                }
                "table" => {
                    depth += 1;
                    // A table inside a cell, or inside a chart, is no sheet.
                    if depth == 1 && sheets.len() < MOST {
                        let name = tag.get("name").unwrap_or_default();
                        names += name.len();
                        if names > NAMES {
                            return Err(Refusal::WorkbookTooLarge);
                        }
                        let visible = !tag.get("style-name").is_some_and(|style| hidden.contains(&style));
                        sheets.push(Sheet { name, visible });
                    }
                }
                _ => {}
            },
            Mark::Close(tag) => depth -= usize::from(tag.name() == "table" && depth > 0),
            Mark::Text(_) => {}
            Mark::End => return Ok(sheets),
        }
    }
}
