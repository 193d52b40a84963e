//! When one organization has approved.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::PersonId;
use crate::schema::Sensitivity;

/// How many stewards of an organization have to approve.
///
/// They are not in a row: two are not all of three, and all of one are not two. So rules add up, and none stands in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// Whether whoever meets this rule meets `other` too, however many stewards there are, now or later.
    #[must_use]
    pub fn at_least(self, other: Self) -> bool {
        self == other || other == Self::One
    }

    /// The rule that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// The rules of one organization: one for each sensitivity that a version can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Where something public is shown.
    pub public: ApprovalRule,
    /// Where something internal is shown.
    pub internal: ApprovalRule,
    /// Where something personal is shown.
    pub personal: ApprovalRule,
    /// Where something special is shown.
    pub special: ApprovalRule,
}

impl Rules {
    /// The sensitivities that have a rule: what is never shared needs none.
    pub const SENSITIVITIES: [Sensitivity; 4] =
        [Sensitivity::Public, Sensitivity::Internal, Sensitivity::Personal, Sensitivity::Special];

    /// The same rule for everything.
    #[must_use]
    pub fn all(rule: ApprovalRule) -> Self {
        Self { public: rule, internal: rule, personal: rule, special: rule }
    }

    /// The rule for one sensitivity; for what is never shared, the one for what harms most.
    #[must_use]
    pub fn of(&self, sensitivity: Sensitivity) -> ApprovalRule {
        match sensitivity {
            Sensitivity::Public => self.public,
            Sensitivity::Internal => self.internal,
            Sensitivity::Personal => self.personal,
            Sensitivity::Special | Sensitivity::Never => self.special,
        }
    }

    /// The rules by the names of the sensitivities.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<&'static str, &'static str> {
        Self::SENSITIVITIES.into_iter().map(|sensitivity| (sensitivity.as_str(), self.of(sensitivity).as_str())).collect()
    }

    /// These rules with another one for `sensitivity`; nothing where there is no rule for it.
    #[must_use]
    pub fn with(self, sensitivity: Sensitivity, rule: ApprovalRule) -> Option<Self> {
        match sensitivity {
            Sensitivity::Public => Some(Self { public: rule, ..self }),
            Sensitivity::Internal => Some(Self { internal: rule, ..self }),
            Sensitivity::Personal => Some(Self { personal: rule, ..self }),
            Sensitivity::Special => Some(Self { special: rule, ..self }),
            Sensitivity::Never => None,
        }
    }

    /// The rules that a version has to meet, every one of them: those for all that it discloses.
    #[must_use]
    pub fn asked(&self, disclosed: impl IntoIterator<Item = Sensitivity>) -> BTreeSet<ApprovalRule> {
        disclosed.into_iter().map(|sensitivity| self.of(sensitivity)).collect()
    }

    /// Whether nobody could approve under these rules who could not under `before`.
    #[must_use]
    pub fn only_tighten(&self, before: &Self) -> bool {
        Self::SENSITIVITIES.into_iter().all(|sensitivity| self.of(sensitivity).at_least(before.of(sensitivity)))
    }
}

/// Whether every one of `rules` is met for one organization by those who approved. No rule at all is met by nobody.
///
/// Only its current stewards count: `stewards` leaves out those who have a part in the other organization too, and those who
/// declared a conflict. `proposer` is who wrote the version; on its own side it is not enough alone, unless it is the only steward
/// there is.
#[must_use]
pub fn met(
    rules: &BTreeSet<ApprovalRule>,
    approvers: &BTreeSet<PersonId>,
    stewards: &BTreeSet<PersonId>,
    proposer: Option<&PersonId>,
) -> bool {
    let counted: BTreeSet<&PersonId> = approvers.intersection(stewards).collect();
    let proposer_alone = counted.len() == 1 && counted.first().copied() == proposer && stewards.len() > 1;
    let enough = |rule: &ApprovalRule| match rule {
        ApprovalRule::One => !counted.is_empty(),
        ApprovalRule::Two => counted.len() >= 2,
        ApprovalRule::All => !stewards.is_empty() && counted.len() == stewards.len(),
    };
    !rules.is_empty() && rules.iter().all(enough) && !proposer_alone
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

    fn only(rule: ApprovalRule) -> BTreeSet<ApprovalRule> {
        BTreeSet::from([rule])
    }

    #[test]
    fn who_proposed_cannot_be_the_only_approver_when_another_steward_exists() {
        assert!(!met(&only(ApprovalRule::One), &people(&[1]), &people(&[1, 2]), Some(&person(1))));
        assert!(met(&only(ApprovalRule::One), &people(&[2]), &people(&[1, 2]), Some(&person(1))));
        assert!(met(&only(ApprovalRule::One), &people(&[1]), &people(&[1]), Some(&person(1))));
        assert!(met(&only(ApprovalRule::One), &people(&[2]), &people(&[2, 3]), Some(&person(1))));
    }

    #[test]
    fn an_approval_of_someone_who_is_no_steward_any_more_does_not_count() {
        assert!(!met(&only(ApprovalRule::One), &people(&[9]), &people(&[1, 2]), None));
        assert!(!met(&only(ApprovalRule::Two), &people(&[1, 9]), &people(&[1, 2]), None));
    }

    #[test]
    fn two_are_two_different_people_and_all_are_all_there_are_now() {
        assert!(met(&only(ApprovalRule::Two), &people(&[1, 2]), &people(&[1, 2, 3]), Some(&person(1))));
        assert!(!met(&only(ApprovalRule::Two), &people(&[1]), &people(&[1]), None));
        assert!(!met(&only(ApprovalRule::All), &people(&[1, 2]), &people(&[1, 2, 3]), None));
        assert!(met(&only(ApprovalRule::All), &people(&[1, 2, 9]), &people(&[1, 2]), Some(&person(2))));
    }

    #[test]
    fn an_organization_without_stewards_approves_nothing() {
        for rule in ApprovalRule::ALL {
            assert!(!met(&only(rule), &people(&[1]), &people(&[]), None));
            assert_eq!(ApprovalRule::parse(rule.as_str()), Some(rule));
        }
    }

    #[test]
    fn all_rules_have_to_be_met_and_no_rule_is_met_by_nobody() {
        let both = BTreeSet::from([ApprovalRule::Two, ApprovalRule::All]);
        assert!(!met(&both, &people(&[1]), &people(&[1]), None), "all of one are not two");
        assert!(!met(&both, &people(&[1, 2]), &people(&[1, 2, 3]), None), "two are not all of three");
        assert!(met(&both, &people(&[1, 2]), &people(&[1, 2]), None));
        assert!(!met(&BTreeSet::new(), &people(&[1, 2]), &people(&[1, 2]), None));
    }

    #[test]
    fn a_rule_is_tightened_only_where_it_is_stricter_for_any_number_of_stewards() {
        for (rule, other) in ApprovalRule::ALL.into_iter().flat_map(|one| ApprovalRule::ALL.map(|other| (one, other))) {
            // By trying: every set of approvers of up to four stewards.
            let implied = (0..=4_u8).all(|stewards| {
                (0..1_u8 << stewards).all(|some| {
                    let all: Vec<u8> = (1..=stewards).collect();
                    let some: Vec<u8> = all.iter().copied().filter(|one| some >> (one - 1) & 1 == 1).collect();
                    !met(&only(rule), &people(&some), &people(&all), None)
                        || met(&only(other), &people(&some), &people(&all), None)
                })
            });
            assert_eq!(rule.at_least(other), implied, "{rule:?} and {other:?}");
        }
        let (one, two) = (Rules::all(ApprovalRule::One), Rules::all(ApprovalRule::Two));
        let special = Rules { special: ApprovalRule::All, ..one };
        assert!(two.only_tighten(&one) && special.only_tighten(&one) && one.only_tighten(&one));
        assert!(!one.only_tighten(&two) && !special.only_tighten(&two) && !one.only_tighten(&special));
        let asked = special.asked([Sensitivity::Public, Sensitivity::Special]);
        assert_eq!(asked, BTreeSet::from([ApprovalRule::One, ApprovalRule::All]));
    }
}
