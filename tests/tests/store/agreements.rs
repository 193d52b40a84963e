//! The life of an agreement, and what of it opens data: only `active`.

use hayward_domain::id::AgreementId;
use hayward_store::{Decision, Outcome, ProposalError, StoreError};
use hayward_tests::commons::{Commons, List, Member, To};
use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::raw;

const TWO: &str = "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n";

/// A provider, a recipient, and a list of two records.
pub fn parties(commons: &Commons) -> (Member, Member, List) {
    let (a, b) = (commons.organization("a"), commons.organization("b"));
    let list = commons.dataset(&a, "organization");
    commons.import_csv(&list, TWO);
    (a, b, list)
}

pub fn shown(commons: &Commons, to: &Member) -> usize {
    commons.list(&to.viewer, "organizations").len()
}

fn version(commons: &Commons, by: &Member, agreement: &AgreementId, from: i64, terms: &Value) -> (i64, bool) {
    commons.store.propose_version(&by.steward, agreement, from, terms).unwrap()
}

pub fn code<T>(result: Result<T, StoreError>) -> &'static str {
    match result {
        Err(StoreError::Refused { code, .. }) => code,
        Err(StoreError::NotFound) => "not found",
        Err(_) => "another error",
        Ok(_) => "no error",
    }
}

on_both! {
    fn an_offer_opens_data_once_both_sides_approved(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &json!({}))).unwrap();
        assert_eq!(commons.state(&b, &agreement, 1), "offered");
        assert_eq!(commons.decide(&a.steward, &agreement, 1, Decision::Approve).unwrap(), Outcome::Unchanged);
        commons.store.build_due().unwrap();
        assert_eq!((commons.state(&b, &agreement, 1).as_str(), shown(&commons, &b)), ("offered", 0));
        assert_eq!(commons.decide(&b.steward, &agreement, 1, Decision::Approve).unwrap(), Outcome::Agreed);
        assert_eq!((commons.state(&b, &agreement, 1).as_str(), shown(&commons, &b)), ("agreed", 0));
        assert_eq!(commons.store.build_due().unwrap(), 1);
        assert_eq!((commons.state(&b, &agreement, 1).as_str(), shown(&commons, &b)), ("active", 2));
        assert_eq!(commons.store.build_due().unwrap(), 0);
    }
}

on_both! {
    fn a_request_is_countered_and_the_counter_agreed(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let wide = commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact", "city": "exact"}}));
        let agreement = commons.propose(&b.steward, &wide).unwrap();
        assert_eq!(commons.state(&a, &agreement, 1), "requested");
        let narrow = commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact"}}));
        assert_eq!(version(&commons, &a, &agreement, 1, &narrow), (2, false));
        assert_eq!(commons.state(&a, &agreement, 1), "superseded");
        assert_eq!(commons.state(&a, &agreement, 2), "offered");
        assert_eq!(code(commons.decide(&a.steward, &agreement, 1, Decision::Approve)), "not-now");
        commons.approve(&a, To::One(&b), &agreement, 2);
        assert_eq!(shown(&commons, &b), 2);
        let stale = commons.store.propose_version(&b.steward, &agreement, 1, &wide);
        assert!(matches!(stale, Err(ProposalError::Store(StoreError::Stale(_)))));
    }
}

on_both! {
    fn a_counter_voids_the_approvals_given_before_it(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let terms = commons.terms(&list, To::One(&b), &json!({}));
        let agreement = commons.propose(&b.steward, &terms).unwrap();
        commons.decide(&b.steward, &agreement, 1, Decision::Approve).unwrap();
        let other = commons.terms(&list, To::One(&b), &json!({"lawful_basis": "another note"}));
        version(&commons, &b, &agreement, 1, &other);
        assert_eq!(commons.decide(&a.steward, &agreement, 2, Decision::Approve).unwrap(), Outcome::Unchanged);
        assert_eq!(commons.state(&a, &agreement, 2), "requested");
        assert_eq!(commons.decide(&b.steward, &agreement, 2, Decision::Approve).unwrap(), Outcome::Agreed);
    }
}

on_both! {
    fn a_proposal_is_declined_by_the_other_side_and_withdrawn_by_its_own(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let terms = commons.terms(&list, To::One(&b), &json!({}));
        let offers: Vec<AgreementId> = (0..2).map(|_| commons.propose(&a.steward, &terms).unwrap()).collect();
        assert_eq!(code(commons.decide(&a.steward, &offers[0], 1, Decision::Decline)), "not-yours");
        assert_eq!(code(commons.decide(&b.steward, &offers[1], 1, Decision::Withdraw)), "not-yours");
        commons.decide(&b.steward, &offers[0], 1, Decision::Decline).unwrap();
        commons.decide(&a.steward, &offers[1], 1, Decision::Withdraw).unwrap();
        for offer in &offers {
            assert_eq!(commons.state(&b, offer, 1), "terminated");
            let again = commons.store.propose_version(&a.steward, offer, 1, &terms);
            assert!(matches!(again, Err(ProposalError::Store(StoreError::Refused { code: "agreement-over", .. }))));
        }
    }
}

on_both! {
    fn who_is_no_party_finds_no_agreement(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let c = commons.organization("c");
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        for decision in Decision::ALL {
            assert_eq!(code(commons.decide(&c.steward, &agreement, 1, decision)), "not found");
        }
        assert_eq!(code(commons.store.agreement(&c.steward, &agreement, None)), "not found");
        assert_eq!(code(commons.store.preview(&b.steward, &agreement, 1, 10)), "not found");
        assert!(commons.store.agreements(&c.steward, None, 10).unwrap().items.is_empty());
        let terms = commons.terms(&list, To::One(&b), &json!({}));
        assert!(commons.store.propose_version(&c.steward, &agreement, 1, &terms).is_err());
        assert!(commons.propose(&c.steward, &terms).is_err());
        assert_eq!(shown(&commons, &c), 0);
    }
}

on_both! {
    fn either_side_suspends_and_only_that_side_resumes(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        let before = commons.list(&b.viewer, "organizations");
        assert_eq!(commons.decide(&b.steward, &agreement, 1, Decision::Suspend).unwrap(), Outcome::Closed);
        assert_eq!(shown(&commons, &b), 0);
        assert_eq!(code(commons.decide(&a.steward, &agreement, 1, Decision::Resume)), "suspended-by-other");
        commons.decide(&a.steward, &agreement, 1, Decision::Suspend).unwrap();
        assert_eq!(code(commons.decide(&a.steward, &agreement, 1, Decision::Suspend)), "already-suspended");
        assert_eq!(commons.decide(&b.steward, &agreement, 1, Decision::Resume).unwrap(), Outcome::Unchanged);
        assert_eq!((commons.state(&b, &agreement, 1).as_str(), shown(&commons, &b)), ("suspended", 0));
        assert_eq!(commons.decide(&a.steward, &agreement, 1, Decision::Resume).unwrap(), Outcome::Opened);
        assert_eq!(commons.list(&b.viewer, "organizations"), before);
    }
}

on_both! {
    fn what_changed_during_a_suspension_is_there_after_it(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        commons.decide(&a.steward, &agreement, 1, Decision::Suspend).unwrap();
        commons.import_csv(&list, "identifier,name\n2,Beech\n3,Cedar\n");
        assert_eq!(shown(&commons, &b), 0);
        commons.decide(&a.steward, &agreement, 1, Decision::Resume).unwrap();
        let mut names: Vec<String> =
            commons.list(&b.viewer, "organizations").iter().map(|item| item["name"].to_string()).collect();
        names.sort();
        assert_eq!(names, ["\"Alder\"", "\"Beech\"", "\"Cedar\""]);
    }
}

on_both! {
    fn an_agreement_that_ended_is_certified_and_loses_its_secret(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"record_id": "pseudonym"}));
        assert_eq!(code(commons.decide(&b.steward, &agreement, 1, Decision::Certify)), "not-now");
        assert_eq!(commons.decide(&a.steward, &agreement, 1, Decision::End).unwrap(), Outcome::Closed);
        assert_eq!((commons.state(&a, &agreement, 1).as_str(), shown(&commons, &b)), ("ended", 0));
        assert_eq!(code(commons.decide(&a.steward, &agreement, 1, Decision::Resume)), "not-now");
        assert_eq!(code(commons.decide(&a.steward, &agreement, 1, Decision::Certify)), "not-yours");
        let secret = format!("select secret as value from agreements where id = '{agreement}'");
        assert_ne!(raw::ask(commons.database(), &secret), ["-"]);
        commons.decide(&b.steward, &agreement, 1, Decision::Certify).unwrap();
        assert_eq!(commons.state(&a, &agreement, 1), "closed");
        assert_eq!(raw::ask(commons.database(), &secret), ["-"]);
        assert_eq!(code(commons.store.preview(&a.steward, &agreement, 1, 10)), "secret-destroyed");
        // The others go on.
        commons.import_csv(&list, "identifier,name\n3,Cedar\n");
    }
}

on_both! {
    fn a_wider_successor_takes_over_in_one_commit(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let wider = commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact", "city": "exact"}}));
        assert_eq!(version(&commons, &a, &agreement, 1, &wider), (2, false));
        assert!(commons.list(&b.viewer, "organizations").iter().all(|item| item.get("city").is_none()));
        let commit = commons.store.newest_commit().unwrap();
        commons.approve(&a, To::One(&b), &agreement, 2);
        assert_eq!(commons.state(&a, &agreement, 1), "superseded");
        assert_eq!(commons.state(&a, &agreement, 2), "active");
        assert!(commons.list(&b.viewer, "organizations").iter().all(|item| item["city"].is_string()));
        // Two approvals and the taking over.
        assert_eq!(commons.store.newest_commit().unwrap(), commit + 3);
    }
}

on_both! {
    fn a_successor_is_no_way_around_a_suspension(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let wider = commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact", "city": "exact"}}));
        version(&commons, &a, &agreement, 1, &wider);
        commons.decide(&a.steward, &agreement, 2, Decision::Approve).unwrap();
        commons.decide(&b.steward, &agreement, 2, Decision::Approve).unwrap();
        commons.decide(&b.steward, &agreement, 1, Decision::Suspend).unwrap();
        commons.store.build_due().unwrap();
        assert_eq!((commons.state(&a, &agreement, 2).as_str(), shown(&commons, &b)), ("suspended", 0));
        commons.decide(&b.steward, &agreement, 2, Decision::Resume).unwrap();
        assert!(commons.list(&b.viewer, "organizations").iter().all(|item| item["city"].is_string()));
        assert_eq!(shown(&commons, &b), 2);
    }
}

on_both! {
    fn an_agreement_for_all_members_needs_the_provider_alone(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let members = commons.agree(&a, To::Members, &list, &json!({}));
        assert_eq!((commons.state(&a, &members, 1).as_str(), shown(&commons, &b)), ("active", 2));
        assert_eq!(code(commons.decide(&b.steward, &members, 1, Decision::End)), "not found");
        let nobody = hayward_store::Viewer::Nobody;
        assert!(commons.list(&nobody, "organizations").is_empty());
        commons.agree(&a, To::Public, &list, &json!({}));
        assert_eq!((commons.list(&nobody, "organizations").len(), shown(&commons, &b)), (2, 4));
    }
}

on_both! {
    fn terms_with_faults_make_no_agreement(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let terms = commons.terms(&list, To::One(&b), &json!({"fields": {"nmae": "exact"}, "ends_on": "2026-11-30"}));
        let Err(ProposalError::Faults(faults)) = commons.propose(&a.steward, &terms) else { unreachable!("they have faults") };
        assert!(faults.iter().any(|fault| fault.pointer == "/fields/nmae"));
        let nowhere = json!({"dataset": "ds_aaaaaaaaaaaaaaaaaaaaaaaa"});
        assert!(matches!(commons.propose(&a.steward, &nowhere), Err(ProposalError::Faults(_))));
        assert_eq!(raw::count(commons.database(), "agreements"), 0);
    }
}

on_both! {
    fn every_transition_has_its_event(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        commons.decide(&b.steward, &agreement, 1, Decision::Suspend).unwrap();
        commons.decide(&b.steward, &agreement, 1, Decision::Resume).unwrap();
        commons.decide(&a.steward, &agreement, 1, Decision::End).unwrap();
        let events = raw::ask(commons.database(), "select event || ' ' || state as value from agreement_events order by number");
        assert_eq!(
            events,
            [
                "propose offered",
                "approve offered",
                "approve agreed",
                "activate active",
                "suspend suspended",
                "resume active",
                "end ended",
            ]
        );
    }
}

on_both! {
    fn certifying_an_old_version_leaves_the_new_one_its_secret(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"record_id": "pseudonym"}));
        commons.decide(&a.steward, &agreement, 1, Decision::End).unwrap();
        // Over, so a successor begins as a new agreement; the old one is certified while the new one stands.
        let second = commons.agree(&a, To::One(&b), &list, &json!({"record_id": "pseudonym"}));
        commons.decide(&b.steward, &agreement, 1, Decision::Certify).unwrap();
        assert_eq!((commons.state(&a, &second, 1).as_str(), shown(&commons, &b)), ("active", 2));
        commons.import_csv(&list, "identifier,name\n3,Cedar\n");
        assert_eq!(shown(&commons, &b), 3);
    }
}

on_both! {
    fn an_expired_version_is_certified_without_harm_to_its_successor(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let first = json!({"record_id": "pseudonym", "starts_on": "2026-11-01", "ends_on": "2026-12-04"});
        let agreement = commons.agree(&a, To::One(&b), &list, &first);
        let next = json!({"record_id": "pseudonym", "starts_on": "2026-12-05", "ends_on": "2026-12-25"});
        let (second, _) = version(&commons, &a, &agreement, 1, &commons.terms(&list, To::One(&b), &next));
        commons.approve(&a, To::One(&b), &agreement, second);
        commons.pass_days(5);
        commons.store.expire_due().unwrap();
        commons.store.build_due().unwrap();
        commons.decide(&b.steward, &agreement, 1, Decision::Certify).unwrap();
        assert_eq!((commons.state(&a, &agreement, second).as_str(), shown(&commons, &b)), ("active", 2));
        commons.import_csv(&list, "identifier,name\n3,Cedar\n");
        assert_eq!(shown(&commons, &b), 3);
    }
}

on_both! {
    fn ending_ends_what_was_to_come_after_it(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let wider = commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact", "city": "exact"}}));
        let (second, _) = version(&commons, &a, &agreement, 1, &wider);
        commons.decide(&a.steward, &agreement, second, Decision::Approve).unwrap();
        commons.decide(&a.steward, &agreement, 1, Decision::End).unwrap();
        assert_eq!(commons.state(&a, &agreement, second), "terminated");
        assert_eq!(code(commons.decide(&b.steward, &agreement, second, Decision::Approve)), "not-now");
        commons.store.build_due().unwrap();
        assert_eq!(shown(&commons, &b), 0);
    }
}

on_both! {
    fn a_halt_outlives_the_version_that_was_halted(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let first = json!({"starts_on": "2026-11-01", "ends_on": "2026-12-04"});
        let agreement = commons.agree(&a, To::One(&b), &list, &first);
        let next = json!({"starts_on": "2026-12-05", "ends_on": "2026-12-25"});
        let (second, _) = version(&commons, &b, &agreement, 1, &commons.terms(&list, To::One(&b), &next));
        commons.approve(&a, To::One(&b), &agreement, second);
        commons.decide(&a.steward, &agreement, 1, Decision::Suspend).unwrap();
        commons.pass_days(5);
        commons.store.expire_due().unwrap();
        commons.store.build_due().unwrap();
        assert_eq!((commons.state(&a, &agreement, second).as_str(), shown(&commons, &b)), ("suspended", 0));
        commons.decide(&a.steward, &agreement, second, Decision::Resume).unwrap();
        assert_eq!(shown(&commons, &b), 2);
    }
}
