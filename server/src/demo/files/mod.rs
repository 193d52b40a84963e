//! The lists of the demo world, as the files that its co-ops upload.
//!
//! Fields that no agreement of the demo world discloses hold canaries, `ZQX-<field>-<n>`: whoever finds one in an answer to
//! another organization has found a leak. `terms` and these files have to agree on which fields those are.

mod directory;
mod figures;
mod import;
mod members;
mod opportunities;
mod sheet;

use std::sync::Arc;

use chrono::NaiveDate;
use hayward_store::Store;

use self::import::Uploads;
use self::sheet::Sheet;
use super::cast::{Cast, Kind, List, Member};
use super::{DemoError, Hidden, people};

/// How many records the second file of a list adds.
const NEW: usize = 3;
/// The second file changes every so many-th record.
const CHANGED: usize = 17;

/// Imports every list, most of them in two files: a first one, and a month later one with changes.
pub(super) fn import_all(store: &Arc<Store>, cast: &Cast, hidden: Hidden) -> Result<(), DemoError> {
    let today = today(store);
    for member in &cast.members {
        let owner = people::number(store, member)?;
        for list in &member.lists {
            let uploads = Uploads { store, cast, member, owner, list };
            let sheet = match hidden {
                Hidden::AsEver => sheet(cast, member, list, today),
                Hidden::Redrawn => sheet(cast, member, list, today).redrawn(),
            };
            match list.rows {
                0..10 | 1_000.. => uploads.commit(0, &sheet)?,
                _ => {
                    uploads.commit(0, &sheet.first(list.rows - NEW))?;
                    uploads.commit(1, &sheet.changed(CHANGED))?;
                }
            }
            match (member.slug, list.kind) {
                ("consumo-sur", Kind::Members) => uploads.commit_and_undo(2, &sheet.first(40).changed(1))?,
                ("la-espiga", Kind::Members) => uploads.commit_with_private_column(2, &sheet.with_column("Turno de reparto"))?,
                ("girasol", Kind::Opportunities) => uploads.leave_as_draft(2, &sheet.with_column("Visto por"))?,
                (_, Kind::Directory | Kind::Members | Kind::Opportunities | Kind::Figures) => {}
            }
        }
    }
    Ok(())
}

/// The day of the store's clock, in UTC as the demo commons counts.
pub(super) fn today(store: &Store) -> NaiveDate {
    chrono::DateTime::from_timestamp_micros(store.now().0).unwrap_or_default().date_naive()
}

fn sheet(cast: &Cast, member: &Member, list: &List, today: NaiveDate) -> Sheet {
    let mut rng = super::derive::stream(cast.seed, &["rows", list.id.as_str()]);
    match list.kind {
        Kind::Directory => directory::sheet(&mut rng, member, list.rows),
        Kind::Members => members::sheet(&mut rng, member, list.rows),
        Kind::Opportunities => opportunities::sheet(&mut rng, member, list.rows, today),
        Kind::Figures => figures::sheet(&mut rng, cast, member, list.rows),
    }
}
