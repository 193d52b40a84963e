//! What is hidden while it changes: whether a tag, the feed, an order or a cursor tells that something happened.

use hayward::config::KEPT;
use hayward_store::Decision;
use serde_json::json;

use super::{DEAL, JOBS, READ, elsewhere, sees, shown};
use crate::ask::{Ask, What};
use crate::twins::{Told, Twins};
use crate::world::{Side, World, with};

alike! {
    an_etag_outlives_what_is_hidden => etags;
    an_edit_of_hidden_fields_moves_nothing => hidden_edits;
    leaving_the_condition_looks_like_a_deletion => tombstones;
    the_order_of_a_file_is_not_told => file_order;
    a_page_not_yet_turned_ends_with_a_suspension => suspended;
    a_page_not_yet_turned_ends_with_the_agreement => expired;
    a_cursor_ages_by_the_clock_alone => old_cursors;
}

pub fn etags(twins: &mut Twins) -> Told {
    twins.import(JOBS, ["reference,title,salary_min\nA,Baker,1\n", "reference,title,salary_min\nA,Baker,2\n"]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    sees(twins, "Baker")?;
    twins.ask(&Ask::of(What::Seen { collection: "opportunities".to_owned(), nth: 0, query: Vec::new() }))?;
    elsewhere(twins);
    twins.worlds[1].import(JOBS, "reference,title,salary_min\nA,Baker,7\n", false);
    for earlier in [0, 1] {
        twins.ask(&Ask::of(What::Again(earlier)))?;
    }
    twins.get(READ).map(drop)
}

pub fn hidden_edits(twins: &mut Twins) -> Told {
    let first = "reference,title,salary_min,memo\nA,Baker,1,x\nB,Cook,2,y\n";
    twins.import(JOBS, [first, first]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    twins.get("/api/v1/changes")?;
    sees(twins, "Cook")?;
    twins.worlds[1].import(JOBS, "reference,title,salary_min,memo\nA,Baker,9,x\n", false);
    twins.ask(&Ask::of(What::Next(0)))?;
    // A hidden edit in the same import as an edit that shows.
    twins.import(
        JOBS,
        [
            "reference,title,salary_min,memo\nA,Baker,1,x\nB,Chef,2,y\n",
            "reference,title,salary_min,memo\nA,Baker,3,z\nB,Chef,4,y\n",
        ],
    );
    twins.ask(&Ask::of(What::Next(1)))?;
    twins.ask(&Ask::of(What::Again(0)))?;
    twins.each(|world| world.undo(JOBS));
    twins.ask(&Ask::of(What::Next(2)))?;
    twins.get("/api/v1/changes")?;
    twins.get(READ)?;
    twins.get("/api/v1/agreements")?;
    twins.get("/api/v1/disclosures").map(drop)
}

pub fn tombstones(twins: &mut Twins) -> Told {
    let first = "reference,title,country\nA,Baker,ES\nB,Cook,ES\n";
    twins.import(JOBS, [first, first]);
    let rows = json!({"rows": {"country": {"in": ["ES", "PT"]}}});
    twins.agree(DEAL, &with(shown(json!({"reference": "exact", "title": "exact"})), rows));
    sees(twins, "Baker")?;
    twins.get("/api/v1/changes")?;
    elsewhere(twins);
    // Deleted in one, moved out of the condition in the other.
    twins.import_whole(JOBS, ["reference,title,country\nB,Cook,ES\n", "reference,title,country\nA,Baker,FR\nB,Cook,PT\n"]);
    twins.ask(&Ask::of(What::Next(0)))?;
    for nth in [0, 1] {
        twins.ask(&Ask::of(What::Seen { collection: "opportunities".to_owned(), nth, query: Vec::new() }))?;
    }
    twins.get(READ)?;
    twins.get("/api/v1/disclosures").map(drop)
}

pub fn file_order(twins: &mut Twins) -> Told {
    let row = |number: usize, pay: usize| format!("R{number},Baker,{pay}\n");
    let up: String = (0..12).map(|number| row(number, number)).collect();
    let down: String = (0..12).rev().map(|number| row(number, 12 - number)).collect();
    twins.import(JOBS, [&format!("reference,title,salary_min\n{up}"), &format!("reference,title,salary_min\n{down}")]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    sees(twins, "R11")?;
    for ask in
        [Ask::get(READ), Ask::get(READ).accept("text/csv"), Ask::get(&format!("{READ}?sort=title")), Ask::get("/api/v1/changes")]
    {
        twins.ask(&ask)?;
    }
    twins.get("/api/v1/disclosures").map(drop)
}

/// The second page of a list that was begun under an agreement, asked for when it is over: the twins differ in that page alone.
fn unturned_page(twins: &mut Twins, over: impl Fn(&mut World)) -> Told {
    twins.import(
        JOBS,
        ["reference,title,city\nA,Baker,Lisboa\nB,Cook,Lisboa\n", "reference,title,city\nA,Baker,Lisboa\nB,Cook,Madrid\n"],
    );
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact", "city": "exact"})));
    twins.get(&format!("{READ}?sort=title&limit=1"))?;
    twins.each(over);
    twins.ask(&Ask::of(What::Next(0)))?;
    twins.get(READ)?;
    twins.get(&format!("{READ}?agreement={}", DEAL.id()))?;
    twins.get("/api/v1/changes").map(drop)
}

pub fn suspended(twins: &mut Twins) -> Told {
    unturned_page(twins, |world| assert!(world.decide(DEAL, Side::Provider, 1, Decision::Suspend)))
}

fn expired(twins: &mut Twins) -> Told {
    unturned_page(twins, |world| world.forward(24 * 366))
}

/// A cursor is kept for three months after it was given out, whatever else happened in the commons since.
fn old_cursors(twins: &mut Twins) -> Told {
    let file = "reference,title\nA,Baker\nB,Cook\n";
    twins.import(JOBS, [file, file]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    for address in [READ, "/api/v1/changes"] {
        twins.get(&format!("{address}?limit=1"))?;
    }
    twins.each(|world| world.forward(24));
    elsewhere(twins);
    for (days, status) in [(88, 200), (1, 410), (1, 410)] {
        twins.each(|world| world.forward(24 * days));
        twins.each(|world| assert!(world.server().store().prune(KEPT).is_ok()));
        for earlier in [0, 1] {
            assert_eq!(twins.next(earlier)?, status);
        }
    }
    Ok(())
}
