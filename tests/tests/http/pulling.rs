//! A partner at a terminal: a copy of what is shared, agreements in words, the ledger.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hayward_tests::on_both;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::asking::typed;
use crate::process::printed;
use crate::world::Persona::{PartnerClient, Steward};
use crate::world::World;

fn at(world: &World, name: &str) -> PathBuf {
    world.database.folder().join(name)
}

/// Pulls as the partner's program; what the program says.
fn pulled(world: &World, file: &Path, more: &[&str]) -> Value {
    let mut words = vec!["pull", file.to_str().unwrap(), "--json"];
    words.extend(more);
    let output = typed(world, &words, &PartnerClient.token().unwrap());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    printed(&output)
}

fn listed(world: &World) -> BTreeSet<String> {
    world.get(PartnerClient, "/api/v1/opportunities?limit=1000").items().iter().map(Value::to_string).collect()
}

fn lines(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap().to_string()).collect()
}

on_both! {
    fn a_copy_follows_what_is_shared(world: World) {
        let (whole, list) = (at(&world, "copy.db"), at(&world, "jobs.ndjson"));
        let first = pulled(&world, &whole, &[]);
        assert_eq!((&first["acknowledged"], &first["anew"]), (&json!(true), &json!(false)));
        assert!(first["items"].as_u64().unwrap() > 0, "{first}");
        pulled(&world, &list, &["--collection", "opportunities"]);
        assert_eq!(lines(&list), listed(&world));
        // Nothing has moved.
        let again = pulled(&world, &whole, &[]);
        assert_eq!((&again["upserted"], &again["removed"], &again["items"]), (&json!(0), &json!(0), &first["items"]));
        world.import(world.id("jobs"), "reference,title,country\nNEW-1,\"=Baker, \"\"night\"\"\",ES\n");
        pulled(&world, &list, &["--collection", "opportunities"]);
        assert_eq!(lines(&list), listed(&world));
        // As SQLite, each collection is a view with a column for each field.
        pulled(&world, &whole, &[]);
        let read = || Connection::open_with_flags(&whole, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let titles = |db: &Connection| {
            let mut select = db.prepare("select title from opportunities order by agreement, id").unwrap();
            let rows = select.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
            rows.collect::<Result<Vec<_>, _>>().unwrap()
        };
        let mut shown: Vec<_> = world.get(PartnerClient, "/api/v1/opportunities?limit=1000").items();
        shown.sort_by_key(|item| (item["agreement"].to_string(), item["id"].to_string()));
        let shown: Vec<Option<String>> = shown.iter().map(|item| item["title"].as_str().map(str::to_owned)).collect();
        assert_eq!(titles(&read()), shown);
        // As CSV, nothing that a spreadsheet would run.
        let csv = at(&world, "jobs.csv");
        pulled(&world, &csv, &["--collection", "opportunities"]);
        let text = std::fs::read_to_string(&csv).unwrap();
        assert!(text.starts_with("id,provider,agreement,edition,") && text.contains("\"'=Baker, \"\"night\"\"\""), "{text}");
        // What is stopped goes from the copy.
        let of = |world: &World| world.get(PartnerClient, "/api/v1/opportunities?limit=1000").column("agreement");
        let agreement = of(&world).first().unwrap().clone();
        let version = world.get(Steward, &format!("/api/v1/agreements/{agreement}")).ok()["version"].as_i64().unwrap();
        world.decide(Steward, &agreement, "suspend", version).expect(200);
        let gone = pulled(&world, &list, &["--collection", "opportunities"]);
        assert!(gone["removed"].as_u64().unwrap() > 0);
        assert_eq!(lines(&list), listed(&world));
        assert!(!of(&world).contains(&agreement));
        pulled(&world, &whole, &["--anew"]);
        assert_eq!(titles(&read()).len(), listed(&world).len());
        let bytes = std::fs::read(&whole).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("night") || listed(&world).iter().any(|item| item.contains("night")), "what went is not overwritten");
    }
}

on_both! {
    fn a_copy_is_of_one_commons_and_of_nothing_else(world: World) {
        let token = PartnerClient.token().unwrap();
        let refused = |words: &[&str], said: &str| {
            let output = typed(&world, words, &token);
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{complaint}");
            assert!(complaint.contains(said), "{complaint}");
        };
        let (other, copy) = (at(&world, "other.db"), at(&world, "copy.db"));
        let (other, copy) = (other.to_str().unwrap(), copy.to_str().unwrap());
        std::fs::write(other, "reference,title\n1,Baker\n").unwrap();
        refused(&["pull", other], "no copy");
        assert_eq!(std::fs::read_to_string(other).unwrap(), "reference,title\n1,Baker\n");
        Connection::open(at(&world, "theirs.db")).unwrap().execute_batch("create table mine (a)").unwrap();
        refused(&["pull", at(&world, "theirs.db").to_str().unwrap()], "no copy");
        pulled(&world, Path::new(copy), &[]);
        refused(&["pull", copy, "--agreement", "agr_aaaa"], "another choice");
        refused(&["pull", copy, "--collection", "opportunities"], "as a view");
        refused(&["pull", copy, "--url", "http://127.0.0.1:9"], "another file");
        refused(&["pull", at(&world, "no/such/folder.db").to_str().unwrap()], "cannot be");
        // Somebody else has it open.
        let db = Connection::open(copy).unwrap();
        db.execute_batch("begin exclusive").unwrap();
        refused(&["pull", copy], "another program");
        db.execute_batch("rollback").unwrap();
        // A place that the commons does not know is no reason to stop.
        db.execute("update hayward_copy set place = 'aaaa'", []).unwrap();
        drop(db);
        let again = pulled(&world, Path::new(copy), &[]);
        assert_eq!((&again["anew"], &again["removed"]), (&json!(true), &json!(0)));
    }
}

on_both! {
    fn agreements_and_the_ledger_are_read_at_a_terminal(world: World) {
        let token = Steward.token().unwrap();
        let said = |words: &[&str]| {
            let output = typed(&world, words, &token);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let items = world.get(Steward, "/api/v1/agreements?limit=1000").items();
        let id = items.iter().find(|item| item["state"] == "active").unwrap()["id"].as_str().unwrap();
        let all = said(&["agreements"]);
        assert_eq!(all.lines().count(), items.len());
        assert!(all.lines().any(|line| line.starts_with(id) && line.contains("active")), "{all}");
        let english = said(&["agreements", id]);
        assert!(english.lines().count() > 3, "{english}");
        assert_ne!(said(&["agreements", id, "--language", "es"]), english);
        let one: Value = serde_json::from_str(&said(&["agreements", id, "--json"])).unwrap();
        assert_eq!(one["id"], id);

        for _ in 0..3 {
            world.get(PartnerClient, "/api/v1/opportunities").expect(200);
        }
        let two: Value = serde_json::from_str(&said(&["disclosures", "--limit", "2", "--json"])).unwrap();
        assert_eq!(two["items"], world.get(Steward, "/api/v1/disclosures?limit=2").ok()["items"]);
        let shown = said(&["disclosures", "--kind", "disclosure"]);
        assert!(shown.lines().any(|line| line.contains("list") && line.contains("records: ")), "{shown}");
        let export = at(&world, "ledger.ndjson");
        said(&["disclosures", "--export", export.to_str().unwrap()]);
        assert!(said(&["ledger", "verify", export.to_str().unwrap()]).contains("hold"), "the export holds");
        let wrong = typed(&world, &["disclosures", "--kind", "rumour"], &token);
        assert_eq!(wrong.status.code(), Some(2));
        for shell in ["bash", "zsh", "fish"] {
            assert!(said(&["completions", shell]).contains("disclosures"));
        }
    }
}
