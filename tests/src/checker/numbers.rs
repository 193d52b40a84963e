//! Numbers that never go back, and stay above every number in use.

use super::{Faults, Look, Memory};

pub(super) fn check(look: &Look<'_>, memory: &mut Memory, faults: &mut Faults) {
    let tables = look.tables;
    let used = |name: &str| match name {
        "organization" => tables.organizations.iter().map(|row| row.number).max(),
        "dataset" => tables.datasets.iter().map(|row| row.number).max(),
        "agreement" => tables.agreements.iter().map(|row| row.number).max(),
        "shelf" => tables.shelves.iter().map(|row| row.number).max(),
        "record" => tables.records.iter().map(|row| row.record).chain(tables.names.iter().map(|row| row.record)).max(),
        "record_row" => tables.records.iter().map(|row| row.row).max(),
        "shared_row" => tables.shared.iter().map(|row| row.row).max(),
        "event" => tables.events.iter().map(|row| row.number).max(),
        _ => None,
    };
    for counter in &tables.counters {
        let name = &counter.name;
        faults.unless(used(name).unwrap_or(0) < counter.next, || format!("a number of `{name}` is in use and not yet given"));
        grows(memory, faults, format!("counter `{name}`"), counter.next);
    }
    for counter in &tables.ledger_counters {
        let newest = tables.entries.iter().map(|entry| entry.row).max().unwrap_or(0);
        faults.unless(newest < counter.next, || "an entry of the ledger has a number that was not given".to_owned());
        grows(memory, faults, format!("counter `{}` of the ledger", counter.name), counter.next);
    }
    for counter in &tables.commit_counter {
        let numbers = tables.editions.iter().map(|row| row.commit_number);
        let newest = numbers.chain(tables.share_editions.iter().map(|row| row.commit_number)).max().unwrap_or(0);
        faults.unless(newest <= counter.number, || "an edition has a commit number that was not given".to_owned());
        faults.unless(counter.pruned <= counter.number, || "more is pruned than was committed".to_owned());
        grows(memory, faults, "the commit counter".to_owned(), counter.number);
        grows(memory, faults, "what is pruned".to_owned(), counter.pruned);
    }
    for claim in &tables.claims {
        grows(memory, faults, format!("the token of dataset {}", claim.dataset), claim.token);
    }
    for dataset in &tables.datasets {
        grows(memory, faults, format!("the head of dataset {}", dataset.number), dataset.head);
    }
    for share in &tables.shares {
        grows(memory, faults, format!("the head of share {}", share.number), share.head);
        grows(memory, faults, format!("the floor of share {}", share.number), share.floor);
        grows(memory, faults, format!("the names of share {}", share.number), share.named);
    }
    grows(memory, faults, "the entries of the ledger".to_owned(), tables.entries.len() as i64);
    for sealed in &tables.sealed {
        grows(memory, faults, "what is sealed".to_owned(), sealed.row);
    }
}

fn grows(memory: &mut Memory, faults: &mut Faults, what: String, now: i64) {
    let before = memory.grown.insert(what.clone(), now).unwrap_or(now);
    faults.unless(before <= now, || format!("{what} went back from {before} to {now}"));
}
