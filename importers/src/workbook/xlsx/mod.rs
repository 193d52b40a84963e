//! Workbooks of Office Open XML (ECMA-376): `.xlsx`, `.xlsm`, `.xltx`.
//!
//! The texts of all cells stand in one part and are held, within a limit; a sheet is read as a stream.

use std::collections::HashMap;
use std::sync::Arc;

use super::Sheet;
use super::archive::{Archive, Part};
use super::texts::Texts;
use super::values::{Epoch, Look};
use super::xml::{Mark, Tag, Xml};
use crate::refusal::Refusal;

mod rows;
mod strings;
mod styles;

pub(super) use rows::Rows;

/// How many sheets a workbook may have.
const SHEETS: usize = 1_000;

const NO_SHEETS: Refusal = Refusal::DamagedWorkbook("its list of sheets cannot be read");

/// An open workbook.
pub(super) struct Xlsx {
    archive: Archive,
    sheets: Vec<Sheet>,
    parts: Vec<String>,
    shared: Arc<Shared>,
}

/// What the cells of all sheets refer to.
pub(super) struct Shared {
    texts: Texts,
    looks: Vec<Look>,
    epoch: Epoch,
}

/// One `sheet` of the list of sheets, before its part is known.
struct Listed {
    sheet: Sheet,
    relation: String,
}

impl Xlsx {
    /// Opens the workbook in `archive`.
    pub(super) fn open(archive: Archive) -> Result<Self, Refusal> {
        let root = relations(&archive, "_rels/.rels")?;
        let main = root.values().find(|relation| relation.kind == "officeDocument").ok_or(NO_SHEETS)?.target.clone();
        let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
        let relations = relations(&archive, &format!("{folder}/_rels/{file}.rels"))?;
        let (listed, epoch) = list(&archive, &main)?;
        let named = |target: &str| resolved(folder, target);
        let part_of = |kind: &str| {
            let target = relations.values().find(|relation| relation.kind == kind).map(|relation| named(&relation.target));
            target.filter(|target| archive.has(target))
        };
        let texts = part_of("sharedStrings").map_or(Ok(None), |part| archive.part(&part))?;
        let texts = texts.map_or_else(|| Ok(Texts::default()), strings::read)?;
        let looks = part_of("styles").map_or(Ok(None), |part| archive.small_part(&part))?;
        let looks = looks.map_or_else(|| Ok(Vec::new()), styles::read)?;
        let (mut sheets, mut parts) = (Vec::new(), Vec::new());
        for Listed { sheet, relation } in listed {
            // Charts and macros are listed among the sheets too.
            if let Some(relation) = relations.get(&relation).filter(|relation| relation.kind == "worksheet") {
                sheets.push(sheet);
                parts.push(named(&relation.target));
            }
        }
        Ok(Self { archive, sheets, parts, shared: Arc::new(Shared { texts, looks, epoch }) })
    }

    /// Its sheets, in the order of their tabs.
    pub(super) fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// How many bytes describe a sheet.
    pub(super) fn size(&self, sheet: usize) -> u64 {
        self.parts.get(sheet).map_or(0, |part| self.archive.size(part))
    }

    /// The rows of one sheet that have something in them.
    pub(super) fn rows(&self, sheet: usize) -> Result<Rows, Refusal> {
        let part = self.parts.get(sheet).map_or(Ok(None), |part| self.archive.part(part))?;
        Ok(Rows::new(part.ok_or(Refusal::DamagedWorkbook("one of its sheets is missing"))?, Arc::clone(&self.shared)))
    }
}

/// Where one part refers to another.
struct Relation {
    /// The last word of its type, the same in both editions of the standard.
    kind: String,
    target: String,
}

fn relations(archive: &Archive, part: &str) -> Result<HashMap<String, Relation>, Refusal> {
    let mut relations = HashMap::new();
    each_tag(archive.small_part(part)?.ok_or(NO_SHEETS)?, |tag| {
        if tag.name() != "Relationship" || relations.len() > SHEETS {
            return;
        }
        if let (Some(id), Some(kind), Some(target)) = (tag.get("Id"), tag.get("Type"), tag.get("Target")) {
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            relations.insert(id, Relation { kind, target });
        }
    })?;
    Ok(relations)
}

fn list(archive: &Archive, part: &str) -> Result<(Vec<Listed>, Epoch), Refusal> {
    let (mut listed, mut epoch) = (Vec::new(), Epoch::default());
    each_tag(archive.small_part(part)?.ok_or(NO_SHEETS)?, |tag| match tag.name() {
        "workbookPr" if tag.get("date1904").is_some_and(|set| is_set(&set)) => epoch = Epoch::From1904,
        "sheet" if listed.len() < SHEETS => {
            if let (Some(name), Some(relation)) = (tag.get("name"), tag.get("id")) {
                let hidden = tag.get("state").is_some_and(|state| state != "visible");
                listed.push(Listed { sheet: Sheet { name, visible: !hidden }, relation });
            }
        }
        _ => {}
    })?;
    Ok((listed, epoch))
}

fn each_tag(part: Part, mut see: impl FnMut(&Tag<'_>)) -> Result<(), Refusal> {
    let mut xml = Xml::new(part);
    loop {
        match xml.next(1)? {
            Mark::Open(tag) => see(&tag),
            Mark::Close(_) | Mark::Text(_) => {}
            Mark::End => return Ok(()),
        }
    }
}

/// The part that `target` names from a part in `folder` (ECMA-376, part 2, 6.2.2): from the root if it begins with `/`.
fn resolved(folder: &str, target: &str) -> String {
    let from_folder = format!("{folder}/{target}");
    let whole = if target.starts_with('/') { target } else { &from_folder };
    let mut names: Vec<&str> = Vec::new();
    for name in whole.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

fn is_set(value: &str) -> bool {
    matches!(value, "1" | "true" | "on")
}
