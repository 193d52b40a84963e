//! Who has to say yes, why somebody said no, what goes on beside an agreement that is stopped, and lists that go on to another
//! version of their schema.

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::{Editor, PartnerClient, PartnerSteward, Steward, ThirdOwner};
use crate::world::World;

const AGREEMENTS: &str = "/api/v1/agreements";
const RULES: &str = "/api/v1/approval-rules";

fn offered(world: &World, fields: Value) -> String {
    let terms = world.terms(world.id("unshared"), fields);
    world.post(Steward, AGREEMENTS, &terms).expect(201).json()["id"].as_str().unwrap().to_owned()
}

on_both! {
    fn a_refusal_needs_a_reason_and_the_other_side_reads_it(world: World) {
        let id = offered(&world, json!({"title": "exact"}));
        let path = format!("{AGREEMENTS}/{id}/decline");
        for body in [json!({"version": 1}), json!({"version": 1, "reason": " \t"}), json!({"version": 1, "reason": null})] {
            world.post(PartnerSteward, &path, &body).problem(422, "reason-missing");
        }
        let body = json!({"version": 1, "reason": "We have no use for this."});
        assert_eq!(world.post(PartnerSteward, &path, &body).ok()["state"], "terminated");
        let history = world.get(Steward, &format!("{AGREEMENTS}/{id}")).ok()["versions"][0]["history"].clone();
        assert_eq!(history[1]["reason"], "We have no use for this.");
        assert_eq!(history[1].get("by"), None);
        // Stopping needs none.
        let stop = format!("{AGREEMENTS}/{}/suspend", world.id("agreement"));
        world.post(PartnerSteward, &stop, &json!({"version": 1})).expect(200);
    }
}

on_both! {
    fn rules_are_read_and_tightened_by_those_who_decide(world: World) {
        let ones = json!({"internal": "1", "personal": "1", "public": "1", "special": "1"});
        assert_eq!(world.get(PartnerClient, RULES).ok(), ones);
        world.put(Editor, RULES, &json!({"personal": "2"})).problem(403, "insufficient-scope");
        for bad in [json!({"personal": "3"}), json!({"personal": 2})] {
            world.put(PartnerSteward, RULES, &bad).expect(400);
        }
        world.put(PartnerSteward, RULES, &json!({"never": "all"})).problem(400, "invalid-body");
        let tightened = world.put(PartnerSteward, RULES, &json!({"public": "2", "special": "all"})).ok();
        assert_eq!(tightened, json!({"internal": "1", "personal": "1", "public": "2", "special": "all"}));
        world.put(PartnerSteward, RULES, &json!({"public": "1"})).problem(409, "would-loosen");
        world.put(PartnerSteward, RULES, &json!({"special": "2"})).problem(409, "would-loosen");
        assert_eq!(world.get(PartnerClient, RULES).ok(), tightened);
        assert_eq!(world.get(Steward, RULES).ok(), ones, "everybody reads their own");
        // One steward is not two: the organization has to name another first.
        let id = offered(&world, json!({"title": "exact"}));
        world.decide(Steward, &id, "approve", 1).expect(200);
        let answer = world.decide(PartnerSteward, &id, "approve", 1).ok();
        assert_eq!(answer["state"], "offered");
        let approvals = &answer["versions"][0]["approvals"];
        assert_eq!(approvals["recipient"], json!({"met": false, "have": 1, "need": "2", "nobody": false}));
        assert_eq!(approvals["provider"], json!({"met": true}));
    }
}

on_both! {
    fn who_declares_a_conflict_is_told_so_from_then_on(world: World) {
        let id = offered(&world, json!({"title": "exact"}));
        let path = format!("{AGREEMENTS}/{id}/recuse");
        world.post(PartnerSteward, &path, &json!({"version": 1})).problem(422, "reason-missing");
        world.decide(PartnerClient, &id, "recuse", 1).problem(403, "insufficient-scope");
        world.decide(ThirdOwner, &id, "recuse", 1).problem(404, "not-found");
        let answer = world.decide(PartnerSteward, &id, "recuse", 1).ok();
        assert_eq!(answer["recusals"]["people"].as_array().unwrap().len(), 1);
        assert_eq!(answer["versions"][0]["approvals"]["recipient"]["nobody"], true);
        world.decide(PartnerSteward, &id, "approve", 1).problem(409, "recused");
        let seen = world.get(Steward, &format!("{AGREEMENTS}/{id}")).ok();
        assert_eq!(seen["recusals"], json!({"provider": 0, "recipient": 1, "people": []}));
        world.decide(PartnerSteward, &id, "decline", 1).expect(200);
    }
}

on_both! {
    fn who_stops_an_agreement_reads_what_goes_on_beside_it(world: World) {
        let beside = world.agree(&world.terms(world.id("jobs"), json!({"title": "exact"})));
        let id = world.id("agreement");
        let stopped = world.decide(PartnerSteward, id, "suspend", 1).ok();
        let through = stopped["still_visible_through"].as_array().unwrap();
        let found = through.iter().find(|one| one["agreement"] == beside.as_str()).expect("the one beside it");
        assert_eq!((&found["version"], &found["fields"]), (&json!(1), &json!(["title"])));
        assert!(through.iter().all(|one| one["agreement"] != id));
        // All of it is what the recipient can read anyway.
        for one in through {
            let path = format!("/api/v1/opportunities?agreement={}", one["agreement"].as_str().unwrap());
            world.get(PartnerClient, &path).expect(200);
        }
        assert_eq!(world.decide(PartnerSteward, id, "resume", 1).ok().get("still_visible_through"), None);
        let ended = world.decide(Steward, id, "end", 1).ok();
        assert!(ended["still_visible_through"].as_array().unwrap().iter().any(|one| one["agreement"] == beside.as_str()));
    }
}

on_both! {
    fn a_list_goes_on_to_the_next_version_of_its_schema(world: World) {
        let path = format!("/api/v1/datasets/{}/schema", world.id("jobs"));
        let mut document = (*world.server.store().schema("opportunity").unwrap().document).clone();
        document["x-hayward"]["version"] = json!(2);
        document["properties"].as_object_mut().unwrap().remove("contact_email");
        let next = hayward_domain::schema::Schema::parse(&document).unwrap();
        world.server.store().register_schema(&next).unwrap();
        let foreseen = world.get(Steward, &path).ok();
        assert_eq!((&foreseen["from"], &foreseen["to"], &foreseen["newest"]), (&json!(1), &json!(2), &json!(2)));
        assert!(foreseen["becomes_private"]["contact_email"].as_u64().unwrap() > 0, "{foreseen}");
        world.put(Steward, &path, &json!({"version": 2})).problem(403, "insufficient-scope");
        world.get(Steward, &format!("{path}?version=two")).problem(400, "invalid-parameter");
        assert_eq!(world.put(Editor, &path, &json!({"version": 2})).ok(), foreseen);
        world.put(Editor, &path, &json!({"version": 1})).problem(409, "schema-backwards");
        // From the acknowledgement on nothing of the field is given, and no name of it is one.
        let list = format!("/api/v1/opportunities?agreement={}", world.id("agreement"));
        for _ in 0..100 {
            let answer = world.get(PartnerClient, &list);
            if answer.status == 200 && !answer.items().is_empty() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let items = world.get(PartnerClient, &list).items();
        assert!(!items.is_empty() && items.iter().all(|item| item.get("contact_email").is_none()), "{items:?}");
        world.get(PartnerClient, &format!("{list}&contact_email[null]=false")).problem(400, "unknown-parameter");
        world.get(Editor, &format!("/api/v1/datasets/{}/records", world.id("jobs"))).expect(200);
    }
}
