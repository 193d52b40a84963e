//! `GET /api/v1/agreements/{id}/usage`: how much of what an agreement grants was ever given.
//!
//! A field counts as used where an answer with at least one record had it in: because `fields=` named it, because a filter or a sort
//! used it, or because nothing was named and everything went out. All of it are facts of the ledger; what the recipient asked for
//! besides is written down nowhere.

use std::collections::BTreeSet;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::agreement::Side;
use hayward_domain::moment::Moment;
use hayward_domain::terms::Terms;
use hayward_store::{Granted, Usage};
use serde_json::{Value, json};

use super::agreements::agreement_id;
use super::params::Params;
use crate::auth::bearer::{Bearer, LedgerRead};
use crate::commons::Commons;
use crate::error::Error;

/// What was given under an agreement: for its provider to everybody, for its recipient to itself.
pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<LedgerRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let (id, caller, ledger) = (agreement_id(&id)?, bearer.caller, commons.ledger.store.clone());
    let agreement = id.to_string();
    let (granted, usage) = commons
        .run(move |store| {
            let granted = store.granted(&caller, &id)?;
            let recipient = (granted.side == Side::Recipient).then(|| caller.organization_id.to_string());
            let usage = ledger.usage(id.as_str(), recipient.as_deref())?;
            Ok::<_, Error>((granted, usage))
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(told(&agreement, &granted, &usage)))
}

fn told(agreement: &str, granted: &Granted, usage: &Usage) -> Value {
    let at = |at: Option<Moment>| at.map(Moment::to_rfc3339);
    let names: BTreeSet<&str> = granted.terms.disclosed().map(|(name, _)| name.as_str()).collect();
    let fields = granted.terms.disclosed().map(|(name, treatment)| {
        let used = usage.fields.get(name.as_str());
        json!({
            "field": name.as_str(),
            "treatment": treatment.to_json(),
            "answers": used.map_or(0, |used| used.answers),
            "last": at(used.map(|used| used.last)),
        })
    });
    let former = usage.fields.iter().filter(|(name, _)| !names.contains(name.as_str()));
    let former = former.map(|(name, used)| json!({"field": name, "answers": used.answers, "last": at(Some(used.last))}));
    let unused: Vec<&str> = names.iter().copied().filter(|name| !usage.fields.contains_key(*name)).collect();
    let mut told = json!({
        "agreement": agreement,
        "version": granted.version,
        "state": granted.state,
        "granted": names.len(),
        "used": names.len() - unused.len(),
        "fields": fields.collect::<Vec<_>>(),
        // Under earlier versions.
        "no_longer_granted": former.collect::<Vec<_>>(),
        "unused": unused,
        "reads": usage.channels.values().sum::<i64>(),
        "channels": usage.channels,
        "records": usage.records,
        "refusals": usage.refusals,
        "first": at(usage.first),
        "last": at(usage.last),
    });
    if let (Side::Provider, Value::Object(members)) = (granted.side, &mut told) {
        members.insert("narrower".to_owned(), narrower(&granted.terms, &unused));
    }
    told
}

/// The terms without the fields that nobody used, to be posted as a version; nothing where none, or all, are unused.
fn narrower(terms: &Terms, unused: &[&str]) -> Value {
    if unused.is_empty() || unused.len() == terms.disclosed().count() {
        return Value::Null;
    }
    let mut document = terms.to_json();
    if let Some(Value::Object(fields)) = document.get_mut("fields") {
        fields.retain(|name, _| !unused.contains(&name.as_str()));
    }
    document
}
