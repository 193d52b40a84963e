//! One pair of worlds for each known way to learn what is hidden. Each is a line of questions that both twins must answer alike.

use hayward_store::Decision;
use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::ask::{Ask, What, Who};
use crate::twins::{Told, Twins};
use crate::world::{Deal, RECIPIENT, SECRET_LIST, STRANGER, Side, agreement, coop, terms, with};

/// The list of opportunities that most of this is about, and where the recipient reads it.
const JOBS: usize = 0;
const READ: &str = "/api/v1/opportunities";
const OPERATORS: [&str; 8] = ["", "[in]", "[gt]", "[gte]", "[lt]", "[lte]", "[prefix]", "[null]"];

/// The agreement with the recipient about [`JOBS`].
const DEAL: Deal = Deal { number: 0, list: JOBS, with: Some(RECIPIENT) };

fn shown(fields: Value) -> Value {
    terms(JOBS, json!({"organization": coop(RECIPIENT)}), fields)
}

/// What the recipient is shown to begin with: without it a comparison compares nothing.
fn sees(twins: &mut Twins, what: &str) -> Told {
    let answer = twins.get(READ)?;
    assert!(answer.status == 200 && answer.body.contains(what), "{answer:?}");
    Ok(())
}

/// Something happens in the second commons that is none of the recipient's business.
fn elsewhere(twins: &mut Twins) {
    twins.worlds[1].import(SECRET_LIST, "reference,title\nZ,Elsewhere\nY,Elsewhere\n", false);
}

pub fn filters(twins: &mut Twins) -> Told {
    twins.import(JOBS, [
        "reference,title,country,salary_min,contact_email\nA,Baker,ES,12000,maria@example.org\nB,Cook,FR,31000,ana@x.coop\n",
        "reference,title,country,salary_min,contact_email\nA,Baker,ES,31000,\nB,Cook,FR,,maria@example.org\n",
    ]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact", "country": "exact"})));
    sees(twins, "Baker")?;
    for (name, value) in [("salary_min", "31000"), ("contact_email", "maria@example.org"), ("country", "ES")] {
        for spelt in [name.to_owned(), name.to_uppercase(), format!("{name}."), format!("{name}.x"), format!("x.{name}")] {
            for operator in OPERATORS {
                let value = if operator == "[null]" { "true" } else { value };
                twins.get(&format!("{READ}?{spelt}{operator}={value}"))?;
            }
        }
        twins.get(&format!("{READ}?fields={name}"))?;
        twins.get(&format!("{READ}?all[0][{name}]={value}"))?;
    }
    Ok(())
}

pub fn sorts(twins: &mut Twins) -> Told {
    twins.import(JOBS, [
        "reference,title,salary_min\nA,Baker,1\nB,Baker,2\nC,Cook,3\n",
        "reference,title,salary_min\nA,Baker,3\nB,Baker,1\nC,Cook,\n",
    ]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    sees(twins, "Baker")?;
    for sort in ["salary_min", "-salary_min", "title", "-title", "title,salary_min", "reference", "row", "id", ""] {
        twins.get(&format!("{READ}?sort={sort}&limit=1"))?;
        twins.ask(&Ask::of(What::Next(usize::MAX)))?;
    }
    Ok(())
}

pub fn counts(twins: &mut Twins) -> Told {
    twins.import(JOBS, [
        "reference,title,country\nA,Baker,ES\nB,Cook,ES\nC,Smith,FR\n",
        "reference,title,country\nA,Baker,ES\nD,Baker,FR\nB,Cook,ES\nE,Cook,\n",
    ]);
    let rows = json!({"rows": {"country": {"eq": "ES"}}});
    twins.agree(DEAL, &with(shown(json!({"reference": "exact", "title": "exact"})), rows));
    sees(twins, "Cook")?;
    elsewhere(twins);
    for query in ["", "&title=Baker", "&title=Smith", "&limit=1", "&country=FR", "&audience=members"] {
        twins.get(&format!("{READ}?count=true{query}"))?;
    }
    twins.ask(&Ask::get(&format!("{READ}?count=true")).accept("text/csv"))?;
    twins.get("/api/v1/disclosures").map(drop)
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
    twins.import(JOBS, [
        "reference,title,salary_min,memo\nA,Baker,1,x\nB,Chef,2,y\n",
        "reference,title,salary_min,memo\nA,Baker,3,z\nB,Chef,4,y\n",
    ]);
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

pub fn coarse_values(twins: &mut Twins) -> Told {
    let heading = "reference,title,latitude,longitude,salary_min,closes_on,contact_email,contact_phone,city\n";
    twins.import(JOBS, [
        &format!("{heading}A,Baker,41.38,2.17,12000,2027-01-15,maria@example.org,+34 600 111 222,Barcelona\n"),
        &format!("{heading}A,Baker,41.41,2.22,12900,2027-01-31,marta@example.org,+34 699 888 222,Badalona\n"),
    ]);
    let (month, grid) = (json!({"generalised": "month"}), json!({"generalised": "grid:0.1"}));
    let fields = json!({
        "reference": "exact", "latitude": grid, "longitude": grid, "salary_min": {"generalised": "band:1000"}, "closes_on": month,
        "contact_email": "masked", "contact_phone": "masked", "city": {"generalised": "prefix:2"},
    });
    twins.agree(DEAL, &shown(fields));
    sees(twins, "m•••@example.org")?;
    for query in ["latitude[gte]=41.39", "latitude=41.38", "longitude[lt]=2.2", "closes_on[gt]=2027-01-20", "closes_on=2027-01"] {
        twins.get(&format!("{READ}?{query}&count=true"))?;
    }
    for query in ["salary_min[gt]=12500", "contact_email[prefix]=mari", "contact_phone[prefix]=+34 60", "city=Barcelona"] {
        twins.get(&format!("{READ}?{query}&sort=-latitude"))?;
    }
    twins.get("/api/v1/changes").map(drop)
}

pub fn file_order(twins: &mut Twins) -> Told {
    let row = |number: usize, pay: usize| format!("R{number},Baker,{pay}\n");
    let up: String = (0..12).map(|number| row(number, number)).collect();
    let down: String = (0..12).rev().map(|number| row(number, 12 - number)).collect();
    twins.import(JOBS, [&format!("reference,title,salary_min\n{up}"), &format!("reference,title,salary_min\n{down}")]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    sees(twins, "R11")?;
    for ask in [Ask::get(READ), Ask::get(READ).accept("text/csv"), Ask::get(&format!("{READ}?sort=title")), Ask::get("/api/v1/changes")] {
        twins.ask(&ask)?;
    }
    twins.get("/api/v1/disclosures").map(drop)
}

pub fn errors(twins: &mut Twins) -> Told {
    let file = "reference,title,country,salary_min\nA,Baker,ES,1\nC,Smith,FR,2\n";
    twins.import(JOBS, [file, file]);
    let rows = json!({"rows": {"country": {"eq": "ES"}}});
    twins.agree(DEAL, &with(shown(json!({"reference": "exact", "title": "exact"})), rows));
    let private = Deal { number: 1, list: JOBS, with: Some(STRANGER) };
    twins.agree(private, &terms(JOBS, json!({"organization": coop(STRANGER)}), json!({"reference": "exact"})));
    sees(twins, "Baker")?;
    // A hidden field and a slip, in every place that takes a name.
    for address in ["?{}=1", "?{}[gte]=1", "?{}[near]=1", "?sort={}", "?sort=-{}", "?fields=title,{}", "?{}.x=1"] {
        twins.ask_for(&format!("{READ}{address}"), ["salary_min", "salery_min"])?;
    }
    // An agreement of others and none, a co-op that shares nothing and none.
    let [others, none] = [1, 77].map(|number| agreement(number).to_string());
    let agreements = [others.as_str(), none.as_str()];
    for address in ["/api/v1/opportunities?agreement={}", "/api/v1/changes?agreement={}", "/api/v1/agreements/{}", "/api/v1/agreements/{}/versions/1/preview"] {
        twins.ask_for(address, agreements)?;
    }
    let [silent, none] = [STRANGER, 60].map(|number| coop(number).to_string());
    twins.ask_for(&format!("{READ}?provider={{}}"), [&silent, &none])?;
    // A record outside the condition, one of a list that is not shared at all, and none.
    elsewhere(twins);
    twins.worlds[0].import(SECRET_LIST, "reference,title\nZ,Elsewhere\n", false);
    for (list, key) in [(JOBS, "C"), (SECRET_LIST, "Z")] {
        let hidden = twins.worlds[0].original_id(list, key).unwrap();
        let forged = twins.worlds[1].original_id(list, key).unwrap().replace(['a', 'e'], "q");
        twins.ask_for(&format!("{READ}/{{}}"), [&hidden, &forged])?;
    }
    Ok(())
}

pub fn other_recipients(twins: &mut Twins) -> Told {
    let file = "reference,title,salary_min\nA,Baker,1\n";
    twins.import(JOBS, [file, file]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    let private = Deal { number: 1, list: JOBS, with: Some(STRANGER) };
    let fields = json!({"reference": "exact", "salary_min": "exact"});
    twins.worlds[1].agree(private, &terms(JOBS, json!({"organization": coop(STRANGER)}), fields));
    sees(twins, "Baker")?;
    for address in [READ, "/api/v1/opportunities?salary_min=1", "/api/v1/changes", "/api/v1/agreements", "/api/v1/catalogue"] {
        twins.get(address)?;
        twins.ask(&Ask::get(address).by(Who::Nobody))?;
    }
    Ok(())
}

/// The second page of a list that was begun under an agreement, asked for when it is over: the twins differ in that page alone.
fn unturned_page(twins: &mut Twins, over: impl Fn(&mut crate::world::World)) -> Told {
    twins.import(JOBS, [
        "reference,title,city\nA,Baker,Lisboa\nB,Cook,Lisboa\n",
        "reference,title,city\nA,Baker,Lisboa\nB,Cook,Madrid\n",
    ]);
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

on_both! {
    fn a_filter_on_a_hidden_field_answers_alike(twins: Twins) {
        filters(&mut { twins }).unwrap();
    }
}

on_both! {
    fn a_sort_by_a_hidden_field_answers_alike(twins: Twins) {
        sorts(&mut { twins }).unwrap();
    }
}

on_both! {
    fn a_count_counts_what_is_shared(twins: Twins) {
        counts(&mut { twins }).unwrap();
    }
}

on_both! {
    fn an_etag_outlives_what_is_hidden(twins: Twins) {
        etags(&mut { twins }).unwrap();
    }
}

on_both! {
    fn an_edit_of_hidden_fields_moves_nothing(twins: Twins) {
        hidden_edits(&mut { twins }).unwrap();
    }
}

on_both! {
    fn leaving_the_condition_looks_like_a_deletion(twins: Twins) {
        tombstones(&mut { twins }).unwrap();
    }
}

on_both! {
    fn values_that_look_the_same_are_the_same(twins: Twins) {
        coarse_values(&mut { twins }).unwrap();
    }
}

on_both! {
    fn the_order_of_a_file_is_not_told(twins: Twins) {
        file_order(&mut { twins }).unwrap();
    }
}

on_both! {
    fn what_is_hidden_and_what_is_not_there_answer_alike(twins: Twins) {
        errors(&mut { twins }).unwrap();
    }
}

on_both! {
    fn what_others_are_shown_is_not_told(twins: Twins) {
        other_recipients(&mut { twins }).unwrap();
    }
}

on_both! {
    fn a_page_not_yet_turned_ends_with_a_suspension(twins: Twins) {
        suspended(&mut { twins }).unwrap();
    }
}

on_both! {
    fn a_page_not_yet_turned_ends_with_the_agreement(twins: Twins) {
        expired(&mut { twins }).unwrap();
    }
}

on_both! {
    fn two_agreements_share_no_pseudonym(twins: Twins) {
        let mut twins = twins;
        let file = "reference,title,contact_email\nA,Baker,maria@example.org\nB,Cook,ana@x.coop\n";
        twins.import(JOBS, [file, file]);
        let fields = json!({"reference": "pseudonym", "contact_email": "pseudonym"});
        let ids = json!({"record_id": "pseudonym"});
        twins.agree(DEAL, &with(shown(fields.clone()), ids.clone()));
        let members = Deal { number: 1, list: JOBS, with: None };
        twins.agree(members, &with(terms(JOBS, json!("members"), fields), ids));
        let mut stands = std::collections::BTreeSet::new();
        for deal in [DEAL, members] {
            let address = format!("{READ}?agreement={}", deal.id());
            let body: Value = twins.worlds[0].server().get(&address, Some(crate::world::token())).json().unwrap();
            for item in body["items"].as_array().unwrap() {
                for name in ["id", "reference", "contact_email"] {
                    assert!(stands.insert(item[name].as_str().unwrap().to_owned()), "`{name}` stands under both");
                }
            }
            twins.get(&address).unwrap();
        }
        assert_eq!(stands.len(), 12);
    }
}

/// A cursor is kept for three months after it was given out, whatever else happened in the commons since.
fn old_cursors(twins: &mut Twins) -> Told {
    let file = "reference,title\nA,Baker\nB,Cook\n";
    twins.import(JOBS, [file, file]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    twins.get(&format!("{READ}?limit=1"))?;
    twins.get("/api/v1/changes?limit=1")?;
    twins.each(|world| world.forward(24));
    elsewhere(twins);
    for days in [88, 1, 1, 1] {
        twins.each(|world| world.forward(24 * days));
        twins.each(|world| drop(world.server().store().prune(hayward::config::KEPT).unwrap()));
        for earlier in [0, 1] {
            twins.ask(&Ask::of(What::Next(earlier)))?;
        }
    }
    Ok(())
}

on_both! {
    fn a_cursor_ages_by_the_clock_alone(twins: Twins) {
        old_cursors(&mut { twins }).unwrap();
    }
}
