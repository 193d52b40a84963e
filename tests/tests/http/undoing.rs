//! Taking an import back: what is put back, what stays because it changed since, and to whom it had been given.

use std::time::Duration;

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::{Editor, Nobody, PartnerClient, Steward, ThirdClient, ThirdOwner};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";

/// A list of three, shared with the partner under an agreement of its own; both their ids.
fn shared(world: &World) -> (String, String) {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Undone"})).expect(201).json();
    let dataset = made["id"].as_str().unwrap().to_owned();
    world.import(&dataset, "reference,title,city,status\nA1,Baker,Bath,s\nA2,Welder,Bath,s\nA3,Cook,Bath,s\n");
    let agreement = world.agree(&world.terms(&dataset, json!({"reference": "exact", "title": "exact", "city": "exact"})));
    (dataset, agreement)
}

fn path(import: &Value) -> String {
    format!("/api/v1/imports/{}/undo", import["id"].as_str().unwrap())
}

/// What is told of each record, sorted.
fn outcomes(world: &World, path: &str) -> Vec<String> {
    let items = world.get(Editor, path).items();
    let mut told: Vec<String> = items
        .iter()
        .map(|item| format!("{} {} {}", item["outcome"].as_str().unwrap(), item["change"].as_str().unwrap(), item["key"]))
        .collect();
    told.sort();
    told
}

on_both! {
    fn an_undo_says_beforehand_what_it_does_and_does_it(world: World) {
        let (dataset, _) = shared(&world);
        let (_, before) = world.standing(&dataset);
        let import = world.import(&dataset, "reference,title,city\nA1,Baker,York\nA4,Painter,York\n");
        let path = path(&import);
        let told = world.get(Editor, &path).ok();
        assert_eq!((&told["reversed"], &told["kept"], &told["disclosed"]), (&json!(2), &json!(0), &json!([])));
        assert_eq!(outcomes(&world, &path), ["reversed created [\"A4\"]", "reversed updated [\"A1\"]"]);
        let undone = world.post(Editor, &path, &json!({})).ok();
        assert_eq!(undone["state"], "undone");
        assert_eq!(undone["undone"], json!({"reversed": 2, "kept": 0, "disclosed": [], "disclosed_count": 0}));
        assert_eq!(world.standing(&dataset).1, before);
        // The same lists afterwards.
        assert_eq!(world.get(Editor, &path).ok(), told);
    }
}

on_both! {
    fn what_changed_since_stays_and_only_with_the_word_of_who_undoes(world: World) {
        let (dataset, _) = shared(&world);
        let import = world.import(&dataset, "reference,title,city\nA1,Baker,York\nA2,Welder,York\nA4,Painter,York\nA5,Driver,York\n");
        let later = world.import(&dataset, "reference,title,city\nA2,Welder,Hull\nA5,Driver,Hull\n");
        let path = path(&import);
        let told = world.get(Editor, &path).ok();
        assert_eq!((&told["reversed"], &told["kept"]), (&json!(2), &json!(2)));
        let all = ["kept created [\"A5\"]", "kept updated [\"A2\"]", "reversed created [\"A4\"]", "reversed updated [\"A1\"]"];
        assert_eq!(outcomes(&world, &path), all);
        assert_eq!(outcomes(&world, &format!("{path}?outcome=kept")), all[..2]);
        assert_eq!(outcomes(&world, &format!("{path}?outcome=reversed")), all[2..]);
        let kept = world.get(Editor, &format!("{path}?outcome=kept")).items();
        assert!(kept.iter().all(|item| item["by"] == later["id"]), "{kept:?}");

        let standing = world.standing(&dataset);
        let refused = world.post(Editor, &path, &json!({})).problem(409, "edited-since");
        assert!(refused["detail"].as_str().unwrap().starts_with("2 records "), "{refused}");
        world.post(Editor, &path, &json!({"kept": 1})).problem(409, "edited-since");
        assert_eq!(world.standing(&dataset), standing);
        world.post(Editor, &path, &json!({"edition": 99, "kept": 2})).problem(409, "stale");
        let undone = world.post(Editor, &path, &json!({"kept": 2})).ok();
        assert_eq!((&undone["undone"]["reversed"], &undone["undone"]["kept"]), (&json!(2), &json!(2)));
        let cities = world.get(Editor, &format!("/api/v1/datasets/{dataset}/records")).column("city");
        assert_eq!(cities, ["Bath", "Hull", "Bath", "Hull"]);
        assert_eq!(outcomes(&world, &path), all);
        // Undoing the later one needs no word: nothing has changed it since.
        world.post(Editor, &path.replace(import["id"].as_str().unwrap(), later["id"].as_str().unwrap()), &json!({})).expect(200);
    }
}

on_both! {
    fn an_import_that_is_not_the_latest_needs_no_word_where_nothing_stays(world: World) {
        let (dataset, _) = shared(&world);
        let import = world.import(&dataset, "reference,title,city\nA1,Baker,York\n");
        world.import(&dataset, "reference,title,city\nA2,Welder,Hull\n");
        assert_eq!(world.post(Editor, &path(&import), &json!({})).ok()["undone"]["kept"], 0);
        let cities = world.get(Editor, &format!("/api/v1/datasets/{dataset}/records")).column("city");
        assert_eq!(cities, ["Bath", "Hull", "Bath"]);
    }
}

on_both! {
    fn an_undo_that_keeps_everything_is_an_undo_too(world: World) {
        let (dataset, _) = shared(&world);
        let import = world.import(&dataset, "reference,title,city\nA1,Baker,York\n");
        world.import(&dataset, "reference,title,city\nA1,Baker,Hull\n");
        let before = world.standing(&dataset);
        let undone = world.post(Editor, &path(&import), &json!({"kept": 7})).ok();
        assert_eq!((&undone["undone"]["reversed"], &undone["undone"]["kept"]), (&json!(0), &json!(1)));
        assert_eq!(world.standing(&dataset), before);
        assert_eq!(outcomes(&world, &path(&import)), ["kept updated [\"A1\"]"]);
    }
}

on_both! {
    fn what_was_removed_comes_back_unless_its_key_is_taken(world: World) {
        let (dataset, _) = shared(&world);
        let import = world.upload(&dataset, "reference,title\nA1,Baker\n").expect(201).json();
        let at = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
        world.put(Editor, &format!("{at}/matching"), &json!({"columns": [], "absent": "delete"})).expect(200);
        world.post(Editor, &format!("{at}/commit"), &json!({"removals": 2})).expect(200);
        world.import(&dataset, "reference,title,city\nA2,Smith,Hull\n");
        let all = ["kept removed [\"A2\"]", "reversed removed [\"A3\"]"];
        assert_eq!(outcomes(&world, &path(&import)), all);
        world.post(Editor, &path(&import), &json!({})).problem(409, "edited-since");
        world.post(Editor, &path(&import), &json!({"kept": 1})).expect(200);
        assert_eq!(outcomes(&world, &path(&import)), all);
        let titles = world.get(Editor, &format!("/api/v1/datasets/{dataset}/records?sort=reference")).column("title");
        assert_eq!(titles, ["Baker", "Smith", "Cook"]);
    }
}

on_both! {
    fn an_undo_names_to_whom_the_records_had_been_given(world: World) {
        let (dataset, agreement) = shared(&world);
        let read = |query: &str| world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}{query}")).expect(200);
        let given = |import: &Value| world.get(Editor, &path(import)).ok()["disclosed"].clone();
        read("");
        world.pass(Duration::from_secs(60));
        let import = world.import(&dataset, "reference,title,city,status\nA1,Baker,York,s\nA2,Welder,Bath,t\nA4,Painter,York,s\nA5,Driver,York,s\n");
        // What was read before is not of this import; nor is a record in which nothing that the partner sees has changed.
        assert_eq!(given(&import), json!([]));
        read("&reference=A2");
        read("&reference=A3");
        assert_eq!(given(&import), json!([]));
        world.pass(Duration::from_secs(60));
        let first = world.server.store().now().to_rfc3339();
        read("&reference=A1");
        world.pass(Duration::from_secs(60));
        read("&city=York");
        read("&reference=A4");
        let last = world.server.store().now().to_rfc3339();
        let partner = json!({"recipient": world.id("partner"), "agreement": agreement, "audience": "organization",
            "records": 3, "first": first, "last": last});
        assert_eq!(given(&import), json!([partner]));

        // Once another import has changed a record, who reads it is given that one's.
        world.pass(Duration::from_secs(60));
        let later = world.import(&dataset, "reference,title,city\nA4,Painter,Hull\n");
        read("&reference=A4");
        assert_eq!(given(&import), json!([partner]));
        assert_eq!(given(&later)[0]["records"], 1);

        world.pass(Duration::from_secs(60));
        let undone = world.post(Editor, &path(&import), &json!({"kept": 1})).ok();
        assert_eq!(undone["undone"], json!({"reversed": 3, "kept": 1, "disclosed": [partner], "disclosed_count": 1}));
        assert_eq!(world.get(Editor, path(&import).trim_end_matches("/undo")).ok()["undone"], undone["undone"]);
        read("");
        assert_eq!(given(&import), json!([partner]), "undo has stopped it");
    }
}

on_both! {
    fn shares_for_all_name_each_member_and_count_the_public(world: World) {
        let (dataset, agreement) = shared(&world);
        let terms = |audience: &str| {
            let mut terms = world.terms(&dataset, json!({"reference": "exact", "city": "exact"}));
            terms["audience"] = audience.into();
            terms
        };
        let members = world.agree(&terms("members"));
        let import = world.import(&dataset, "reference,title,city\nA1,Baker,York\nA4,Painter,York\n");
        // One that comes after the import shows it too.
        let public = world.agree(&terms("public"));
        world.get(ThirdClient, &format!("{JOBS}?agreement={members}")).expect(200);
        world.get(Nobody, &format!("{JOBS}?agreement={public}")).expect(200);
        world.get(PartnerClient, &format!("{JOBS}?agreement={public}&reference=A4")).expect(200);
        world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}&reference=A2")).expect(200);
        let given = world.get(Editor, &path(&import)).ok()["disclosed"].as_array().unwrap().clone();
        let mut told: Vec<[String; 3]> = given
            .iter()
            .map(|one| [one["recipient"].as_str().unwrap().to_owned(), one["audience"].as_str().unwrap().to_owned(), one["records"].to_string()])
            .collect();
        told.sort();
        let mut expected = [[world.id("third"), "members", "2"], ["public", "public", "null"], [world.id("partner"), "public", "1"]]
            .map(|one| one.map(str::to_owned));
        expected.sort();
        assert_eq!(told, expected);
    }
}

on_both! {
    fn an_undo_tells_the_feed_and_the_same_file_goes_in_again(world: World) {
        let (dataset, agreement) = shared(&world);
        let feed = |cursor: &str| world.get(PartnerClient, &format!("/api/v1/changes?agreement={agreement}&limit=1000{cursor}")).ok();
        let file = "reference,title,city\nA1,Baker,York\nA4,Painter,York\n";
        let cursor = format!("&cursor={}", feed("")["next"].as_str().unwrap());
        let told = |cursor: &str| {
            let items = feed(cursor)["items"].as_array().unwrap().clone();
            let mut told: Vec<String> = items.iter().map(|item| format!("{} {}", item["type"], item["city"])).collect();
            told.sort();
            told
        };
        let (_, before) = world.standing(&dataset);
        let import = world.import(&dataset, file);
        assert_eq!(told(&cursor), ["\"upserted\" \"York\"", "\"upserted\" \"York\""]);
        let seen = format!("&cursor={}", feed(&cursor)["next"].as_str().unwrap());
        world.post(Editor, &path(&import), &json!({})).expect(200);
        assert_eq!(told(&seen), ["\"removed\" null", "\"upserted\" \"Bath\""]);
        assert_eq!(world.standing(&dataset).1, before);
        let again = world.import(&dataset, file);
        assert_eq!((&again["counts"]["created"], &again["counts"]["updated"]), (&json!(1), &json!(1)));
        let other = world.import(&dataset, "reference,title,city\nA1,Baker,Hull\n");
        assert_eq!(other["counts"]["updated"], 1);
        assert_eq!(world.import(&dataset, file)["counts"]["updated"], 1);
        assert_eq!(world.get(Editor, &format!("/api/v1/datasets/{dataset}/records?sort=reference")).column("city"), ["York", "Bath", "Bath", "York"]);
    }
}

on_both! {
    fn the_lists_of_an_undo_come_in_pages_and_to_its_owner_alone(world: World) {
        let (dataset, _) = shared(&world);
        let rows: String = (0..30).map(|at| format!("A{at},Job,York\n")).collect();
        let import = world.import(&dataset, format!("reference,title,city\n{rows}"));
        let (mut keys, mut next) = (Vec::new(), format!("{}?limit=7", path(&import)));
        loop {
            let page = world.get(Editor, &next).ok();
            assert_eq!(page.get("disclosed").is_some(), keys.is_empty(), "only the first page says to whom");
            keys.extend(page["items"].as_array().unwrap().iter().map(|item| item["key"].to_string()));
            match page["next"].as_str() {
                Some(cursor) => next = format!("{}?limit=7&cursor={cursor}", path(&import)),
                None => break,
            }
        }
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 30);
        world.get(Editor, &format!("{}?outcome=lost", path(&import))).problem(400, "invalid-parameter");
        world.get(ThirdOwner, &path(&import)).problem(404, "not-found");
        world.get(Steward, &path(&import)).problem(403, "insufficient-scope");
        let draft = world.upload(&dataset, "reference,title\nB1,Baker\n").expect(201).json();
        world.get(Editor, &path(&draft)).problem(409, "wrong-state");
        // One that changes nothing is undone without doing anything.
        let same = world.import(&dataset, format!("reference,title,city\n{rows}"));
        assert_eq!(world.get(Editor, &path(&same)).ok()["reversed"], 0);
        assert_eq!(world.get(Editor, &format!("/api/v1/imports/{}/diff", same["id"].as_str().unwrap())).items(), Vec::<Value>::new());
    }
}
