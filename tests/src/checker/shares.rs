//! Shares: what they show is what the terms give of the originals, no more and no less.

use std::collections::{BTreeMap, HashMap, HashSet};

use hayward_domain::record::{OrganizationNumber, Record, Sealed};
use serde_json::{Map, Value};

use super::tables::{Original, Share, Shared};
use super::{Faults, Look, Memory, NEVER, apart};

pub(super) fn check(look: &Look<'_>, memory: &mut Memory, faults: &mut Faults) {
    names(look, memory, faults);
    rows(look, faults);
    let mut of_share: HashMap<i64, Vec<&Shared>> = HashMap::new();
    look.tables.shared.iter().for_each(|row| of_share.entry(row.share).or_default().push(row));
    for share in &look.tables.shares {
        let rows = of_share.remove(&share.number).unwrap_or_default();
        editions(look, share, faults);
        staged(look, share, &rows, faults);
        floor(look, share, &rows, faults);
        disclosed(look, memory, share, &rows, faults);
    }
    faults.unless(of_share.is_empty(), || "there are rows of a share that does not exist".to_owned());
}

fn names(look: &Look<'_>, memory: &mut Memory, faults: &mut Faults) {
    let named: HashMap<i64, i64> = look.tables.shares.iter().map(|share| (share.number, share.named)).collect();
    let mut highest: HashMap<i64, i64> = HashMap::new();
    for name in &look.tables.names {
        let (share, number) = (name.share, name.name);
        // A commit takes its names before it writes them down: one that dies in between leaves a gap, and nothing under it.
        let last = highest.insert(share, number).unwrap_or(0);
        faults.unless(number > last, || format!("the ledger name {number} of share {share} was given twice"));
        let before = *memory.names.entry((share, number)).or_insert(name.record);
        faults.unless(before == name.record, || format!("name {number} of share {share} stood for another record before"));
    }
    for (share, given) in named {
        let used = highest.get(&share).copied().unwrap_or(0);
        faults.unless(used <= given, || format!("share {share} has given {given} names, and {used} is there"));
    }
}

fn rows(look: &Look<'_>, faults: &mut Faults) {
    let names: HashMap<(i64, i64), i64> = look.tables.names.iter().map(|name| ((name.share, name.record), name.name)).collect();
    let shelves: HashMap<i64, i64> = look.tables.shares.iter().map(|share| (share.number, share.shelf)).collect();
    let mut seen = HashSet::new();
    let mut of_record: BTreeMap<(i64, i64), Vec<(i64, i64)>> = BTreeMap::new();
    for shared in &look.tables.shared {
        let row = shared.row;
        faults.unless(seen.insert(row), || format!("shared row {row} is there twice"));
        faults.unless(shared.born < shared.died, || format!("shared row {row} dies before it is born"));
        let name = names.get(&(shared.share, shared.record));
        faults.unless(name == Some(&shared.name), || format!("shared row {row} has another name than its record"));
        faults.unless(shelves.get(&shared.share) == Some(&shared.shelf), || format!("shared row {row} lies on another shelf"));
        of_record.entry((shared.share, shared.record)).or_default().push((shared.born, shared.died));
    }
    for ((share, record), mut versions) in of_record {
        versions.sort_unstable();
        faults.unless(apart(&versions), || format!("two versions of record {record} live at once in share {share}"));
    }
}

fn editions(look: &Look<'_>, share: &Share, faults: &mut Faults) {
    let number = share.number;
    let editions: Vec<_> = look.tables.share_editions.iter().filter(|edition| edition.share == number).collect();
    let numbered: Vec<_> = editions.iter().map(|edition| (edition.edition, edition.commit_number)).collect();
    look.tables.gaps(&numbered, share.head, &format!("share {number}"), faults);
    let growing = editions.windows(2).all(|pair| matches!(pair, [a, b] if a.commit_number < b.commit_number));
    faults.unless(growing, || format!("commit numbers of share {number} do not follow its editions"));
    // What a commit of a list changes in its shares comes with that commit, or with a commit that made no edition of any list.
    for edition in editions {
        let made = look.tables.editions.iter().find(|one| one.commit_number == edition.commit_number);
        faults.unless(made.is_none_or(|made| made.dataset == share.dataset), || {
            format!("edition {} of share {number} came with the commit of another dataset", edition.edition)
        });
    }
}

fn staged(look: &Look<'_>, share: &Share, rows: &[&Shared], faults: &mut Faults) {
    for row in rows {
        let staged = row.born > share.head || (row.died > share.head && row.died < NEVER);
        faults.unless(!staged || look.dirty(share.dataset), || format!("shared row {} is staged by nobody", row.row));
        let next = row.born <= share.head + 1 && (row.died <= share.head + 1 || row.died == NEVER);
        faults.unless(next, || format!("shared row {} is of an edition after the next", row.row));
    }
}

/// Below the floor nothing is left to be read; above it no field that the terms do not open.
fn floor(look: &Look<'_>, share: &Share, rows: &[&Shared], faults: &mut Faults) {
    if share.head < share.floor {
        // Narrowed, and not rebuilt yet: it answers nothing, and the payloads go with the rebuild.
        faults.unless(share.open == 0, || format!("share {} answers below its floor", share.number));
        return;
    }
    let Some((terms, _)) = look.terms.get(&(share.number, share.version)) else {
        // Not built yet: what is staged belongs to a claim.
        let shown = rows.iter().any(|row| row.born <= share.head);
        faults.unless(!shown, || format!("share {} shows rows and has no terms", share.number));
        return;
    };
    let open: HashSet<&str> = terms.disclosed().map(|(name, _)| name.as_str()).collect();
    for row in rows {
        let below = row.born < share.floor && row.died <= share.floor;
        if below {
            // No edition that answers shows it. Its payload is erased behind the last step of the rebuild.
            faults.soon(row.payload.is_none(), || format!("shared row {} lies below the floor and keeps its payload", row.row));
            continue;
        }
        let Some(payload) = row.payload.as_deref().filter(|_| row.born <= share.head) else { continue };
        let fields: Map<String, Value> = serde_json::from_str(payload).unwrap_or_default();
        let hidden = fields.keys().filter(|name| !open.contains(name.as_str())).count();
        faults.unless(hidden == 0, || format!("shared row {} has {hidden} fields that the terms hide", row.row));
    }
}

/// The share at its head is what the terms give of the dataset at its head, recomputed.
fn disclosed(look: &Look<'_>, memory: &mut Memory, share: &Share, rows: &[&Shared], faults: &mut Faults) {
    let number = share.number;
    if look.in_force(number).is_none_or(|(version, _)| version != share.version) {
        return;
    }
    let Some(dataset) = look.tables.datasets.iter().find(|dataset| dataset.number == share.dataset) else { return };
    let mut shown: HashMap<i64, Option<&str>> = HashMap::new();
    for row in rows.iter().filter(|row| row.born <= share.head && row.died > share.head) {
        let twice = shown.insert(row.record, row.payload.as_deref()).is_some();
        faults.unless(!twice, || format!("share {number} shows record {} twice", row.record));
    }
    reach(look, share, rows, faults);
    let live = look.tables.records.iter().filter(|original| original.dataset == share.dataset);
    for original in live.filter(|original| original.born <= dataset.head && original.died > dataset.head) {
        let expected = disclose(look, memory, share, original, dataset.organization);
        let found = shown.remove(&original.record);
        faults.unless(found == expected.map(Some), || {
            format!("share {number} does not show record {} as its terms say", original.record)
        });
    }
    faults.unless(shown.is_empty(), || format!("share {number} shows {} records that are not there", shown.len()));
}

/// What an edition says of how far it reaches, which readers rely on.
fn reach(look: &Look<'_>, share: &Share, rows: &[&Shared], faults: &mut Faults) {
    let number = share.number;
    let newest = look.tables.share_editions.iter().find(|edition| (edition.share, edition.edition) == (number, share.head));
    let Some(edition) = newest else { return };
    let live = rows.iter().filter(|row| row.born <= share.head && row.died > share.head).map(|row| row.row);
    let live: Vec<i64> = live.collect();
    faults.unless(live.len() as i64 == edition.live, || format!("share {number} says that it has {} rows", edition.live));
    let within = live.iter().all(|row| (edition.first_row..=edition.last_row).contains(row));
    faults.unless(within, || format!("share {number} has rows beyond where it says that they end"));
}

fn disclose<'m>(look: &Look<'_>, memory: &'m mut Memory, share: &Share, original: &Original, owner: i64) -> Option<&'m str> {
    let compute = || {
        let (terms, schema) = look.terms.get(&(share.number, share.version))?;
        let keys = look.keys.get(&share.number)?;
        let record = Sealed::new(OrganizationNumber(owner), Record::from_body(&original.body)?);
        Some(terms.disclose(schema, keys, &record)?.payload().to_owned())
    };
    memory.disclosed.entry((share.number, share.version, original.row)).or_insert_with(compute).as_deref()
}
