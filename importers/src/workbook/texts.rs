//! The texts of a workbook that its cells refer to by number.

use crate::refusal::Refusal;

/// How much text is held, what it costs to find each one included.
const HELD: usize = 96 << 20;

/// All texts, one behind the other: a text for itself would cost more than most are long.
#[derive(Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    /// The text with this number, counted from 0.
    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let place = |number: usize| self.ends.get(number).and_then(|end| usize::try_from(*end).ok());
        let start = number.checked_sub(1).map_or(Some(0), place)?;
        self.text.get(start..place(number)?)
    }

    /// Adds the next one.
    pub(super) fn add(&mut self, text: &str) -> Result<(), Refusal> {
        self.text.push_str(text);
        self.ends.push(u32::try_from(self.text.len()).map_err(|_| Refusal::WorkbookTooLarge)?);
        if self.text.len() + self.ends.len() * size_of::<u32>() > HELD { Err(Refusal::WorkbookTooLarge) } else { Ok(()) }
    }
}
