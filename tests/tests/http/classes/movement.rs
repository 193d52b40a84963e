//! What a recipient can see move, and with whom it shares an answer.

use std::collections::BTreeSet;
use std::thread;

use hayward_tests::on_both;
use serde_json::Value;

use crate::answer::Answer;
use crate::world::Persona::{Nobody, PartnerClient, Steward, ThirdClient};
use crate::world::{Persona, World};

/// Everything about the partner's list that could move, with the position in the feed.
fn seen(world: &World, cursor: &str) -> Vec<String> {
    let base = format!("/api/v1/opportunities?agreement={}", world.id("agreement"));
    let mut seen = Vec::new();
    for address in [base.clone(), format!("{base}&sort=-title&count=true"), format!("{base}&fields=title")] {
        let answer = world.get(PartnerClient, &address).expect(200);
        let mut page = answer.json();
        page["next"] = Value::Null;
        seen.extend([answer.header("etag").to_owned(), page.to_string()]);
    }
    seen.push(world.get_as(PartnerClient, &base, "text/csv").expect(200).text());
    seen.push(world.get(PartnerClient, &format!("/api/v1/changes?cursor={cursor}")).ok()["items"].to_string());
    seen
}

fn end_of_feed(world: &World) -> String {
    world.get(PartnerClient, "/api/v1/changes?limit=1000").ok()["next"].as_str().unwrap().to_owned()
}

on_both! {
    /// Classes 28, 30 and 31: an edit of what is hidden moves no page, no tag, no count, no edition and no position in the feed.
    fn an_edit_of_what_is_hidden_moves_nothing(world: World) {
        let cursor = end_of_feed(&world);
        let before = seen(&world, &cursor);
        assert_eq!(before.last().map(String::as_str), Some("[]"));
        let jobs = world.id("jobs");
        // Hidden fields of shown rows, a treated value within its band and its month, rows outside the condition, one's own column.
        world.import(jobs, "reference,description,status,website,Note of the office\nZQX-REF-1,ZQX-A,ZQX-B,https://zqx-new.example/,ZQX-C\n");
        world.import(jobs, "reference,salary_min,closes_on\nZQX-REF-1,24999,2027-01-02\n");
        world.import(jobs, "reference,title,country\nZQX-REF-9,Hidden job again,DE\nZQX-REF-99,Hidden job new,DE\n");
        world.import(world.id("unshared"), "reference,title\nZQX-X,ZQX-X\n");
        assert_eq!(seen(&world, &cursor), before);
    }
}

on_both! {
    /// Class 29: a removal names the item and the agreement and says no more, whether the row was deleted, left the condition or went with
    /// the agreement.
    fn a_removal_says_which_and_not_why(world: World) {
        let cursor = end_of_feed(&world);
        world.import(world.id("jobs"), "reference,country\nZQX-REF-1,DE\n");
        world.decide(Steward, world.id("people-agreement"), "suspend", 1).expect(200);
        let told = world.get(PartnerClient, &format!("/api/v1/changes?cursor={cursor}")).items();
        assert_eq!(told.len(), 1 + 6);
        for removal in told {
            assert_eq!(removal["type"], "removed");
            let names: Vec<&str> = removal.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["type", "collection", "id", "provider", "agreement", "edition"]);
        }
    }
}

/// The agreements that the items of an answer came under.
fn agreements(answer: Answer) -> BTreeSet<String> {
    answer.items().iter().map(|item| item["agreement"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    /// Class 34: callers who ask the same at the same time each get their own, and no cache between may give one's answer to another.
    fn callers_at_the_same_time_get_each_their_own(world: World) {
        let named = |names: &[&str]| names.iter().map(|name| world.id(name).to_owned()).collect::<BTreeSet<_>>();
        let own: [(Persona, BTreeSet<String>); 3] = [
            (PartnerClient, named(&["agreement", "members-agreement"])),
            (ThirdClient, named(&["third-agreement", "members-agreement"])),
            (Nobody, BTreeSet::new()),
        ];
        let world = &world;
        thread::scope(|scope| {
            for (who, own) in &own {
                for _ in 0..2 {
                    scope.spawn(move || {
                        for turn in 0..40 {
                            let address = ["/api/v1/opportunities", "/api/v1/opportunities?count=true", "/api/v1/opportunities?limit=1000"][turn % 3];
                            let answer = world.get(*who, address).expect(200);
                            assert_eq!(agreements(answer), *own, "{who:?}");
                        }
                    });
                }
            }
            // What is kept between requests is thrown away with every commit.
            scope.spawn(move || (0..5).for_each(|turn| drop(world.import(world.id("unshared"), format!("reference,title\nT,Turn {turn}\n")))));
        });
        for (who, address, accept) in [
            (PartnerClient, "/api/v1/opportunities", "application/json"),
            (PartnerClient, "/api/v1/opportunities", "text/csv"),
            (PartnerClient, "/api/v1/changes", "application/json"),
            (ThirdClient, "/api/v1/opportunities", "application/x-ndjson"),
        ] {
            let answer = world.get_as(who, address, accept).expect(200);
            assert!(answer.header("vary").contains("Authorization"), "{address}");
            assert!(answer.header("cache-control").starts_with("private, no-"), "{address}: {}", answer.header("cache-control"));
        }
    }
}
