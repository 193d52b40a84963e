//! `/api/v1/agreements`: asking, offering, deciding.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::{AgreementId, DisclosureId};
use hayward_domain::schema::{Field, Sensitivity};
use hayward_domain::scope::Scope;
use hayward_domain::words::Language;
use hayward_store::{Decision, Fresh, Outcome, Preview, ProposalError, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body;
use super::params::{PAGE, Params};
use super::wording;
use crate::auth::bearer::{AgreementsApprove, AgreementsPropose, AgreementsRead, Bearer};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::{Detail, Error};
use crate::ledger::Previewed;
use crate::revocation;

impl From<ProposalError> for Error {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::Store(error) => error.into(),
            ProposalError::Faults(faults) => {
                let errors = faults.into_iter().map(|fault| Detail {
                    pointer: Some(fault.pointer),
                    parameter: None,
                    code: fault.code.to_owned(),
                    detail: fault.detail,
                });
                Self::Bad { code: "invalid-terms", detail: "these terms cannot be".to_owned(), errors: errors.collect() }
            }
        }
    }
}

pub(super) fn agreement_id(text: &str) -> Result<AgreementId, Error> {
    AgreementId::parse(text).ok_or(Error::NotFound)
}

/// The agreements of the caller's organization.
pub async fn list(request: HttpRequest, bearer: Bearer<AgreementsRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor) = (params.limit()?.unwrap_or(PAGE), params.take("cursor"));
    params.end()?;
    let bound = Bound::to(bearer.caller.name(), &["agreements"]);
    let key = commons.store.cursor_key();
    let below = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map(|[below, ..]| below);
    let caller = bearer.caller;
    let page = commons.run(move |store| store.agreements(&caller, below, limit)).await?;
    let next = match page.after {
        Some(after) => Some(bound.seal(key, commons.random(), [after, 0, 0, 0, 0, 0, 0])?),
        None => None,
    };
    Ok(HttpResponse::Ok().json(json!({"items": page.items, "next": next})))
}

/// One agreement, for its parties.
pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<AgreementsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let (id, caller) = (agreement_id(&id)?, bearer.caller);
    let agreement = commons.run(move |store| store.agreement(&caller, &id, None)).await?;
    Ok(HttpResponse::Ok().json(agreement))
}

/// Offers or requests an agreement.
pub async fn propose(
    request: HttpRequest,
    bearer: Bearer<AgreementsPropose>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let terms = body::json(&request, &bytes)?;
    let fresh = Fresh { id: AgreementId::from_random(commons.random()), secret: commons.random() };
    let caller = bearer.still(&commons).await?;
    let agreement = commons
        .run(move |store| {
            let terms = store.complete_terms(&caller, terms)?;
            let (id, version) = store.propose(&caller, &terms, &fresh)?;
            Ok::<_, ProposalError>(store.agreement(&caller, &id, Some(version))?)
        })
        .await?;
    Ok(HttpResponse::Created().json(agreement))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    terms: Value,
    from: i64,
}

/// Counters, succeeds or narrows.
pub async fn version(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<AgreementsPropose>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let NewVersion { terms, from } = body::read(&request, &bytes)?;
    let (id, caller) = (agreement_id(&id)?, bearer.still(&commons).await?);
    let (agreement, narrowed) = commons
        .run(move |store| {
            let terms = store.complete_terms(&caller, terms)?;
            let (version, narrowed) = store.propose_version(&caller, &id, from, &terms)?;
            Ok::<_, ProposalError>((store.agreement(&caller, &id, Some(version))?, narrowed))
        })
        .await?;
    if narrowed {
        commons.wake.notify_one();
        revocation::acknowledge().await;
    }
    Ok(HttpResponse::Created().json(agreement))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    version: i64,
    reason: Option<String>,
}

/// Approves, declines, withdraws, suspends, resumes, ends, certifies, or declares a conflict.
pub async fn decide(
    request: HttpRequest,
    path: Path<(String, String)>,
    bearer: Bearer<AgreementsApprove>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let (id, event) = path.into_inner();
    let decision = Decision::parse(&event).ok_or(Error::NotFound)?;
    let Decide { version, reason } = body::read(&request, &bytes)?;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > 4_000) {
        return Err(Error::bad("invalid-body", "a reason has at most 4000 characters"));
    }
    let (id, caller) = (agreement_id(&id)?, bearer.still(&commons).await?);
    let (again, again_id) = (caller.clone(), id.clone());
    let outcome = commons.run(move |store| store.decide(&caller, &id, version, decision, reason)).await?;
    match outcome {
        Outcome::Closed => revocation::acknowledge().await,
        // Most shares are built before the answer is read; a large one goes on without its steward waiting.
        Outcome::Agreed => build(&commons).await,
        Outcome::Opened => commons.wake.notify_one(),
        Outcome::Unchanged => {}
    }
    // Who stops an agreement is told what goes on beside it.
    let beside = matches!(decision, Decision::Suspend | Decision::End);
    let agreement = commons
        .run(move |store| {
            let mut agreement = store.agreement(&again, &again_id, Some(version))?;
            if let (true, Some(members)) = (beside, agreement.as_object_mut()) {
                members.insert("still_visible_through".to_owned(), store.still_visible_through(&again, &again_id)?.into());
            }
            Ok::<_, StoreError>(agreement)
        })
        .await?;
    Ok(HttpResponse::Ok().json(agreement))
}

async fn build(commons: &Data<Commons>) {
    let worker = commons.clone();
    let task = actix_web::rt::spawn(async move { worker.run(|store| store.build_due()).await });
    let built = actix_web::rt::time::timeout(std::time::Duration::from_secs(5), task).await;
    if !matches!(built, Ok(Ok(Ok(_)))) {
        commons.wake.notify_one();
    }
}

/// The page that the recipient of a version would get.
pub async fn preview(
    request: HttpRequest,
    path: Path<(String, i64)>,
    bearer: Bearer<AgreementsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    // Rows of the provider's own list: for who may read it, or decides about it.
    let scopes = &bearer.caller.scopes;
    if !scopes.has(&Scope::DatasetsRead) && !scopes.has(&Scope::AgreementsApprove) {
        return Err(Error::MissingScope(Scope::DatasetsRead));
    }
    let mut params = Params::parse(request.query_string())?;
    let language = wording::language(&request, &mut params)?;
    let limit = params.limit()?.unwrap_or(PAGE);
    params.end()?;
    let (id, version) = path.into_inner();
    let (id, caller) = (agreement_id(&id)?, bearer.caller);
    let (agreement, looker) = (id.clone(), caller.clone());
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let preview = commons.run(move |store| store.preview(&caller, &id, version, wanted)).await?;
    let entry = DisclosureId::at(commons.store.now(), commons.random());
    let looked = Previewed {
        id: &entry,
        caller: &looker,
        agreement: &agreement,
        version,
        terms: &preview.terms,
        count: preview.records.len(),
        now: commons.store.now(),
    };
    commons.ledger.previewed(looked).await?;
    let provider = &preview.terms.provider;
    let items: Vec<String> = preview
        .records
        .iter()
        .map(|(id, record)| {
            let rest = record.payload().strip_prefix('{').unwrap_or_default();
            format!("{{\"id\":\"{id}\",\"provider\":\"{provider}\",\"agreement\":\"{agreement}\",{rest}")
        })
        .collect();
    let implied: Vec<Value> = preview
        .terms
        .implied()
        .into_iter()
        .chain(preview.schema.implied())
        .map(|(field, meaning)| json!({"field": field.as_str(), "meaning": meaning}))
        .collect();
    // A condition gives away something of its own field, and so does a ceiling: where there is one, the page says what.
    let implied = if implied.is_empty() { String::new() } else { format!(",\"implied\":{}", Value::from(implied)) };
    let more: String = beyond_the_page(&preview, language).iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
    let body = format!("{{\"items\":[{}],\"next\":null{implied}{more}}}", items.join(","));
    let mut response = HttpResponse::Ok();
    response.insert_header(("Cache-Control", "private, no-store")).insert_header(("Disclosure-Id", entry.as_str()));
    Ok(response.content_type("application/json").body(body))
}

/// What a steward should know besides the page: how much is shown, what is not, and what free words may give away.
fn beyond_the_page(preview: &Preview, language: Language) -> [(&'static str, Value); 3] {
    let label = |field: &Field| field.labels.get(language.code()).cloned().unwrap_or_else(|| field.name.to_string());
    let named = |field: &Field| preview.terms.disclosed().any(|(name, _)| *name == field.name);
    let is_hidden = |field: &&Field| field.sensitivity == Sensitivity::Never || !named(field);
    let hidden = preview
        .schema
        .fields
        .iter()
        .filter(is_hidden)
        .map(|field| json!({"field": field.name.as_str(), "label": label(field), "sensitivity": field.sensitivity.as_str()}));
    let free_text = preview.free_text.iter().map(
        |found| json!({"field": found.field.as_str(), "emails": found.emails, "phones": found.phones, "rows": found.records}),
    );
    let left_out = preview.of.saturating_sub(preview.shown);
    [
        ("count", json!({"shown": preview.shown, "of": preview.of})),
        ("not_shown", json!({"fields": hidden.collect::<Vec<_>>(), "rows": left_out})),
        ("free_text", free_text.collect()),
    ]
}
