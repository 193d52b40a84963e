//! Who has to say yes before an organization has.

use hayward_domain::id::AgreementId;
use hayward_domain::scope::Role;
use hayward_store::{Caller, Decision, Outcome, StoreError};
use hayward_tests::commons::{Commons, To};
use hayward_tests::on_both;
use serde_json::json;

use crate::agreements::parties;

fn approve(commons: &Commons, by: &Caller, agreement: &AgreementId) -> Outcome {
    commons.decide(by, agreement, 1, Decision::Approve).unwrap()
}

on_both! {
    fn who_proposed_is_not_enough_where_another_steward_exists(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let another = commons.another_steward(&a);
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &json!({}))).unwrap();
        assert_eq!(approve(&commons, &b.steward, &agreement), Outcome::Unchanged);
        assert_eq!(approve(&commons, &a.steward, &agreement), Outcome::Unchanged);
        assert_eq!(approve(&commons, &another, &agreement), Outcome::Agreed);
    }
}

on_both! {
    fn an_organization_that_wants_two_waits_for_two(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.store.set_approval_rule(b.number, "2").unwrap();
        let another = commons.another_steward(&b);
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &json!({}))).unwrap();
        approve(&commons, &a.steward, &agreement);
        assert_eq!(approve(&commons, &b.steward, &agreement), Outcome::Unchanged);
        assert_eq!(approve(&commons, &b.steward, &agreement), Outcome::Unchanged);
        assert_eq!(approve(&commons, &another, &agreement), Outcome::Agreed);
    }
}

on_both! {
    fn an_organization_that_wants_all_waits_for_all(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.store.set_approval_rule(b.number, "all").unwrap();
        let others = [commons.another_steward(&b), commons.another_steward(&b)];
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &json!({}))).unwrap();
        approve(&commons, &a.steward, &agreement);
        assert_eq!(approve(&commons, &b.steward, &agreement), Outcome::Unchanged);
        assert_eq!(approve(&commons, &others[0], &agreement), Outcome::Unchanged);
        assert_eq!(approve(&commons, &others[1], &agreement), Outcome::Agreed);
        assert!(commons.store.set_approval_rule(b.number, "three").is_err());
    }
}

on_both! {
    fn who_belongs_to_both_organizations_approves_for_neither(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let (both, _) = commons.person("both", &[(a.number, Role::Steward), (b.number, Role::Viewer)]);
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &json!({}))).unwrap();
        let refused = commons.decide(&both, &agreement, 1, Decision::Approve);
        assert!(matches!(refused, Err(StoreError::Refused { code: "conflict-of-interest", .. })));
        // Nor does anybody have to wait for them.
        commons.store.set_approval_rule(a.number, "all").unwrap();
        approve(&commons, &a.steward, &agreement);
        assert_eq!(approve(&commons, &b.steward, &agreement), Outcome::Agreed);
    }
}

on_both! {
    fn the_approval_of_who_is_no_steward_does_not_count(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let (editor, _) = commons.person("editor", &[(b.number, Role::Editor)]);
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &json!({}))).unwrap();
        approve(&commons, &a.steward, &agreement);
        assert_eq!(approve(&commons, &editor, &agreement), Outcome::Unchanged);
        let program = Caller { person: None, ..b.steward.clone() };
        let refused = commons.decide(&program, &agreement, 1, Decision::Approve);
        assert!(matches!(refused, Err(StoreError::Refused { code: "people-only", .. })));
        assert_eq!(commons.state(&a, &agreement, 1), "offered");
    }
}

on_both! {
    fn nobody_waits_for_a_steward_who_is_shut_out(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.store.set_approval_rule(b.number, "all").unwrap();
        let away = commons.another_steward(&b);
        let email = format!("another@{}.example", away.person.unwrap());
        commons.store.disable(&email, true).unwrap();
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &json!({}))).unwrap();
        approve(&commons, &a.steward, &agreement);
        assert_eq!(approve(&commons, &b.steward, &agreement), Outcome::Agreed);
    }
}
