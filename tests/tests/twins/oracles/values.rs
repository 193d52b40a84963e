//! What is hidden in the records that are shown: whether a filter, a sort, a count or a coarse value tells.

use std::collections::BTreeSet;

use hayward_tests::on_both;
use serde_json::{Value, json};

use super::{DEAL, JOBS, READ, elsewhere, sees, shown};
use crate::ask::{Ask, What};
use crate::twins::{Told, Twins};
use crate::world::{Deal, RECIPIENT, coop, terms, token, with};

/// The list of people.
const PEOPLE: usize = 1;
const OPERATORS: [&str; 8] = ["", "[in]", "[gt]", "[gte]", "[lt]", "[lte]", "[prefix]", "[null]"];

alike! {
    a_filter_on_a_hidden_field_answers_alike => filters;
    a_sort_by_a_hidden_field_answers_alike => sorts;
    a_count_counts_what_is_shared => counts;
    who_said_no_is_in_nobodys_share => consent;
    values_that_look_the_same_are_the_same => coarse_values;
}

pub fn filters(twins: &mut Twins) -> Told {
    twins.import(
        JOBS,
        [
            "reference,title,country,salary_min,contact_email\nA,Baker,ES,12000,maria@example.org\nB,Cook,FR,31000,ana@x.coop\n",
            "reference,title,country,salary_min,contact_email\nA,Baker,ES,31000,\nB,Cook,FR,,maria@example.org\n",
        ],
    );
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

fn sorts(twins: &mut Twins) -> Told {
    twins.import(
        JOBS,
        [
            "reference,title,salary_min\nA,Baker,1\nB,Baker,2\nC,Cook,3\n",
            "reference,title,salary_min\nA,Baker,3\nB,Baker,1\nC,Cook,\n",
        ],
    );
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    sees(twins, "Baker")?;
    for sort in ["salary_min", "-salary_min", "title", "-title", "title,salary_min", "reference", "row", "id", ""] {
        twins.get(&format!("{READ}?sort={sort}&limit=1"))?;
        twins.ask(&Ask::of(What::Next(usize::MAX)))?;
    }
    Ok(())
}

pub fn counts(twins: &mut Twins) -> Told {
    twins.import(
        JOBS,
        [
            "reference,title,country\nA,Baker,ES\nB,Cook,ES\nC,Smith,FR\n",
            "reference,title,country\nA,Baker,ES\nD,Baker,FR\nB,Cook,ES\nE,Cook,\n",
        ],
    );
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

/// Whatever the rows say: who said no may be drawn anew, be many or none.
pub fn consent(twins: &mut Twins) -> Told {
    let heading = "member_id,given_name,consent_directory,status\n";
    twins.import(
        PEOPLE,
        [
            &format!("{heading}A,Ada,yes,open\nB,Bo,,open\nC,Cem,no,open\nD,Dan,no,closed\n"),
            &format!("{heading}A,Ada,yes,open\nB,Bo,,open\nE,Eva,no,closed\n"),
        ],
    );
    let fields = json!({"member_id": "exact", "given_name": "exact", "consent_directory": "exact"});
    let deal = Deal { number: 0, list: PEOPLE, with: Some(RECIPIENT) };
    let audience = json!({"organization": coop(RECIPIENT)});
    twins.agree(deal, &terms(PEOPLE, audience.clone(), fields.clone()));
    let said_no = json!({"rows": {"consent_directory": {"eq": false}}});
    let other = Deal { number: 1, ..deal };
    twins.agree(other, &with(terms(PEOPLE, audience, fields), said_no));
    let answer = twins.get("/api/v1/memberships?count=true")?;
    assert!(answer.body.contains("Ada") && answer.body.contains("Bo"), "{answer:?}");
    for query in ["consent_directory=false", "consent_directory[null]=true", "sort=given_name", "given_name=Cem", "count=true"] {
        twins.get(&format!("/api/v1/memberships?{query}"))?;
        twins.get(&format!("/api/v1/memberships?agreement={}&{query}", other.id()))?;
    }
    twins.import(PEOPLE, [&format!("{heading}A,Ada,no,open\nC,Cem,no,open\n"), &format!("{heading}A,Ada,no,closed\n")]);
    twins.get("/api/v1/memberships?count=true")?;
    twins.get("/api/v1/changes").map(drop)
}

pub fn coarse_values(twins: &mut Twins) -> Told {
    let heading = "reference,title,latitude,longitude,salary_min,closes_on,contact_email,contact_phone,city\n";
    twins.import(
        JOBS,
        [
            &format!("{heading}A,Baker,41.38,2.17,12000,2027-01-15,maria@example.org,+34 600 111 222,Barcelona\n"),
            &format!("{heading}A,Baker,41.41,2.22,12900,2027-01-31,marta@example.org,+34 699 888 222,Badalona\n"),
        ],
    );
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
        let mut stands = BTreeSet::new();
        for deal in [DEAL, members] {
            let address = format!("{READ}?agreement={}", deal.id());
            let body: Value = twins.worlds[0].server().get(&address, Some(token())).json().unwrap();
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
