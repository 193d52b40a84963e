//! When one organization has approved.

use std::collections::BTreeSet;

use crate::id::PersonId;

/// How many stewards of an organization have to approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApprovalRule {
    /// Any one.
    One,
    /// Two. An organization with a single steward can never meet it, and has to name a second one first.
    Two,
    /// Every one.
    All,
}

impl ApprovalRule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::All];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
            Self::All => "all",
        }
    }

    /// The rule that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// Whether `rule` is met for one organization by those who approved.
///
/// Only its current stewards count: `stewards` leaves out those who have a part in the other organization too. `proposer` is
/// who wrote the version; on its own side it is not enough alone, unless it is the only steward there is.
#[must_use]
pub fn met(
    rule: ApprovalRule,
    approvers: &BTreeSet<PersonId>,
    stewards: &BTreeSet<PersonId>,
    proposer: Option<&PersonId>,
) -> bool {
    let counted: BTreeSet<&PersonId> = approvers.intersection(stewards).collect();
    let proposer_alone = counted.len() == 1 && counted.first().copied() == proposer && stewards.len() > 1;
    let enough = match rule {
        ApprovalRule::One => !counted.is_empty(),
        ApprovalRule::Two => counted.len() >= 2,
        ApprovalRule::All => !stewards.is_empty() && counted.len() == stewards.len(),
    };
    enough && !proposer_alone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(numbers: &[u8]) -> BTreeSet<PersonId> {
        numbers.iter().map(|number| person(*number)).collect()
    }

    fn person(number: u8) -> PersonId {
        PersonId::from_random([number; 15])
    }

    #[test]
    fn who_proposed_cannot_be_the_only_approver_when_another_steward_exists() {
        assert!(!met(ApprovalRule::One, &people(&[1]), &people(&[1, 2]), Some(&person(1))));
        assert!(met(ApprovalRule::One, &people(&[2]), &people(&[1, 2]), Some(&person(1))));
        assert!(met(ApprovalRule::One, &people(&[1]), &people(&[1]), Some(&person(1))));
        assert!(met(ApprovalRule::One, &people(&[2]), &people(&[2, 3]), Some(&person(1))));
    }

    #[test]
    fn an_approval_of_someone_who_is_no_steward_any_more_does_not_count() {
        assert!(!met(ApprovalRule::One, &people(&[9]), &people(&[1, 2]), None));
        assert!(!met(ApprovalRule::Two, &people(&[1, 9]), &people(&[1, 2]), None));
    }

    #[test]
    fn two_are_two_different_people_and_all_are_all_there_are_now() {
        assert!(met(ApprovalRule::Two, &people(&[1, 2]), &people(&[1, 2, 3]), Some(&person(1))));
        assert!(!met(ApprovalRule::Two, &people(&[1]), &people(&[1]), None));
        assert!(!met(ApprovalRule::All, &people(&[1, 2]), &people(&[1, 2, 3]), None));
        assert!(met(ApprovalRule::All, &people(&[1, 2, 9]), &people(&[1, 2]), Some(&person(2))));
    }

    #[test]
    fn an_organization_without_stewards_approves_nothing() {
        for rule in ApprovalRule::ALL {
            assert!(!met(rule, &people(&[1]), &people(&[]), None));
            assert_eq!(ApprovalRule::parse(rule.as_str()), Some(rule));
        }
    }
}
