//! A list that is far larger than what the sockets between two programs hold: whoever streams it must wait for its reader.

use std::sync::OnceLock;

use serde_json::json;

use crate::world::Persona::Editor;
use crate::world::World;

/// How many rows it has.
pub const ROWS: usize = 2_000;

/// 8 MB of CSV.
fn file() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        let words = "of many ".repeat(500);
        (1..=ROWS)
            .map(|row| format!("M{row},Mass {row},ES,{words}\n"))
            .fold("reference,title,country,description\n".to_owned(), |file, row| file + &row)
    })
}

/// Imports it and shows it to the partner; the id of the agreement.
pub fn agreed(world: &World) -> String {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Bulk"})).expect(201).json();
    let dataset = made["id"].as_str().unwrap();
    world.import(dataset, file());
    let mut terms = world.terms(dataset, json!({"title": "exact", "country": "exact", "description": "exact"}));
    // Half of it can be taken back by a narrower condition.
    terms["rows"] = json!({"all": [{"country": {"eq": "ES"}}]});
    world.agree(&terms)
}
