//! The agreements of the demo world: which there are, and how far each has come.
//!
//! There is none that expired: that takes a clock that has moved on, and the store's clock is the only one.

mod signing;

use std::sync::Arc;

use hayward_domain::agreement::Side;
use hayward_store::Store;

use self::signing::Table;
use super::DemoError;
use super::cast::{Cast, Kind, List, Member};
use super::terms::{Draft, Subject, To};

/// An agreement to be.
pub(super) struct Deal<'a> {
    draft: Draft<'a>,
    proposed_by: Side,
    fate: Fate,
}

/// How far an agreement comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It waits for the other side.
    Waits,
    /// The other side answered with another version, which waits.
    Countered,
    /// Both sides agree, and its first day is to come.
    Agreed,
    /// It is in force.
    Active,
    /// It is in force for six more days.
    EndsSoon,
    /// The provider has halted it, the recipient, or both.
    Suspended(&'static [Side]),
    /// A wider version has taken its place.
    Succeeded,
    /// The provider has put a narrower version in its place.
    Narrowed,
    /// The recipient has ended it.
    Ended,
    /// The provider has ended it, and the copies are gone.
    Closed,
    /// The other side said no.
    Declined,
    /// Whoever proposed it took it back.
    Withdrawn,
}

/// What becomes of the first agreement over each list, in the order of [`shared_lists`].
const FATES: [Fate; 32] = [
    // Members.
    Fate::Active,
    Fate::Active,
    Fate::Waits,
    Fate::Countered,
    Fate::Suspended(&[Side::Provider]),
    Fate::Succeeded,
    Fate::Active,
    Fate::Narrowed,
    Fate::Ended,
    Fate::Agreed,
    Fate::Waits,
    Fate::Closed,
    Fate::Active,
    Fate::Declined,
    Fate::Suspended(&[Side::Recipient]),
    Fate::EndsSoon,
    // Openings.
    Fate::Active,
    Fate::Succeeded,
    Fate::Agreed,
    Fate::Suspended(&[Side::Provider, Side::Recipient]),
    Fate::Active,
    Fate::Withdrawn,
    Fate::Active,
    Fate::Waits,
    // Figures: their terms have neither a wider version nor a narrower one.
    Fate::Active,
    Fate::Ended,
    Fate::Active,
    Fate::Waits,
    // Entries of co-ops that are not public.
    Fate::Active,
    Fate::Countered,
    Fate::Closed,
    Fate::Agreed,
];

/// Who gets the most: those with programs.
const RECIPIENTS: [&str; 8] =
    ["la-espiga", "upper-valley", "vieux-port", "galway-growers", "obrien-dairy", "zaytun", "gruener-strom", "officina-mutua"];

/// Makes every agreement, and brings each as far as it is to come.
pub(super) fn make_all(store: &Arc<Store>, cast: &Cast) -> Result<(), DemoError> {
    let table = Table::new(store, cast)?;
    let deals = deals(cast);
    let mut ids = Vec::with_capacity(deals.len());
    for (nth, deal) in deals.iter().enumerate() {
        ids.push(table.propose(nth, deal)?);
    }
    // What happens to an agreement in force has to wait until its share is built.
    store.build_due()?;
    for (deal, id) in deals.iter().zip(&ids) {
        table.carry_on(deal, id)?;
    }
    store.build_due()?;
    Ok(())
}

/// Every agreement of this cast.
fn deals(cast: &Cast) -> Vec<Deal<'_>> {
    let mut deals: Vec<Deal<'_>> = Vec::new();
    for (at, member) in cast.members.iter().enumerate() {
        for list in &member.lists {
            deals.extend(open_to_many(at, list).map(|(to, about)| Deal {
                draft: Draft { provider: member, list, to, about, days: (-60, 300) },
                proposed_by: Side::Provider,
                fate: Fate::Active,
            }));
        }
    }
    for (at, ((provider, list), fate)) in shared_lists(cast).into_iter().zip(FATES).enumerate() {
        let mut around =
            RECIPIENTS.iter().cycle().skip(at).filter_map(|slug| cast.members.iter().find(|member| member.slug == *slug));
        let Some(recipient) = around.find(|recipient| recipient.slug != provider.slug) else { continue };
        let about = subject(list.kind, at);
        let proposed_by = if at % 2 == 0 { Side::Provider } else { Side::Recipient };
        let draft = |about| Draft { provider, list, to: To::Member(recipient), about, days: days(fate) };
        deals.push(Deal { draft: draft(about), proposed_by, fate });
        if provider.slug == "consumo-sur" {
            // The same list to the same recipient, twice: halting one does not close what the other opens.
            deals.push(Deal { draft: draft(Subject::Governance), proposed_by: Side::Provider, fate });
        }
    }
    deals
}

/// What a co-op shows to everybody: itself, three times of four, and its openings to the other co-ops or to all.
fn open_to_many(at: usize, list: &List) -> Option<(To<'static>, Subject)> {
    match list.kind {
        Kind::Directory if at % 4 != 3 => Some((To::Public, Subject::Profile)),
        Kind::Opportunities if at % 8 == 5 => Some((To::Members, Subject::Openings)),
        Kind::Opportunities if at % 24 == 1 => Some((To::Public, Subject::Openings)),
        Kind::Directory | Kind::Members | Kind::Opportunities | Kind::Figures => None,
    }
}

/// The lists that single co-ops get: of each kind in turn, entries that are not public last.
fn shared_lists(cast: &Cast) -> Vec<(&Member, &List)> {
    let of = |kind: Kind| {
        let all =
            cast.members.iter().enumerate().flat_map(|(at, member)| member.lists.iter().map(move |list| (at, member, list)));
        all.filter(move |(at, _, list)| list.kind == kind && (kind != Kind::Directory || at % 4 == 3))
            .map(|(_, member, list)| (member, list))
    };
    [Kind::Members, Kind::Opportunities, Kind::Figures, Kind::Directory].into_iter().flat_map(of).collect()
}

fn subject(kind: Kind, at: usize) -> Subject {
    match (kind, at % 3) {
        (Kind::Members, 0) => Subject::MutualAid,
        (Kind::Members, 1) => Subject::Statistics,
        (Kind::Members, _) => Subject::Governance,
        (Kind::Opportunities, _) => Subject::JobMatching,
        (Kind::Figures, _) => Subject::Figures,
        (Kind::Directory, _) => Subject::Contact,
    }
}

/// The first day and the last, counted from today.
fn days(fate: Fate) -> (i64, i64) {
    match fate {
        Fate::Agreed => (30, 395),
        Fate::EndsSoon => (-300, 6),
        Fate::Waits
        | Fate::Countered
        | Fate::Active
        | Fate::Suspended(_)
        | Fate::Succeeded
        | Fate::Narrowed
        | Fate::Ended
        | Fate::Closed
        | Fate::Declined
        | Fate::Withdrawn => (-30, 365),
    }
}
