//! Agreements: asked for, offered, approved, shown, stopped, ended.

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::founding::treated;
use crate::world::Persona::{Editor, PartnerClient, PartnerSteward, Steward, ThirdOwner};
use crate::world::World;

const AGREEMENTS: &str = "/api/v1/agreements";

/// The items of a page as the very text they went out as, without their editions.
fn item_text(page: &str) -> String {
    let items = page.strip_prefix("{\"items\":[").expect("a page");
    let items = items.split_once("],\"next\":").expect("a page has a next").0;
    let mut plain = String::new();
    let mut rest = items;
    while let Some((before, after)) = rest.split_once("\"edition\":") {
        plain.push_str(before);
        rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit()).strip_prefix(',').expect("fields follow");
    }
    plain + rest
}

/// What the preview of a version shows, and what the partner gets.
fn shown_and_got(world: &World, agreement: &str, version: u32, collection: &str) -> (String, String) {
    let preview =
        world.get(Steward, &format!("{AGREEMENTS}/{agreement}/versions/{version}/preview?limit=1000")).expect(200).text();
    let list = world.get(PartnerClient, &format!("/api/v1/{collection}?agreement={agreement}&limit=1000")).expect(200).text();
    (item_text(&preview), item_text(&list))
}

on_both! {
    fn a_request_is_countered_approved_by_both_and_in_force(world: World) {
        let mut asked = world.terms(world.id("unshared"), json!({"title": "exact", "country": "exact"}));
        let made = world.post(PartnerClient, AGREEMENTS, &asked).expect(201).json();
        let id = made["id"].as_str().unwrap();
        let path = format!("{AGREEMENTS}/{id}");
        assert_eq!(made["state"], "requested", "a program of the recipient asks");
        assert_eq!(made["version"], 1);
        let seen = world.get(Steward, &path).ok();
        for member in ["id", "version", "state", "hash", "terms"] {
            assert_eq!(seen[member], made[member], "the provider sees it too");
        }
        assert_eq!(made["versions"][0]["history"][0]["by"], "partner-client");
        assert_eq!(seen["versions"][0]["history"][0].get("by"), None, "who asked is the business of their own side");

        // The program may ask and not decide; a stranger may not even know.
        world.decide(PartnerClient, id, "approve", 1).problem(403, "insufficient-scope");
        world.decide(Editor, id, "approve", 1).problem(403, "insufficient-scope");
        world.decide(ThirdOwner, id, "approve", 1).problem(404, "not-found");

        asked["fields"] = json!({"title": "exact"});
        asked["rows"] = json!({"country": {"eq": "ES"}});
        let countered = world.post(Steward, &format!("{path}/versions"), &json!({"terms": asked, "from": 1})).expect(201).json();
        assert_eq!(countered["version"], 2);
        assert_eq!(countered["state"], "offered");
        assert_eq!(countered["versions"][0]["state"], "superseded");
        world.post(Steward, &format!("{path}/versions"), &json!({"terms": asked, "from": 1})).problem(409, "stale");

        assert_eq!(world.decide(Steward, id, "approve", 2).ok()["state"], "offered");
        assert_eq!(world.decide(PartnerSteward, id, "approve", 2).ok()["state"], "active");
        let items = world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={id}")).items();
        assert_eq!(items.len(), 3);
        assert!(items.iter().all(|item| item.get("country").is_none()));
        world.decide(PartnerSteward, id, "approve", 2).problem(409, "not-now");
    }
}

on_both! {
    fn the_preview_is_the_disclosure_byte_for_byte(world: World) {
        for (agreement, collection) in [("agreement", "opportunities"), ("people-agreement", "memberships")] {
            let (shown, got) = shown_and_got(&world, world.id(agreement), 1, collection);
            assert!(got.len() > 500);
            assert_eq!(shown, got);
        }
    }
}

on_both! {
    fn the_preview_before_anybody_agreed_is_the_disclosure_afterwards(world: World) {
        for record_id in ["stable", "pseudonym"] {
            let mut terms = world.terms(world.id("jobs"), treated());
            terms["record_id"] = record_id.into();
            terms["rows"] = json!({"any": [{"country": {"eq": "DE"}}, {"salary_min": {"lt": 23000}}]});
            let made = world.post(Steward, AGREEMENTS, &terms).expect(201).json();
            let id = made["id"].as_str().unwrap();
            let path = format!("{AGREEMENTS}/{id}/versions/1/preview");
            let before = world.get(Steward, &path).expect(200).text();
            world.get(PartnerSteward, &path).problem(404, "not-found");
            let fields: Vec<Value> = serde_json::from_str::<Value>(&before).unwrap()["implied"].as_array().unwrap().clone();
            assert!(fields.iter().any(|implied| implied["field"] == "country"), "a condition tells about its field: {before}");
            world.decide(Steward, id, "approve", 1).expect(200);
            world.decide(PartnerSteward, id, "approve", 1).expect(200);
            let (after, got) = shown_and_got(&world, id, 1, "opportunities");
            assert_eq!(item_text(&before), got);
            assert_eq!(after, got);
            world.import(
                world.id("jobs"),
                "reference,title,country\nNEW-1,Added,DE\nNEW-2,Added as well,DE\nZQX-REF-9,Retitled,DE\n",
            );
            let (after, got) = shown_and_got(&world, id, 1, "opportunities");
            assert_eq!(after, got, "also after an import");
        }
    }
}

on_both! {
    fn either_side_suspends_and_both_must_resume(world: World) {
        let id = world.id("agreement").to_owned();
        let path = format!("/api/v1/opportunities?agreement={id}");
        let before = world.get(PartnerClient, &path).items();
        assert_eq!(world.decide(Steward, &id, "suspend", 1).ok()["state"], "suspended");
        world.get(PartnerClient, &path).problem(404, "not-found");
        world.decide(PartnerSteward, &id, "suspend", 1).expect(200);
        assert_eq!(world.decide(Steward, &id, "resume", 1).ok()["state"], "suspended");
        world.get(PartnerClient, &path).problem(404, "not-found");
        assert_eq!(world.decide(PartnerSteward, &id, "resume", 1).ok()["state"], "active");
        let after = world.get(PartnerClient, &path).items();
        assert_eq!(after, before);
        world.decide(PartnerSteward, &id, "resume", 1).problem(409, "not-now");
    }
}

on_both! {
    fn imports_while_suspended_are_there_when_it_resumes(world: World) {
        let id = world.id("agreement").to_owned();
        world.decide(Steward, &id, "suspend", 1).expect(200);
        world.import(world.id("jobs"), "reference,title,country\nNEW,Job 00,ES\n");
        world.decide(Steward, &id, "resume", 1).expect(200);
        let titles = world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={id}")).column("title");
        assert!(titles.contains(&"Job 00".to_owned()), "{titles:?}");
        assert_eq!(titles.len(), 9);
    }
}

on_both! {
    fn an_ended_agreement_is_certified_by_who_holds_the_copies(world: World) {
        let id = world.id("agreement").to_owned();
        assert_eq!(world.decide(PartnerSteward, &id, "end", 1).ok()["state"], "ended");
        world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={id}")).problem(404, "not-found");
        world.decide(Steward, &id, "certify", 1).problem(409, "not-yours");
        assert_eq!(world.decide(PartnerSteward, &id, "certify", 1).ok()["state"], "closed");
        world.decide(Steward, &id, "resume", 1).problem(409, "not-now");
        world.get(Steward, &format!("{AGREEMENTS}/{id}")).expect(200);
    }
}

on_both! {
    fn the_provider_narrows_alone_and_at_once(world: World) {
        let id = world.id("agreement").to_owned();
        let mut terms = world.get(Steward, &format!("{AGREEMENTS}/{id}")).ok()["terms"].clone();
        let wider = {
            let mut wider = terms.clone();
            wider["fields"]["website"] = "exact".into();
            wider
        };
        for hidden in ["contact_email", "contact_phone", "salary_min"] {
            terms["fields"].as_object_mut().unwrap().remove(hidden);
        }
        terms["rows"] = json!({"all": [{"country": {"in": ["ES", "FR"]}}, {"country": {"eq": "FR"}}]});
        let path = format!("{AGREEMENTS}/{id}/versions");
        world.post(PartnerSteward, &path, &json!({"terms": terms, "from": 9})).problem(409, "stale");
        let narrowed = world.post(Steward, &path, &json!({"terms": terms, "from": 1})).expect(201).json();
        assert_eq!(narrowed["version"], 2);
        assert_eq!(narrowed["state"], "active", "nobody else is needed");
        // Until the share is rebuilt it answers nothing; never the wide one.
        for _ in 0..100 {
            let answer = world.get(PartnerClient, &format!("/api/v1/opportunities?provider={}", world.id("provider"))).items();
            for item in &answer {
                assert!(item.get("contact_email").is_none());
                assert_eq!(item["country"], "FR");
            }
            if answer.len() == 3 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let (shown, got) = shown_and_got(&world, &id, 2, "opportunities");
        assert_eq!(shown, got);
        world.get(PartnerClient, "/api/v1/opportunities?contact_email[null]=false").problem(400, "unknown-parameter");

        // Wider needs both.
        let widened = world.post(Steward, &path, &json!({"terms": wider, "from": 2})).expect(201).json();
        assert_eq!(widened["state"], "offered");
        let items = world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={id}")).items();
        assert!(items.iter().all(|item| item.get("website").is_none()));
    }
}

on_both! {
    fn a_declined_or_withdrawn_proposal_opens_nothing(world: World) {
        for (who, event) in [(PartnerSteward, "decline"), (Steward, "withdraw")] {
            let terms = world.terms(world.id("unshared"), json!({"title": "exact"}));
            let id = world.post(Steward, AGREEMENTS, &terms).expect(201).json()["id"].as_str().unwrap().to_owned();
            assert_eq!(world.decide(who, &id, event, 1).ok()["state"], "terminated");
            world.decide(PartnerSteward, &id, "approve", 1).problem(409, "not-now");
            world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={id}")).problem(404, "not-found");
        }
    }
}

on_both! {
    fn an_agreement_opens_on_its_first_day_and_closes_after_its_last(world: World) {
        let mut terms = world.terms(world.id("unshared"), json!({"title": "exact"}));
        terms["starts_on"] = "2026-11-24".into();
        terms["ends_on"] = "2026-11-25".into();
        let id = world.post(Steward, AGREEMENTS, &terms).expect(201).json()["id"].as_str().unwrap().to_owned();
        world.decide(Steward, &id, "approve", 1).expect(200);
        assert_eq!(world.decide(PartnerSteward, &id, "approve", 1).ok()["state"], "agreed");
        let path = format!("/api/v1/opportunities?agreement={id}");
        world.get(PartnerClient, &path).problem(404, "not-found");
        // It is noon of the 22nd. The share is built by a job, which looks every second.
        world.pass(std::time::Duration::from_secs(36 * 3_600));
        let opened = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            world.get(PartnerClient, &path).status == 200
        });
        assert!(opened, "the first day has come");
        world.pass(std::time::Duration::from_secs(48 * 3_600 - 1));
        assert_eq!(world.get(PartnerClient, &path).items().len(), 3);
        world.pass(std::time::Duration::from_secs(1));
        world.get(PartnerClient, &path).problem(404, "not-found");
        assert_eq!(world.get(Steward, &format!("{AGREEMENTS}/{id}")).ok()["state"], "expired");
    }
}

on_both! {
    fn an_offer_to_everybody_needs_the_provider_alone(world: World) {
        let mut terms = world.terms(world.id("unshared"), json!({"title": "exact"}));
        terms["audience"] = "public".into();
        let id = world.agree(&terms);
        let items = world.get(crate::world::Persona::Nobody, &format!("/api/v1/opportunities?agreement={id}")).items();
        assert_eq!(items.len(), 3);
        world.get(PartnerSteward, &format!("{AGREEMENTS}/{id}")).problem(404, "not-found");
    }
}
