//! Agreements in plain words, and what is different in a version.

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::{EmptyClient, PartnerClient, PartnerSteward, Steward, ThirdOwner};
use crate::world::{Persona, World};

fn path(agreement: &str, version: i64, part: &str) -> String {
    format!("/api/v1/agreements/{agreement}/versions/{version}/{part}")
}

fn texts(page: &Value) -> Vec<&str> {
    page["sentences"].as_array().unwrap().iter().map(|sentence| sentence["text"].as_str().unwrap()).collect()
}

/// What the answer says, without what tells the two requests apart.
fn body(world: &World, who: Persona, path: &str) -> Value {
    world.get(who, path).ok()
}

/// Proposes the terms as the next version, and returns its number.
fn next(world: &World, agreement: &str, terms: &Value, from: i64) -> i64 {
    let body = json!({"terms": terms, "from": from});
    let made = world.post(Steward, &format!("/api/v1/agreements/{agreement}/versions"), &body).expect(201).json();
    made["version"].as_i64().unwrap()
}

on_both! {
    fn both_parties_read_the_same_words_and_nobody_else_does(world: World) {
        let at = path(world.id("agreement"), 1, "words");
        let words = body(&world, Steward, &at);
        assert_eq!((&words["language"], &words["version"]), (&json!("en"), &json!(1)));
        let said = texts(&words);
        assert!(said[0].starts_with("Co-op provider shows Co-op partner the following from its list “"), "{said:?}");
        assert!(said.contains(&"Only those records are shown for which “Country” is “ES” or “FR”. That goes for records that are added \
            or changed later too."), "{said:?}");
        assert!(said.contains(&"“Contact email” is shown masked: only the first letter and what stands after the @ can be read."));
        assert!(said.contains(&"The agreement holds from the beginning of 1 November 2026 until the end of 31 October 2027 (UTC)."));
        assert!(said.contains(&"The condition also tells about “Country”, which can be seen anyway."), "{said:?}");
        assert_eq!(words["sentences"][0]["kind"], "parties");
        assert!(words["sentences"][1]["pointers"].as_array().unwrap().contains(&json!("/fields/title")));
        for who in [PartnerSteward, PartnerClient] {
            assert_eq!(body(&world, who, &at), words);
        }
        for who in [ThirdOwner, EmptyClient] {
            let refused = world.get(who, &at);
            assert!(matches!(refused.status, 403 | 404), "{}", refused.text());
        }
        world.get(ThirdOwner, &path(world.id("agreement"), 1, "difference?from=1")).problem(404, "not-found");
        // What everybody may see has a provider and no other party.
        let public = path(world.id("public-agreement"), 1, "words");
        assert!(texts(&body(&world, Steward, &public))[0].contains("to anybody, without signing in"));
        world.get(PartnerSteward, &public).problem(404, "not-found");
    }
}

on_both! {
    fn the_language_is_the_one_that_is_asked_for(world: World) {
        let at = path(world.id("agreement"), 1, "words");
        let spoken = |query: &str, header: Option<&str>| {
            let mut request = world.request(Steward, reqwest::Method::GET, &format!("{at}{query}"));
            if let Some(header) = header {
                request = request.header("Accept-Language", header);
            }
            let answer = Answer::to(request);
            assert_eq!(answer.header("content-language"), answer.json()["language"].as_str().unwrap());
            assert_eq!(answer.header("vary"), "Accept-Language");
            let said = answer.ok();
            (said["language"].as_str().unwrap().to_owned(), texts(&said)[0].contains("muestra a"))
        };
        let (english, spanish) = (("en".to_owned(), false), ("es".to_owned(), true));
        assert_eq!(spoken("", None), english);
        assert_eq!(spoken("?lang=es", None), spanish);
        assert_eq!(spoken("", Some("ca, es-ES;q=0.8, en;q=0.5")), spanish);
        assert_eq!(spoken("?lang=en", Some("es")), english);
        assert_eq!(spoken("", Some("de")), english);
        for query in ["?lang=fr", "?lang=", "?lang=ES"] {
            world.get(Steward, &format!("{at}{query}")).problem(400, "invalid-parameter");
        }
        world.get(Steward, &format!("{at}?from=1")).problem(400, "unknown-parameter");
    }
}

on_both! {
    fn a_difference_says_what_would_change_the_riskiest_first(world: World) {
        let id = world.id("agreement").to_owned();
        let mut terms = body(&world, Steward, &format!("/api/v1/agreements/{id}"))["terms"].clone();
        terms["fields"]["contact_email"] = "exact".into();
        terms["fields"].as_object_mut().unwrap().remove("city");
        terms["ends_on"] = "2027-12-31".into();
        let version = next(&world, &id, &terms, 1);
        let difference = body(&world, PartnerSteward, &path(&id, version, "difference"));
        assert_eq!((&difference["from"], &difference["to"]), (&json!(1), &json!(version)));
        assert_eq!(
            texts(&difference),
            [
                "More: “Contact email” would be shown exactly as it is. Before: masked: only the first letter and what stands after \
                 the @ can be read.",
                "Longer: The agreement would hold until the end of 31 December 2027 (UTC). Before: of 31 October 2027.",
                "Less: Co-op provider would no longer show “City”.",
            ]
        );
        let ways = |member: &str| -> Vec<Value> {
            difference[member].as_array().unwrap().iter().map(|said| said["change"].clone()).collect()
        };
        assert_eq!(ways("sentences"), ["more", "longer", "less"]);
        assert_eq!(difference["changes"][0], json!({
            "pointer": "/fields/contact_email", "change": "more", "before": "masked", "after": "exact",
        }));
        assert_eq!(ways("changes"), ["more", "longer", "less"]);
        assert_eq!(difference["unchanged"]["text"], "19 other points stay as they are.");
        assert_eq!(body(&world, Steward, &path(&id, version, "difference?from=1")), difference, "both read the same");

        // The other way round, and with itself.
        let back = body(&world, Steward, &path(&id, 1, &format!("difference?from={version}&lang=es")));
        assert_eq!(back["sentences"][0]["text"], "Más: Co-op provider mostraría también «Ciudad», solo en parte: los 2 primeros caracteres.");
        let same = body(&world, Steward, &path(&id, 1, "difference?from=1"));
        assert_eq!((&same["sentences"], &same["changes"]), (&json!([]), &json!([])));
        assert_eq!(same["unchanged"]["text"], "Nothing changes.");
    }
}

on_both! {
    fn a_version_is_compared_with_the_one_in_force_or_else_the_one_before(world: World) {
        let id = world.id("agreement").to_owned();
        world.get(Steward, &path(&id, 1, "difference")).problem(400, "first-version");
        let mut terms = body(&world, Steward, &format!("/api/v1/agreements/{id}"))["terms"].clone();
        for contact in ["two@vall.example", "three@vall.example"] {
            terms["contact"] = contact.into();
            terms["lawful_basis"] = "law".into();
            terms["purpose"]["text"] = format!("For {contact}").into();
            let from = next(&world, &id, &terms, if contact.starts_with("two") { 1 } else { 2 });
            assert_eq!(body(&world, Steward, &path(&id, from, "difference"))["from"], 1, "the one in force");
        }
        // Once that is over, there is only the one before.
        world.decide(Steward, &id, "end", 1).expect(200);
        let difference = body(&world, Steward, &path(&id, 3, "difference"));
        assert_eq!(difference["from"], 2);
        assert!(texts(&difference).iter().all(|text| text.starts_with("Different: ")), "{difference}");
        for (query, code, status) in [("from=x", "invalid-parameter", 400), ("from=9", "not-found", 404), ("from=0", "not-found", 404)] {
            world.get(Steward, &path(&id, 3, &format!("difference?{query}"))).problem(status, code);
        }
    }
}

on_both! {
    fn words_are_there_for_every_state_and_for_agreements_that_are_closed_for_good(world: World) {
        let id = world.id("ended-agreement").to_owned();
        let before = body(&world, PartnerSteward, &path(&id, 1, "words"));
        world.decide(PartnerSteward, &id, "certify", 1).expect(200);
        assert_eq!(body(&world, PartnerSteward, &path(&id, 1, "words")), before);
        let suspended = body(&world, PartnerSteward, &path(world.id("suspended-agreement"), 1, "words"));
        assert!(texts(&suspended).contains(&"Every record of the list is shown, those that are added later too."));
    }
}
