//! Who may come in where: whether another token, another id or another hour opens what is not for the caller.

use std::collections::BTreeSet;

use hayward_store::Decision;
use serde_json::{Value, json};

use super::movement::suspended;
use super::{DEAL, JOBS, READ, sees, shown, wanted};
use crate::ask::{Ask, What, Who};
use crate::twins::{Told, Twins};
use crate::world::{Deal, RECIPIENT, SECRET_LIST, STRANGER, Side, coop, dataset, stranger_token, terms, token, with};

alike! {
    a_cursor_is_its_callers => cursors;
    what_one_caller_found_out_is_not_anothers => kept;
    two_agreements_name_nothing_alike => pseudonyms;
    an_id_opens_no_share_of_others => ids;
    what_went_before_the_agreement_looks_like_what_went_with_it => removals;
    the_feed_closes_with_the_agreement => suspended;
    an_entry_names_every_field_that_was_used => entries;
    a_scope_is_asked_for_in_every_collection => scopes;
    a_token_ends_with_its_time => tokens;
    what_members_see_is_not_public => members;
    a_preview_is_for_the_provider => previews;
    a_list_is_its_owners => lists;
    terms_without_rows_are_no_terms => rows;
}

/// An agreement about [`JOBS`] with somebody else.
const OTHERS: Deal = Deal { number: 1, list: JOBS, with: Some(STRANGER) };
/// One with all member co-ops.
const MEMBERS: Deal = Deal { number: 2, list: JOBS, with: None };

const ALIKE: &str = "reference,title\nA,Baker\nB,Cook\n";

/// Two lists that differ in what is shown, to be asked for by who may not see it.
const APART: [&str; 2] = [ALIKE, "reference,title\nA,Smith\nB,Cook\n"];

fn titles() -> Value {
    json!({"reference": "exact", "title": "exact"})
}

fn to_the_stranger() -> Value {
    terms(JOBS, json!({"organization": coop(STRANGER)}), titles())
}

/// A cursor of the recipient's in another program's hands is as good as a forged one.
pub fn cursors(twins: &mut Twins) -> Told {
    twins.import(JOBS, [ALIKE, ALIKE]);
    twins.agree(DEAL, &shown(titles()));
    twins.agree(OTHERS, &to_the_stranger());
    for address in [READ, "/api/v1/changes"] {
        let cursor = twins.get(&format!("{address}?limit=1"))?.next.unwrap();
        let forged: String = cursor.chars().rev().collect();
        twins.ask_by(Who::Stranger, &format!("{address}?limit=1&cursor={{}}"), [&cursor, &forged])?;
    }
    Ok(())
}

/// What is kept between requests is kept for one organization.
pub fn kept(twins: &mut Twins) -> Told {
    twins.import(JOBS, [ALIKE, ALIKE]);
    twins.agree(OTHERS, &to_the_stranger());
    let told = twins.worlds[1].server().get(READ, Some(stranger_token())).text().unwrap();
    assert!(told.contains("Baker"), "{told}");
    for who in [Who::Recipient, Who::Nobody] {
        twins.ask(&Ask::get(READ).by(who))?;
        twins.ask(&Ask::get("/api/v1/changes").by(who))?;
    }
    Ok(())
}

/// Neither a pseudonym nor an id stands under two agreements that both say `pseudonym`.
pub fn pseudonyms(twins: &mut Twins) -> Told {
    let file = "reference,title,contact_email\nA,Baker,maria@example.org\nB,Cook,ana@x.coop\n";
    twins.import(JOBS, [file, file]);
    let (fields, ids) = (json!({"reference": "pseudonym", "contact_email": "pseudonym"}), json!({"record_id": "pseudonym"}));
    twins.agree(DEAL, &with(shown(fields.clone()), ids.clone()));
    twins.agree(MEMBERS, &with(terms(JOBS, json!("members"), fields), ids));
    let mut stands = BTreeSet::new();
    for deal in [DEAL, MEMBERS] {
        let address = format!("{READ}?agreement={}", deal.id());
        let answer = twins.get(&address)?;
        let body: Value = twins.worlds[0].server().get(&address, Some(token())).json().unwrap();
        for item in body["items"].as_array().unwrap() {
            for name in ["id", "reference", "contact_email"] {
                wanted(stands.insert(item[name].as_str().unwrap().to_owned()), &address, &answer)?;
            }
        }
    }
    Ok(())
}

/// The id of a record that another agreement shows to somebody else names nothing.
pub fn ids(twins: &mut Twins) -> Told {
    let file = "reference,title,country\nA,Baker,ES\nC,Smith,FR\n";
    twins.import(JOBS, [file, file]);
    let rows = json!({"rows": {"country": {"eq": "ES"}}});
    twins.agree(DEAL, &with(shown(titles()), rows));
    sees(twins, "Baker")?;
    twins.worlds[1].agree(OTHERS, &to_the_stranger());
    let hidden = What::Hidden { collection: "opportunities".to_owned(), list: JOBS, key: "C".to_owned() };
    twins.ask(&Ask::of(hidden))?;
    twins.ask(&Ask::get(READ))
}

/// A record that was deleted before the agreement ended, and one that was there until then.
pub fn removals(twins: &mut Twins) -> Told {
    twins.import(JOBS, [ALIKE, ALIKE]);
    twins.agree(DEAL, &shown(titles()));
    twins.get("/api/v1/changes")?;
    twins.worlds[0].import(JOBS, "reference,title\nB,Cook\n", true);
    twins.each(|world| assert!(world.decide(DEAL, Side::Provider, 1, Decision::End)));
    twins.ask(&Ask::of(What::Next(0)))
}

/// A filter tells something about a field that is not in the answer: the provider has to be able to see that.
pub fn entries(twins: &mut Twins) -> Told {
    let file = "reference,title,salary_min\nA,Baker,1\nB,Cook,2\n";
    twins.import(JOBS, [file, file]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact", "salary_min": "exact"})));
    for query in ["salary_min[gte]=2", "sort=-salary_min"] {
        twins.get(&format!("{READ}?fields=title&{query}"))?;
        let entry = twins.get("/api/v1/disclosures?limit=1")?;
        wanted(entry.body.contains("\"salary_min\"") && !entry.body.contains("\"reference\""), query, &entry)?;
    }
    Ok(())
}

/// Both co-ops' programs are the recipient's; what differs is what they may ask for.
pub fn scopes(twins: &mut Twins) -> Told {
    twins.import(JOBS, APART);
    twins.agree(DEAL, &shown(titles()));
    for address in [READ, "/api/v1/opportunities?count=true", "/api/v1/changes"] {
        let answer = twins.answer(&Ask::get(address).by(Who::Narrow))?;
        wanted(address.ends_with("changes") || answer.status == 403, address, &answer)?;
    }
    Ok(())
}

pub fn tokens(twins: &mut Twins) -> Told {
    twins.import(JOBS, APART);
    twins.agree(DEAL, &shown(titles()));
    twins.each(|world| world.forward(2));
    for address in [READ, "/api/v1/changes", "/api/v1/agreements", "/api/v1/disclosures"] {
        let answer = twins.answer(&Ask::get(address).by(Who::Brief))?;
        wanted(answer.status == 401, address, &answer)?;
    }
    Ok(())
}

pub fn members(twins: &mut Twins) -> Told {
    twins.import(JOBS, APART);
    twins.agree(MEMBERS, &terms(JOBS, json!("members"), titles()));
    for address in [READ, "/api/v1/opportunities?count=true", "/api/v1/changes"] {
        twins.ask(&Ask::get(address).by(Who::Nobody))?;
    }
    Ok(())
}

pub fn previews(twins: &mut Twins) -> Told {
    twins.import(JOBS, APART);
    twins.each(|world| world.offer(DEAL, &shown(titles())));
    for who in [Who::Steward, Who::Recipient, Who::Stranger] {
        twins.ask(&Ask::get(&format!("/api/v1/agreements/{}/versions/1/preview", DEAL.id())).by(who))?;
    }
    Ok(())
}

pub fn lists(twins: &mut Twins) -> Told {
    twins.import(SECRET_LIST, APART);
    for part in ["records", "records?sort=title", "imports"] {
        twins.ask(&Ask::get(&format!("/api/v1/datasets/{}/{part}", dataset(SECRET_LIST))).by(Who::Steward))?;
    }
    Ok(())
}

/// Terms that say nothing of the rows: the recipient would see an agreement in the one commons where they are offered.
pub fn rows(twins: &mut Twins) -> Told {
    twins.import(JOBS, [ALIKE, ALIKE]);
    let mut silent = terms(JOBS, json!({"organization": coop(RECIPIENT)}), titles());
    drop(silent.as_object_mut().unwrap().remove("rows"));
    let _taken = twins.worlds[0].would_offer(DEAL, &silent);
    twins.get("/api/v1/agreements").map(drop)
}
