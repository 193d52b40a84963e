//! Records, editions, claims and imports: nothing half visible, nothing overlapping, nothing lost.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Faults, Look, NEVER, apart};

pub(super) fn check(look: &Look<'_>, faults: &mut Faults) {
    originals(look, faults);
    editions(look, faults);
    imports(look, faults);
    claims(look, faults);
}

fn originals(look: &Look<'_>, faults: &mut Faults) {
    let mut rows = BTreeSet::new();
    let mut of_record: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    let mut of_key: BTreeMap<(i64, &str), Vec<(i64, i64)>> = BTreeMap::new();
    let mut lists: BTreeMap<i64, i64> = BTreeMap::new();
    let heads: BTreeMap<i64, i64> = look.tables.datasets.iter().map(|dataset| (dataset.number, dataset.head)).collect();
    for original in &look.tables.records {
        let (row, record) = (original.row, original.record);
        faults.unless(rows.insert(row), || format!("row {row} of the originals is there twice"));
        faults.unless(original.born < original.died, || format!("row {row} of the originals dies before it is born"));
        let list = *lists.entry(record).or_insert(original.dataset);
        faults.unless(list == original.dataset, || format!("record {record} lies in two datasets"));
        of_record.entry(record).or_default().push((original.born, original.died));
        of_key.entry((original.dataset, &original.key)).or_default().push((original.born, original.died));
        let Some(head) = heads.get(&original.dataset) else {
            faults.unless(false, || format!("row {row} of the originals lies in no dataset"));
            continue;
        };
        let staged = original.born > *head || (original.died > *head && original.died < NEVER);
        faults.unless(!staged || look.dirty(original.dataset), || format!("row {row} of the originals is staged by nobody"));
        let next = original.born <= head + 1 && (original.died <= head + 1 || original.died == NEVER);
        faults.unless(next, || format!("row {row} of the originals is of an edition after the next"));
    }
    for (record, mut versions) in of_record {
        versions.sort_unstable();
        faults.unless(apart(&versions), || format!("two versions of record {record} live at once"));
    }
    for ((dataset, _), mut versions) in of_key {
        versions.sort_unstable();
        faults.unless(apart(&versions), || format!("a key of dataset {dataset} lives twice at once"));
    }
}

fn editions(look: &Look<'_>, faults: &mut Faults) {
    let mut commits = BTreeSet::new();
    for dataset in &look.tables.datasets {
        let editions: Vec<_> = look.tables.editions.iter().filter(|edition| edition.dataset == dataset.number).collect();
        let (number, head) = (dataset.number, dataset.head);
        let numbered: Vec<_> = editions.iter().map(|edition| (edition.edition, edition.commit_number)).collect();
        look.tables.gaps(&numbered, head, &format!("dataset {number}"), faults);
        let growing = editions.windows(2).all(|pair| matches!(pair, [a, b] if a.commit_number < b.commit_number));
        faults.unless(growing, || format!("commit numbers of dataset {number} do not follow its editions"));
        for edition in editions {
            let commit = edition.commit_number;
            faults.unless(commits.insert(commit), || format!("commit {commit} made two editions"));
            let told = match edition.kind.as_str() {
                "edit" => edition.made_by.is_some() && edition.import.is_none(),
                "import" | "undo" => edition.made_by.is_none() && edition.import.is_some(),
                _ => edition.made_by.is_none(),
            };
            faults.unless(told, || format!("commit {commit} does not say what made it"));
        }
    }
}

fn imports(look: &Look<'_>, faults: &mut Faults) {
    let made = |import: &str, kind: &str| -> Vec<(i64, i64)> {
        let of_import = look.tables.editions.iter().filter(|edition| edition.import.as_deref() == Some(import));
        of_import.filter(|edition| edition.kind == kind).map(|edition| (edition.dataset, edition.edition)).collect()
    };
    for import in &look.tables.imports {
        let (id, state) = (&import.id, import.state.as_str());
        let committed = made(id, "import");
        let expected: Vec<_> = import.committed_edition.map(|edition| (import.dataset, edition)).into_iter().collect();
        faults.unless(committed == expected, || format!("import {id} and the editions disagree about its commit"));
        let done = ["committed", "undone"].contains(&state);
        faults.unless(done || expected.is_empty(), || format!("import {id} is {state}, and has made an edition"));
        let undone = made(id, "undo").len();
        faults.unless(undone <= usize::from(state == "undone"), || format!("import {id} is {state}, and was taken back"));
        let lost = state == "undone" && import.committed_edition.is_some() && undone == 0;
        // An undo that changes nothing, since everything has changed meanwhile, makes no edition: the tests have none of these.
        faults.unless(!lost, || format!("import {id} was taken back without an edition"));
        let pieces = look.tables.pieces.iter().filter(|piece| piece.import == *id).map(|piece| piece.position);
        let pieces: BTreeSet<i64> = pieces.collect();
        // It is dropped in pieces, behind the commit's last step; one with rows that did not go in is kept for its marked list.
        let counts: Option<Value> = import.counts.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let rejected = counts.as_ref().and_then(|counts| counts.get("rejected")).and_then(Value::as_u64).unwrap_or(0);
        faults.soon(!done || pieces.is_empty() || (state == "committed" && rejected > 0), || {
            format!("import {id} is {state} and still keeps its file")
        });
        let whole = done || state == "cancelled" || pieces.iter().zip(0..).all(|(position, expected)| *position == expected);
        faults.unless(whole, || format!("the file of import {id} has a hole"));
        let committing = ["checked", "draft", "interrupted"].contains(&state) && !import.file_hash.is_empty();
        faults.unless(!committing || !pieces.is_empty(), || format!("import {id} is {state} and its file is gone"));
        let busy = ["reading", "committing"].contains(&state);
        faults.soon(!busy, || format!("import {id} says that it is {state}, and nobody is at it"));
    }
}

fn claims(look: &Look<'_>, faults: &mut Faults) {
    for claim in &look.tables.claims {
        let dataset = claim.dataset;
        let held = claim.purpose.is_some();
        faults.unless(held || claim.until == 0, || format!("nobody holds dataset {dataset}, for some time yet"));
        faults.unless(held || claim.dirty == 0, || format!("dataset {dataset} was given back with rows staged"));
    }
}
