//! What is not shared at all: whether an error tells that it is there.

use serde_json::json;

use super::{DEAL, JOBS, READ, elsewhere, sees, shown};
use crate::ask::{Ask, Who};
use crate::twins::{Told, Twins};
use crate::world::{Deal, SECRET_LIST, STRANGER, agreement, coop, terms, with};

alike! {
    what_is_hidden_and_what_is_not_there_answer_alike => errors;
    what_others_are_shown_is_not_told => other_recipients;
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
    for address in [
        "/api/v1/opportunities?agreement={}",
        "/api/v1/changes?agreement={}",
        "/api/v1/agreements/{}",
        "/api/v1/agreements/{}/versions/1/preview",
        "/api/v1/agreements/{}/versions/1/words",
        "/api/v1/agreements/{}/versions/1/difference?from=1",
    ] {
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
    // Who stops an agreement is told what goes on beside it, and nothing of what others are shown.
    let answers: Vec<_> = twins.worlds.iter().map(|world| world.stopped(DEAL)).collect();
    assert!(answers[0].0 == 200 && answers[0].1.contains("still_visible_through"), "{:?}", answers[0]);
    assert_eq!(answers[0], answers[1]);
    Ok(())
}
