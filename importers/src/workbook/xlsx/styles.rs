//! What the formats of cells make of their numbers.

use std::collections::HashMap;

use super::super::archive::Part;
use super::super::values::Look;
use super::super::xml::{Mark, Xml};
use crate::refusal::Refusal;

/// The most formats that are kept; Excel has 64,000.
const FORMATS: usize = 100_000;

/// The look of every cell format, in the order in which cells refer to them.
pub(super) fn read(part: Part) -> Result<Vec<Look>, Refusal> {
    let mut xml = Xml::new(part);
    let (mut spelled, mut looks) = (HashMap::new(), Vec::new());
    // Formats of styles that have a name are listed the same way, and no cell refers to them.
    let mut of_cells = false;
    loop {
        match xml.next(1)? {
            Mark::Open(tag) => match tag.name() {
                "numFmt" if spelled.len() < FORMATS => {
                    let number = tag.get("numFmtId").and_then(|number| number.parse::<u32>().ok());
                    spelled.extend(number.zip(tag.get("formatCode").map(|code| Look::of(&code))));
                }
                "cellXfs" => of_cells = true,
                "xf" if of_cells && looks.len() < FORMATS => {
                    let number = tag.get("numFmtId").and_then(|number| number.parse().ok()).unwrap_or(0);
                    looks.push(spelled.get(&number).copied().unwrap_or_else(|| Look::built_in(number)));
                }
                _ => {}
            },
            Mark::Close(tag) => of_cells &= tag.name() != "cellXfs",
            Mark::Text(_) => {}
            Mark::End => return Ok(looks),
        }
    }
}
