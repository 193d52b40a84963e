//! Erasures: nothing of the record is left, and nothing brings it back.

use std::collections::BTreeSet;

use super::{Faults, Look};

pub(super) fn check(look: &Look<'_>, faults: &mut Faults) {
    let records: BTreeSet<i64> = look.tables.records.iter().map(|original| original.record).collect();
    let shown: BTreeSet<i64> = look.tables.shared.iter().filter(|row| row.payload.is_some()).map(|row| row.record).collect();
    let pieces: BTreeSet<&str> = look.tables.pieces.iter().map(|piece| piece.import.as_str()).collect();
    for erasure in &look.tables.erasures {
        let id = &erasure.id;
        faults.unless(!records.contains(&erasure.record), || format!("the record of erasure {id} is in a list"));
        faults.unless(!shown.contains(&erasure.record), || format!("the record of erasure {id} is in a share"));
        let made =
            look.tables.editions.iter().find(|edition| (edition.dataset, edition.edition) == (erasure.dataset, erasure.edition));
        faults.unless(made.is_some_and(|edition| edition.kind == "erasure"), || format!("erasure {id} has made no edition"));
        faults.soon(erasure.done_at.is_some(), || format!("erasure {id} has not come to its end"));
        let files = look.tables.erased_files.iter().filter(|file| file.erasure == *id);
        let is_kept = files.map(|file| file.import.as_str()).any(|import| pieces.contains(import));
        faults.unless(erasure.done_at.is_none() || !is_kept, || format!("a file is still kept that erasure {id} reached"));
    }
}
