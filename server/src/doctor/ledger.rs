//! What can be asked of the ledger.

use hayward_domain::moment::Moment;
use hayward_store::{Inspector, Tail};

use super::Check;
use crate::ledger::seal;

const MINUTE: i64 = 60_000_000;
/// How many links of a chain are followed, from its end.
const LINKS: i64 = 200;

/// Whether the sealer keeps up.
pub(super) fn backlog(inspector: &Inspector, now: Moment) -> Check {
    let unsealed = match inspector.unsealed() {
        Ok(unsealed) => unsealed,
        Err(error) => return Check::unmade("sealing", &error),
    };
    match unsealed.oldest.map(|at| (now.0 - at.0) / MINUTE).filter(|minutes| *minutes >= 10) {
        Some(minutes) => Check::warning(
            "sealing",
            format!("{} entries of the ledger wait to be sealed, the oldest for {minutes} minutes", unsealed.count),
            "A running server seals within seconds: start one, or look for `sealing the ledger` in its log.",
        ),
        None => Check::ok("sealing", "the ledger is sealed"),
    }
}

/// Whether the ends of the chains hold.
pub(super) fn chains(inspector: &Inspector) -> Check {
    let tails = match inspector.tails(LINKS) {
        Ok(tails) => tails,
        Err(error) => return Check::unmade("chains", &error),
    };
    let broken = tails.iter().filter(|tail| !holds(tail)).count();
    if broken == 0 {
        return Check::ok("chains", format!("{} chains of the ledger hold at their ends", tails.len()));
    }
    Check::failed(
        "chains",
        format!("{broken} chains of the ledger are broken: an entry was changed or removed after it was sealed"),
        "Keep the ledger's file as it is, compare it with the last backup, and tell the co-ops.",
    )
}

/// Every link covers its entry and follows the one before it, and the newest checkpoint stands behind one of them.
fn holds(tail: &Tail) -> bool {
    let covers = tail.links.iter().all(|(entry, previous, hash)| seal::hash(previous, entry) == *hash);
    let mut pairs = tail.links.iter().zip(tail.links.iter().skip(1));
    tail.covered && covers && pairs.all(|((_, _, hash), (_, previous, _))| hash == previous)
}
