//! What stands in a heading, in an empty place and at the beginning of a cell.

use serde_json::json;

use super::{DEAL, JOBS, READ, sees, shown, wanted};
use crate::ask::Ask;
use crate::twins::{Told, Twins};
use crate::world::{Deal, terms};

alike! {
    a_hidden_field_is_not_taken_for_an_empty_one => empty;
    a_heading_names_what_is_disclosed => headings;
    a_formula_comes_out_disarmed => formulas;
}

/// Over two agreements, one of which hides a field: its rows have no such field, and so not an empty one.
pub fn empty(twins: &mut Twins) -> Told {
    let file = "reference,title,city\nA,Baker,\nB,Cook,Lisboa\n";
    twins.import(JOBS, [file, file]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    let members = Deal { number: 1, list: JOBS, with: None };
    twins.agree(members, &terms(JOBS, json!("members"), json!({"reference": "exact", "city": "exact"})));
    for query in ["city[null]=true", "city[null]=true&count=true", "city[null]=false", "city[null]=true&sort=city"] {
        let answer = twins.get(&format!("{READ}?{query}"))?;
        let members_only = answer.body.contains(members.id().as_str()) && !answer.body.contains(DEAL.id().as_str());
        wanted(members_only, query, &answer)?;
    }
    Ok(())
}

pub fn headings(twins: &mut Twins) -> Told {
    twins.import(JOBS, ["reference,title,memo,salary_min\nA,Baker,x,1\n", "reference,title,note,salary_max\nA,Baker,y,2\n"]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    let sheet = twins.answer(&Ask::get(READ).accept("text/csv"))?;
    wanted(sheet.body.starts_with("id,provider,agreement,edition,reference,title\r\n"), "the heading", &sheet)?;
    sees(twins, "Baker")
}

pub fn formulas(twins: &mut Twins) -> Told {
    let file = "reference,title\nA,=1+1\nB,+SUM(A1)\nC,-1+1\nD,@A1\n";
    twins.import(JOBS, [file, file]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    let sheet = twins.answer(&Ask::get(READ).accept("text/csv"))?;
    let armed = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '-', '@']);
    wanted(!sheet.body.split([',', '\r', '\n']).any(armed), "the cells", &sheet)
}
