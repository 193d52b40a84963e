//! Whether terms are at most as wide as others: what a provider may put in force alone.
//!
//! When in doubt, the answer is no: then both sides approve.

use super::{Ending, Onward, Rows, Terms};
use crate::treatment::Treatment;

impl Terms {
    /// Whether these terms are narrower than `other`, or equal, in every dimension.
    ///
    /// Contact, lawful basis, review date and the version of the schema may differ. A row condition counts as narrower when it
    /// demands all that the other demands; what the added demand tells about its field, [`Terms::implied`] says.
    #[must_use]
    pub fn is_at_most(&self, other: &Self) -> bool {
        let same = self.provider == other.provider
            && self.dataset == other.dataset
            && self.schema_name == other.schema_name
            && self.audience == other.audience
            && self.purpose == other.purpose
            && self.record_id == other.record_id;
        same && self.starts_on >= other.starts_on
            && self.ends_on <= other.ends_on
            && self.disclosed().all(|(name, treatment)| treatment.at_most(other.fields.get(name).unwrap_or(&Treatment::Hidden)))
            && self.rows.is_at_most(&other.rows)
            && self.onward.is_at_most(&other.onward)
            && self.ending.is_at_most(&other.ending)
    }
}

impl Rows {
    fn is_at_most(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::All, Self::Where(_)) => false,
            (Self::Where(narrow), Self::Where(wide)) => {
                let demanded = narrow.conjuncts();
                wide.conjuncts().into_iter().all(|demand| demanded.contains(&demand))
            }
        }
    }
}

impl Onward {
    pub(crate) fn is_at_most(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, _) | (_, Self::Public) | (Self::Members, Self::Members) => true,
            (Self::Named(few), Self::Named(many)) => few.iter().all(|name| many.contains(name)),
            (Self::Members | Self::Named(_) | Self::Public, _) => false,
        }
    }
}

impl Ending {
    fn is_at_most(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::DeleteWithinDays(soon), Self::DeleteWithinDays(late)) => soon <= late,
            // A recipient that may keep its copy has not agreed to delete it, nor the other way round.
            (Self::Keep(words), Self::Keep(others)) => words == others,
            (Self::DeleteWithinDays(_), Self::Keep(_)) | (Self::Keep(_), Self::DeleteWithinDays(_)) => false,
        }
    }
}
