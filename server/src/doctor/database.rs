//! What can be asked of the database.

use hayward_domain::moment::Moment;
use hayward_store::{Inspector, StoreError};

use super::Check;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Clocks that differ by more make sessions and agreements begin and end at the wrong time.
const APART: i64 = 5 * SECOND;

/// Whether the database answers and is of this program's time, and so whether anything else can be asked.
pub(super) fn reached(inspector: &Inspector) -> (Vec<Check>, bool) {
    let steps = match inspector.steps() {
        Ok(steps) => steps,
        Err(error) => {
            let advice = "See whether it runs, and whether the address, the name and the password are right.";
            return (vec![Check::failed("database", format!("the database does not answer: {error}"), advice)], false);
        }
    };
    let answers = Check::ok("database", "the database and its ledger answer");
    let newer = steps.iter().any(|steps| steps.done > steps.known);
    let pending: i64 = steps.iter().map(|steps| (steps.known - steps.done).max(0)).sum();
    let migrations = if newer {
        Check::failed("migrations", "a newer Hayward has changed this database", "Run that one: this program refuses to open it.")
    } else if pending > 0 {
        let found = format!("{pending} steps are still to be made");
        Check::warning("migrations", found, "Back up, then start `hayward serve`: it makes them before it listens.")
    } else {
        Check::ok("migrations", "the database is up to date")
    };
    (vec![answers, migrations], !newer && pending == 0)
}

/// Whether recipients can be served.
pub(super) fn role(inspector: &Inspector) -> Check {
    match inspector.can_serve() {
        Ok(()) => Check::ok("recipients", "recipients can be served"),
        Err(_) => Check::failed(
            "recipients",
            "the role that recipients are served under cannot be taken",
            "On PostgreSQL: `grant hayward_reader to` the user in DATABASE_URL.",
        ),
    }
}

/// Whether this machine, the database's and what was written agree about the time.
pub(super) fn clock(inspector: &Inspector, now: Moment) -> Check {
    const ADVICE: &str = "Set the clocks by NTP, on every server and on the database's machine.";
    let asked = inspector.clock().and_then(|clock| Ok((clock, inspector.newest()?)));
    let (clock, newest) = match asked {
        Ok(asked) => asked,
        Err(error) => return Check::unmade("clock", &error),
    };
    if let Some(apart) = clock.map(|clock| (clock.0 - now.0).abs()).filter(|apart| *apart > APART) {
        return Check::failed("clock", format!("this clock and the database's are {} s apart", apart / SECOND), ADVICE);
    }
    let written = [newest.edition, newest.event, newest.entry].into_iter().flatten().max();
    match written.map(|at| at.0 - now.0).filter(|ahead| *ahead > APART) {
        Some(ahead) => {
            Check::failed("clock", format!("something was written {} s in the future of this clock", ahead / SECOND), ADVICE)
        }
        None => Check::ok("clock", "the clock agrees with the database"),
    }
}

/// When the last backup was made.
pub(super) fn backups(inspector: &Inspector, now: Moment) -> Check {
    const ADVICE: &str = "Run `hayward backup FILE` every day, keep it on another machine, and the key file apart from it.";
    let at = match inspector.noted("last_backup") {
        Ok(noted) => noted.and_then(|text| text.parse::<i64>().ok()),
        Err(error) => return Check::unmade("backups", &error),
    };
    match at.map(|at| (now.0 - at) / DAY) {
        None => Check::warning("backups", "no backup was ever made", ADVICE),
        Some(days) if days > 14 => Check::failed("backups", format!("the last backup is {days} days old"), ADVICE),
        Some(days) if days > 1 => Check::warning("backups", format!("the last backup is {days} days old"), ADVICE),
        Some(_) => Check::ok("backups", "a backup was made within the last two days"),
    }
}

/// What was begun and not ended.
pub(super) fn stale(inspector: &Inspector, now: Moment) -> Vec<Check> {
    let stale = match inspector.stale(now) {
        Ok(stale) => stale,
        Err(error) => return vec![Check::unmade("writers", &error)],
    };
    let writers = if stale.silent > 0 {
        let found = format!("{} lists have a writer that fell silent, {} of them half written", stale.silent, stale.dirty);
        Check::warning("writers", found, "Nobody sees what is half written; the next import of the list clears it away.")
    } else {
        Check::ok("writers", "no list has a writer that fell silent")
    };
    let imports = if stale.interrupted > 0 {
        let found = format!("{} imports were interrupted", stale.interrupted);
        Check::warning("imports", found, "Their co-ops can commit them again; nothing of them is visible.")
    } else {
        Check::ok("imports", "no import was interrupted")
    };
    vec![writers, imports]
}

/// Whether the database's own structure holds.
pub(super) fn integrity(inspector: &Inspector) -> Check {
    match inspector.integrity() {
        Ok(faults) if faults.is_empty() => Check::ok("structure", "the structure of the database holds"),
        Ok(faults) => Check::failed(
            "structure",
            format!("the database is damaged in {} places", faults.len()),
            "Stop the server, keep a copy of the files as they are, and restore the last backup.",
        ),
        Err(error @ StoreError::Database(_)) => Check::failed(
            "structure",
            format!("the database cannot be read through: {error}"),
            "Stop the server, keep a copy of the files as they are, and restore the last backup.",
        ),
        Err(error) => Check::unmade("structure", &error),
    }
}
