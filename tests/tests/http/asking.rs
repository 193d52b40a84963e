//! Asking by names: the catalogue, and requests for fields, over the API and from the command line.

use std::process::Output;

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::process::{printed, run};
use crate::world::Persona::{Editor, Nobody, PartnerClient, PartnerSteward, Steward, ThirdClient, ThirdOwner};
use crate::world::World;

/// The program as somebody types it who has a token for this commons.
fn typed(world: &World, words: &[&str], token: &str) -> Output {
    let home = world.database.folder().join("home");
    run(words, |program| {
        program.env("HAYWARD_URL", &world.server.url).env("HAYWARD_TOKEN", token).env("HOME", home).env_remove("XDG_CONFIG_HOME");
    })
}

fn entry(world: &World, name: &str) -> Value {
    let all = world.get(PartnerClient, "/api/v1/catalogue?limit=1000").items();
    all.into_iter().find(|one| one["id"] == world.id(name)).unwrap()
}

on_both! {
    fn the_catalogue_describes_every_field_from_its_schema(world: World) {
        let jobs = entry(&world, "jobs");
        assert_eq!(jobs["provider_slug"], "provider");
        let found = |query: &str| world.get(PartnerClient, &format!("/api/v1/catalogue?limit=1000&{query}")).column("id");
        let all = found("provider=provider");
        assert!(all.contains(&world.id("jobs").to_owned()) && !all.contains(&world.id("third-jobs").to_owned()));
        assert_eq!(found(&format!("provider={}", world.id("provider"))), all);
        assert_eq!(found("provider=Co-op%20provider"), all);
        assert!(found("provider=nobody").is_empty());
        let people = found("provider=provider&schema=membership");
        assert!(people.contains(&world.id("people").to_owned()) && !people.contains(&world.id("jobs").to_owned()));
        world.get(PartnerClient, "/api/v1/catalogue?colour=red").problem(400, "unknown-parameter");
        // A cursor belongs to what was sought.
        let next = world.get(PartnerClient, "/api/v1/catalogue?limit=1&provider=provider").ok()["next"].as_str().unwrap().to_owned();
        let on = |query: &str| world.get(PartnerClient, &format!("/api/v1/catalogue?limit=1&cursor={next}{query}"));
        on("&provider=provider").expect(200);
        on("").problem(400, "invalid-cursor");

        let described = world.get(PartnerClient, &format!("/api/v1/catalogue/{}", world.id("people"))).ok();
        let fields = described["details"].as_array().unwrap();
        let field = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
        assert_eq!((&field("joined_on")["type"], &field("joined_on")["example"]), (&json!("date"), &json!("2026-12-31")));
        assert!(field("email")["description"].is_string() && field("email")["treatments"].as_array().unwrap().contains(&json!("masked")));
        assert_eq!(field("email")["sensitivity"], "personal");
        let open: Vec<&str> = described["fields"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for field in fields {
            let can = field["can_be_asked_for"] == true;
            assert_eq!(can, open.contains(&field["name"].as_str().unwrap()), "{field}");
            assert_eq!(can, field["sensitivity"] != "never");
            assert!(can || field["example"].is_null() && field["treatments"] == json!([]));
        }
        // What an import changes is not in it.
        let text = described.to_string();
        world.import(world.id("people"), "member_id,given_name,family_name\nM-77,Zacharias,Quint\n");
        let again = world.get(PartnerClient, &format!("/api/v1/catalogue/{}", world.id("people"))).ok();
        assert_eq!(again.to_string(), text);
        // One's own is nothing to ask for.
        world.get(Steward, &format!("/api/v1/catalogue/{}", world.id("people"))).problem(404, "not-found");
        world.get(PartnerClient, "/api/v1/catalogue/ds_nothing").problem(404, "not-found");
        world.get(ThirdClient, &format!("/api/v1/catalogue/{}", world.id("people"))).problem(403, "insufficient-scope");
        world.get(Nobody, &format!("/api/v1/catalogue/{}", world.id("people"))).problem(401, "unauthenticated");
    }
}

on_both! {
    fn a_request_names_the_list_and_not_its_id(world: World) {
        let name = entry(&world, "jobs")["name"].as_str().unwrap().to_owned();
        let mut terms = world.terms("x", json!({"title": "exact"}));
        terms["dataset"] = json!({"provider": "provider", "name": name});
        terms.as_object_mut().unwrap().remove("audience");
        let made = world.post(PartnerClient, "/api/v1/agreements", &terms).expect(201).json();
        assert_eq!((&made["terms"]["dataset"], &made["state"]), (&json!(world.id("jobs")), &json!("requested")));
        assert_eq!(made["terms"]["audience"], json!({"organization": world.id("partner")}));
        assert!(made["hash"].as_str().is_some_and(|hash| hash.len() > 20));
        // The provider is told the same terms.
        let read = world.get(Steward, &format!("/api/v1/agreements/{}", made["id"].as_str().unwrap())).ok();
        assert_eq!((&read["terms"], &read["hash"]), (&made["terms"], &made["hash"]));
        // A counter-proposal may be written so, too.
        let mut counter = terms.clone();
        counter["audience"] = json!({"organization": world.id("partner")});
        let path = format!("/api/v1/agreements/{}/versions", made["id"].as_str().unwrap());
        world.post(Steward, &path, &json!({"terms": counter, "from": 1})).expect(201);

        let refused = |dataset: Value, code: &str| {
            let mut terms = terms.clone();
            terms["dataset"] = dataset;
            let problem = world.post(PartnerClient, "/api/v1/agreements", &terms).problem(422, "invalid-terms");
            assert_eq!(problem["errors"][0]["code"], code, "{problem}");
        };
        refused(json!({"provider": "provider", "name": "Nothing"}), "unknown-dataset");
        refused(json!({"provider": "nobody", "name": name}), "unknown-dataset");
        refused(json!({"provider": "provider", "schema": "opportunity"}), "ambiguous-dataset");
        refused(json!({"provider": "provider"}), "incomplete");
        refused(json!({"name": name}), "incomplete");
        refused(json!({"provider": "provider", "name": name, "all": "yes"}), "unknown-key");
        refused(json!({"provider": ["provider"], "name": name}), "type");
        // An offer says to whom: nothing is opened to anybody by leaving something out.
        let offer = world.post(Steward, "/api/v1/agreements", &terms).problem(422, "invalid-terms");
        assert_eq!(offer["errors"][0]["pointer"], "/audience");
        // Nor are fields.
        for fields in [json!({}), json!("all"), json!({"*": "exact"})] {
            let mut terms = terms.clone();
            terms["fields"] = fields;
            world.post(PartnerClient, "/api/v1/agreements", &terms).problem(422, "invalid-terms");
        }
    }
}

on_both! {
    fn somebody_who_knows_no_ids_asks_from_the_command_line(world: World) {
        let token = PartnerClient.token().unwrap();
        let listed = typed(&world, &["catalogue"], &token);
        assert_eq!(listed.status.code(), Some(0), "{}", String::from_utf8_lossy(&listed.stderr));
        let name = entry(&world, "jobs")["name"].as_str().unwrap().to_owned();
        let from = format!("provider/{name}");
        assert!(String::from_utf8_lossy(&listed.stdout).contains(&from));
        let items = printed(&typed(&world, &["catalogue", "provider", "--json"], &token));
        assert!(items["items"].as_array().unwrap().iter().all(|one| one["provider_slug"] == "provider"));
        let described = typed(&world, &["catalogue", &from], &token);
        let text = String::from_utf8_lossy(&described.stdout).into_owned();
        assert!(text.contains("contact_email") && text.contains("personal"), "{text}");
        assert_eq!(typed(&world, &["catalogue", "provider/Nothing"], &token).status.code(), Some(2));

        let ask = |fields: &str, token: &str| {
            let words = ["request", "--from", &from, "--fields", fields, "--purpose", "job-matching", "--text", "To find work.",
                "--starting", "2026-11-22", "--until", "2027-06-30", "--json"];
            typed(&world, &words, token)
        };
        let made = printed(&ask("title,closes_on=generalised:month,contact_email=masked", &token));
        assert_eq!(made["terms"]["fields"], json!({"title": "exact", "closes_on": {"generalised": "month"}, "contact_email": "masked"}));
        assert_eq!((&made["terms"]["dataset"], &made["terms"]["record_id"]), (&json!(world.id("jobs")), &json!("pseudonym")));
        let listed = world.get(PartnerSteward, "/api/v1/agreements").items();
        assert!(listed.iter().any(|one| one["id"] == made["id"] && one["state"] == "requested"));
        // What the commons refuses is said in its words, and nothing is printed that could be taken for an answer.
        for (fields, token, words) in [
            ("titel", token.as_str(), "/fields/titel"),
            ("title,title", &token, "stands twice"),
            ("title", "hwt_nothing", "bearer token"),
            ("title", &ThirdClient.token().unwrap(), "agreements:propose"),
        ] {
            let refused = ask(fields, token);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{said}");
            assert!(said.contains(words) && !said.contains("hwt_"), "{said}");
        }
        let nowhere = run(&["catalogue"], |program| {
            program.env("HOME", world.database.folder().join("home")).env_remove("XDG_CONFIG_HOME");
        });
        assert!(String::from_utf8_lossy(&nowhere.stderr).contains("HAYWARD_URL"));
        let _others = (Editor, ThirdOwner);
    }
}
