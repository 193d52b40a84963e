//! Rules by what is shown, the decision that special data needs, conflicts of interest, and what each side is told of all that.

use std::time::Duration;

use hayward_domain::agreement::{ApprovalRule, Rules};
use hayward_domain::id::AgreementId;
use hayward_domain::scope::Role;
use hayward_store::{Caller, Decision, Outcome, Settings, certified};
use hayward_tests::commons::{Commons, List, Member, To};
use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::agreements::code;

/// Two co-ops, and a list of people.
fn people(commons: &Commons) -> (Member, Member, List) {
    let (a, b) = (commons.organization("a"), commons.organization("b"));
    let list = commons.dataset(&a, "membership");
    commons.import_csv(&list, "member_id,given_name,status,notes\n1,Ada,active,quiet\n2,Bo,left,loud\n");
    (a, b, list)
}

fn offered(commons: &Commons, a: &Member, b: &Member, list: &List, fields: Value) -> AgreementId {
    commons.propose(&a.steward, &commons.terms(list, To::One(b), &json!({"fields": fields}))).unwrap()
}

fn told(commons: &Commons, by: &Caller, agreement: &AgreementId) -> Value {
    commons.store.agreement(by, agreement, None).unwrap()
}

fn version(agreement: &Value, number: usize) -> &Value {
    &agreement["versions"][number - 1]
}

on_both! {
    fn the_rules_for_all_that_is_shown_have_to_be_met(commons: Commons) {
        let (a, b, list) = people(&commons);
        let another = commons.another_steward(&b);
        let third = commons.another_steward(&b);
        let rules = Rules { personal: ApprovalRule::Two, special: ApprovalRule::All, ..Rules::all(ApprovalRule::One) };
        commons.store.set_approval_rules(b.number, &rules).unwrap();
        let jobs = commons.dataset(&a, "opportunity");
        for (list, over, needed) in [
            (&jobs, json!({"fields": {"title": "exact"}}), 1),
            // What nobody reads counts too, if the rows are chosen by it.
            (&jobs, json!({"fields": {"title": "exact"}, "rows": {"contact_email": {"null": false}}}), 2),
            (&jobs, json!({"fields": {"title": "exact", "contact_email": "masked"}}), 2),
            (&list, json!({"fields": {"given_name": "exact", "notes": "hidden"}}), 2),
            (&list, json!({"fields": {"given_name": "hidden", "notes": "exact"}}), 3),
        ] {
            let agreement = commons.propose(&a.steward, &commons.terms(list, To::One(&b), &over)).unwrap();
            assert_eq!(commons.decide(&a.steward, &agreement, 1, Decision::Approve).unwrap(), Outcome::Unchanged);
            for (nth, steward) in [&b.steward, &another, &third].into_iter().take(needed).enumerate() {
                let own = &version(&told(&commons, &b.steward, &agreement), 1)["approvals"]["recipient"].clone();
                assert_eq!((&own["met"], &own["have"]), (&json!(false), &json!(nth)), "{over}: {own}");
                let outcome = commons.decide(steward, &agreement, 1, Decision::Approve).unwrap();
                assert_eq!(outcome == Outcome::Agreed, nth + 1 == needed, "{over}");
            }
        }
    }
}

on_both! {
    fn each_side_reads_its_own_numbers_and_of_the_other_only_whether_it_is_enough(commons: Commons) {
        let (a, b, list) = people(&commons);
        commons.another_steward(&b);
        commons.store.set_approval_rules(b.number, &Rules { special: ApprovalRule::Two, ..Rules::all(ApprovalRule::All) }).unwrap();
        let agreement = offered(&commons, &a, &b, &list, json!({"given_name": "exact", "notes": "exact"}));
        commons.decide(&b.steward, &agreement, 1, Decision::Approve).unwrap();
        let (ours, theirs) = (told(&commons, &b.steward, &agreement), told(&commons, &a.steward, &agreement));
        let own = json!({"met": false, "have": 1, "need": "2 and all", "nobody": false});
        assert_eq!(version(&ours, 1)["approvals"], json!({"provider": {"met": false}, "recipient": own}));
        let own = json!({"met": false, "have": 0, "need": "1", "nobody": false});
        assert_eq!(version(&theirs, 1)["approvals"], json!({"provider": own, "recipient": {"met": false}}));
        assert_eq!(version(&theirs, 1)["decision_needed"], true);
        // That somebody approved is the business of their own side.
        let steps = |agreement: &Value| version(agreement, 1)["history"].as_array().unwrap().len();
        assert_eq!((steps(&ours), steps(&theirs)), (2, 1));
    }
}

on_both! {
    fn rules_are_tightened_by_a_steward_and_loosened_by_nobody_of_the_organization(commons: Commons) {
        let (_, b, _) = people(&commons);
        let store = &commons.store;
        let two = |rules: Rules| Rules { personal: ApprovalRule::Two, ..rules };
        assert_eq!(store.tighten_approval_rules(&b.steward, two).unwrap().personal, ApprovalRule::Two);
        for rule in [ApprovalRule::One, ApprovalRule::All] {
            let refused = store.tighten_approval_rules(&b.steward, |rules| Rules { personal: rule, ..rules });
            assert_eq!(code(refused), "would-loosen", "all of one are not two");
        }
        let (editor, _) = commons.person("editor", &[(b.number, Role::Editor)]);
        assert_eq!(code(store.tighten_approval_rules(&editor, two)), "people-only");
        let program = Caller { person: None, ..b.steward.clone() };
        assert_eq!(code(store.tighten_approval_rules(&program, two)), "people-only");
        assert_eq!(store.approval_rules(b.number).unwrap(), two(Rules::all(ApprovalRule::One)));
        store.set_approval_rule(b.number, "1").unwrap();
        assert_eq!(store.approval_rules(b.number).unwrap(), Rules::all(ApprovalRule::One));
    }
}

on_both! {
    fn special_data_is_opened_by_a_decision_and_a_refusal_has_a_reason(commons: Commons) {
        let (a, b, list) = people(&commons);
        let special = offered(&commons, &a, &b, &list, json!({"notes": "exact"}));
        let decide = |by: &Caller, decision, reason: Option<&str>| {
            commons.store.decide(by, &special, 1, decision, reason.map(str::to_owned))
        };
        for blank in [None, Some("  \n")] {
            assert_eq!(code(decide(&b.steward, Decision::Approve, blank)), "decision-missing");
            assert_eq!(code(decide(&b.steward, Decision::Decline, blank)), "reason-missing");
            assert_eq!(code(decide(&b.steward, Decision::Recuse, blank)), "reason-missing");
        }
        decide(&b.steward, Decision::Approve, Some("Board, 3 November: yes.")).unwrap();
        let history = |by: &Caller| version(&told(&commons, by, &special), 1)["history"].clone();
        assert_eq!(history(&b.steward)[1]["reason"], "Board, 3 November: yes.");
        assert_eq!(history(&b.steward)[1]["by"], "b");
        assert!(!history(&a.steward).to_string().contains("Board"), "what a board decided is its own");
        decide(&b.steward, Decision::Decline, Some("Notes are nobody's business.")).unwrap();
        let last = history(&a.steward)[1].clone();
        assert_eq!((&last["event"], &last["side"], &last["reason"]), (&json!("decline"), &json!("recipient"), &json!("Notes are nobody's business.")));
        assert_eq!(last.get("by"), None, "who it was is the business of their own side");
        let plain = offered(&commons, &a, &b, &list, json!({"given_name": "exact"}));
        commons.store.decide(&b.steward, &plain, 1, Decision::Approve, None).unwrap();
    }
}

on_both! {
    fn who_declares_a_conflict_counts_no_more_and_what_was_agreed_with_that_voice_is_asked_for_again(commons: Commons) {
        let (a, b, list) = people(&commons);
        let another = commons.another_steward(&b);
        commons.store.write_settings(&Settings { grace: Duration::from_secs(900), ..commons.store.read_settings().unwrap() }).unwrap();
        commons.store.set_approval_rule(b.number, "all").unwrap();
        let agreement = offered(&commons, &a, &b, &list, json!({"given_name": "exact"}));
        commons.decide(&a.steward, &agreement, 1, Decision::Approve).unwrap();
        commons.decide(&another, &agreement, 1, Decision::Approve).unwrap();
        assert_eq!(commons.decide(&b.steward, &agreement, 1, Decision::Approve).unwrap(), Outcome::Agreed);
        let from = version(&told(&commons, &a.steward, &agreement), 1)["active_from"].clone();
        assert_eq!(from, commons.now().plus(Duration::from_secs(900)).to_rfc3339());
        commons.pass(Duration::from_secs(600));
        // All of those who are left have approved: it stays agreed.
        commons.decide(&another, &agreement, 1, Decision::Recuse).unwrap();
        assert_eq!(commons.state(&a, &agreement, 1), "agreed");
        commons.decide(&b.steward, &agreement, 1, Decision::Recuse).unwrap();
        assert_eq!(commons.state(&a, &agreement, 1), "offered");
        for decision in [Decision::Approve, Decision::Recuse] {
            assert_eq!(code(commons.decide(&b.steward, &agreement, 1, decision)), "recused");
        }
        let shown = told(&commons, &b.steward, &agreement);
        assert_eq!(version(&shown, 1)["approvals"]["recipient"]["nobody"], true, "a second steward has to be named");
        assert_eq!(shown["recusals"]["people"].as_array().unwrap().len(), 2);
        let theirs = told(&commons, &a.steward, &agreement);
        assert_eq!(theirs["recusals"], json!({"provider": 0, "recipient": 2, "people": []}));
        // A counter-proposal is the same agreement.
        let terms = commons.terms(&list, To::One(&b), &json!({"fields": {"country": "exact"}}));
        commons.store.propose_version(&a.steward, &agreement, 1, &terms).unwrap();
        assert_eq!(code(commons.decide(&b.steward, &agreement, 2, Decision::Approve)), "recused");
        let fresh = commons.another_steward(&b);
        commons.decide(&a.steward, &agreement, 2, Decision::Approve).unwrap();
        assert_eq!(commons.decide(&fresh, &agreement, 2, Decision::Approve).unwrap(), Outcome::Agreed);
        // The grace period is a whole one.
        commons.pass(Duration::from_secs(899));
        assert_eq!(commons.store.build_due().unwrap(), 0);
        commons.pass(Duration::from_secs(1));
        assert_eq!(commons.store.build_due().unwrap(), 1);
        // Whoever declared a conflict may stop it, and lets nothing go on.
        commons.decide(&b.steward, &agreement, 2, Decision::Suspend).unwrap();
        assert_eq!(code(commons.decide(&b.steward, &agreement, 2, Decision::Resume)), "recused");
    }
}

on_both! {
    fn who_stops_an_agreement_is_told_what_goes_on_beside_it(commons: Commons) {
        let (a, b, list) = people(&commons);
        let c = commons.organization("c");
        let first = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"given_name": "exact"}}));
        let beside = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"country": "exact", "status": "hidden"}}));
        let members = commons.agree(&a, To::Members, &list, &json!({"fields": {"status": "exact"}}));
        let elsewhere = commons.agree(&a, To::One(&c), &list, &json!({"fields": {"given_name": "exact"}}));
        let waiting = offered(&commons, &a, &b, &list, json!({"email": "exact"}));
        let through = |by: &Caller, agreement: &AgreementId| commons.store.still_visible_through(by, agreement).unwrap();
        let expected = json!([
            {"agreement": beside, "version": 1, "audience": {"organization": b.id}, "fields": ["country"]},
            {"agreement": members, "version": 1, "audience": "members", "fields": ["status"]},
        ]);
        assert_eq!(json!(through(&a.steward, &first)), expected);
        assert_eq!(json!(through(&b.steward, &first)), expected);
        assert_eq!(code(commons.store.still_visible_through(&c.steward, &first)), "not found");
        let named = |told: Vec<Value>| told.iter().map(|one| one["agreement"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let all = [&first, &beside, &elsewhere].map(|id| id.to_string());
        assert_eq!(named(through(&a.steward, &members)), all, "any member co-op may be shown more by an agreement of its own");
        commons.decide(&a.steward, &beside, 1, Decision::Suspend).unwrap();
        assert_eq!(named(through(&a.steward, &first)), [members.to_string()]);
        assert!(!named(through(&a.steward, &first)).contains(&waiting.to_string()));
    }
}

on_both! {
    fn the_end_is_certified_with_a_signature_that_anybody_can_check(commons: Commons) {
        let (a, b, list) = people(&commons);
        let fields = json!({"member_id": "pseudonym"});
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": fields, "record_id": "pseudonym"}));
        commons.decide(&a.steward, &agreement, 1, Decision::End).unwrap();
        let over = version(&told(&commons, &b.steward, &agreement), 1).clone();
        assert_eq!((&over["due_on"], &over["overdue"]), (&json!("2026-12-31"), &json!(false)));
        commons.pass_days(31);
        assert_eq!(version(&told(&commons, &a.steward, &agreement), 1)["overdue"], true);
        assert_eq!(code(commons.decide(&a.steward, &agreement, 1, Decision::Certify)), "not-yours");
        let said = Some("Shredded on Friday.".to_owned());
        commons.store.decide(&b.steward, &agreement, 1, Decision::Certify, said).unwrap();
        let certificate = version(&told(&commons, &a.steward, &agreement), 1)["certificate"].clone();
        assert!(certified(&certificate), "{certificate}");
        assert_eq!((&certificate["kind"], &certificate["by_side"], &certificate["statement"]), (&json!("deleted"), &json!("recipient"), &json!("Shredded on Friday.")));
        assert_eq!(certificate["terms_hash"], over["hash"]);
        for member in ["commons", "agreement", "version", "provider", "recipient", "dataset", "kind", "at", "by_side", "statement", "terms_hash"] {
            let mut forged = certificate.clone();
            forged[member] = json!("something else");
            assert!(!certified(&forged), "{member} may be anything");
        }
        // Nothing makes these pseudonyms again.
        assert_eq!(code(commons.store.preview(&a.steward, &agreement, 1, 10)), "secret-destroyed");
        let kept = commons.agree(&a, To::One(&b), &list, &json!({"ending": {"keep": "Tables stay."}}));
        commons.decide(&b.steward, &kept, 1, Decision::End).unwrap();
        assert_eq!(version(&told(&commons, &b.steward, &kept), 1).get("due_on"), None);
        commons.decide(&b.steward, &kept, 1, Decision::Certify).unwrap();
        let certificate = version(&told(&commons, &b.steward, &kept), 1)["certificate"].clone();
        assert_eq!((&certificate["kind"], &certificate["statement"]), (&json!("kept"), &json!("Tables stay.")));
        assert!(certified(&certificate));
    }
}

on_both! {
    fn a_review_is_due_from_its_day_on_in_the_time_zone_of_the_commons(commons: Commons) {
        let (a, b, list) = people(&commons);
        let zone = "Europe/Madrid".parse().unwrap();
        commons.store.write_settings(&Settings { time_zone: zone, ..commons.store.read_settings().unwrap() }).unwrap();
        // In the night to the 28th of March 2027 the clocks of Madrid skip an hour: that day has 23.
        let over = json!({"starts_on": "2027-03-28", "ends_on": "2027-03-28", "review_on": "2027-03-28", "fields": {"status": "exact"}});
        let agreement = commons.agree(&a, To::One(&b), &list, &over);
        let review = || version(&told(&commons, &b.steward, &agreement), 1)["review_due"].clone();
        // From noon of the first of December, which is one o'clock there, to the first midnight: 116 days and 11 hours.
        commons.pass(Duration::from_secs(116 * 86_400 + 11 * 3_600 - 1));
        assert_eq!((commons.store.build_due().unwrap(), review()), (0, json!(false)));
        commons.pass(Duration::from_secs(1));
        assert_eq!((commons.store.build_due().unwrap(), review()), (1, json!(true)));
        commons.pass(Duration::from_secs(23 * 3_600 - 1));
        assert_eq!(commons.list(&b.viewer, "memberships").len(), 2);
        commons.pass(Duration::from_secs(1));
        assert!(commons.list(&b.viewer, "memberships").is_empty());
        // In the night to the 31st of October 2027 they go back, and that day has 25.
        let over = json!({"starts_on": "2027-10-31", "ends_on": "2027-10-31", "fields": {"status": "exact"}});
        commons.agree(&a, To::One(&b), &list, &over);
        commons.pass(Duration::from_secs(216 * 86_400));
        assert_eq!(commons.store.build_due().unwrap(), 1);
        commons.pass(Duration::from_secs(25 * 3_600 - 1));
        assert_eq!(commons.list(&b.viewer, "memberships").len(), 2);
        commons.pass(Duration::from_secs(1));
        assert!(commons.list(&b.viewer, "memberships").is_empty());
    }
}
