//! A version of an agreement in plain words, and how it differs from another: the same text for both parties.
//!
//! Made from the terms alone: nothing of any list is read here.

use actix_web::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::words::{self, Changed, Language, Sentence};
use serde_json::{Value, json};

use super::agreements::agreement_id;
use super::params::Params;
use crate::auth::bearer::{AgreementsRead, Bearer};
use crate::commons::Commons;
use crate::error::Error;

/// What a version says.
pub async fn words(
    request: HttpRequest,
    path: Path<(String, i64)>,
    bearer: Bearer<AgreementsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let language = language(&request, &mut params)?;
    params.end()?;
    let (id, version) = path.into_inner();
    let (id, caller) = (agreement_id(&id)?, bearer.caller);
    let wording = commons.run(move |store| store.wording(&caller, &id, version)).await?;
    let sentences: Vec<Value> = words::sentences(&wording.as_version(), language).iter().map(said).collect();
    Ok(answer(language).json(json!({"language": language.code(), "version": version, "sentences": sentences})))
}

/// What is different in a version.
pub async fn difference(
    request: HttpRequest,
    path: Path<(String, i64)>,
    bearer: Bearer<AgreementsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let language = language(&request, &mut params)?;
    let from = params.take("from").map(|from| from.parse::<i64>()).transpose();
    let from = from.map_err(|_| Error::parameter("invalid-parameter", "from", "`from` is the number of a version"))?;
    params.end()?;
    let (id, to) = path.into_inner();
    let (id, caller) = (agreement_id(&id)?, bearer.caller);
    let (old, new) = commons.run(move |store| store.wordings(&caller, &id, from, to)).await?;
    let difference = words::difference(&old.as_version(), &new.as_version(), language);
    let sentences = difference.sentences.iter().map(|(change, sentence)| {
        let mut said = said(sentence);
        if let Value::Object(members) = &mut said {
            members.insert("change".to_owned(), change.as_str().into());
        }
        said
    });
    Ok(answer(language).json(json!({
        "language": language.code(),
        "from": old.version,
        "to": new.version,
        "sentences": sentences.collect::<Vec<_>>(),
        "unchanged": {"count": difference.unchanged, "text": difference.unchanged_words},
        "changes": difference.changes.iter().map(changed).collect::<Vec<_>>(),
    })))
}

fn said(sentence: &Sentence) -> Value {
    json!({"kind": sentence.about.as_str(), "pointers": sentence.pointers, "text": sentence.text})
}

fn changed(changed: &Changed) -> Value {
    let Changed { pointer, change, before, after } = changed;
    json!({"pointer": pointer, "change": change.as_str(), "before": before, "after": after})
}

/// The language that the caller named with `lang`, else the one that `Accept-Language` wants most.
///
/// # Errors
/// `invalid-parameter` for a language that is not spoken here.
pub(super) fn language(request: &HttpRequest, params: &mut Params) -> Result<Language, Error> {
    match params.take("lang") {
        Some(code) => {
            Language::parse(&code).ok_or_else(|| Error::parameter("invalid-parameter", "lang", "`lang` is `en` or `es`"))
        }
        None => {
            let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            Ok(Language::accepted(header.unwrap_or_default()))
        }
    }
}

fn answer(language: Language) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_LANGUAGE, language.code())).insert_header((VARY, "Accept-Language"));
    answer
}
