//! The feed of changes: enough to keep a copy by.

use std::collections::BTreeMap;

use hayward_tests::on_both;
use serde_json::Value;

use crate::world::Persona::{PartnerClient, Steward};
use crate::world::World;

on_both! {
    fn the_feed_tells_a_copy_everything_that_it_has_to_do(world: World) {
        let mut copy = Copy::default();
        copy.follow(&world, "/api/v1/changes?limit=3");
        copy.is_like(&world);
        world.import(world.id("jobs"), "reference,title,country\nZQX-REF-1,Job one,ES\nZQX-REF-6,Job 06,DE\nNEW,Job new,FR\n");
        copy.follow(&world, "/api/v1/changes?limit=3");
        copy.is_like(&world);
        let agreement = world.id("agreement").to_owned();
        world.decide(Steward, &agreement, "suspend", 1).expect(200);
        copy.follow(&world, "/api/v1/changes?limit=3");
        copy.is_like(&world);
        world.decide(Steward, &agreement, "resume", 1).expect(200);
        copy.follow(&world, "/api/v1/changes?limit=3");
        copy.is_like(&world);
        assert_eq!(copy.items.len(), 8 + 6 + 3 + 2);
    }
}

/// A partner's copy of everything that is shared with it, kept by the feed alone.
#[derive(Default)]
struct Copy {
    items: BTreeMap<String, Value>,
    cursor: String,
}

impl Copy {
    fn follow(&mut self, world: &World, path: &str) {
        loop {
            let cursor = if self.cursor.is_empty() { String::new() } else { format!("&cursor={}", self.cursor) };
            let page = world.get(PartnerClient, &format!("{path}{cursor}")).ok();
            self.cursor = page["next"].as_str().expect("there is always a next").to_owned();
            let changes = page["items"].as_array().unwrap().clone();
            for mut change in changes.clone() {
                let members = change.as_object_mut().unwrap();
                let (kind, _) = (members.shift_remove("type").unwrap(), members.shift_remove("collection").unwrap());
                let key = format!("{} {}", members["agreement"], members["id"]);
                if kind == "removed" {
                    self.items.remove(&key)
                } else {
                    self.items.insert(key, change)
                };
            }
            if changes.is_empty() {
                return;
            }
        }
    }

    #[track_caller]
    fn is_like(&self, world: &World) {
        let collections = ["organizations", "opportunities", "memberships", "measurements"];
        let lists = collections.map(|name| world.get(PartnerClient, &format!("/api/v1/{name}?limit=1000")).items());
        let mut lists: Vec<String> = lists.concat().iter().map(Value::to_string).collect();
        let mut copy: Vec<String> = self.items.values().map(Value::to_string).collect();
        lists.sort();
        copy.sort();
        assert_eq!(copy, lists);
    }
}
