//! `/api/v1/imports/{id}/matching` and `/fixes`: what a person decides about a file.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_importers::{Fix, Matching, MatchingFault};
use hayward_store::{Import, Store, StoreError};
use serde::Deserialize;
use std::sync::Arc;

use super::body;
use super::imports::{named, shown, turn};
use crate::auth::bearer::{Bearer, ImportsWrite};
use crate::commons::Commons;
use crate::error::{Detail, Error};

/// Says where the columns go.
pub async fn rematch(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let matching: Matching = body::read(&request, &bytes)?;
    decided(&id, bearer, &commons, move |store, import| store.rematch_import(import, matching)).await
}

/// One correction, or several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixes {
    fixes: Option<Vec<Fix>>,
    column: Option<String>,
    from: Option<String>,
    row: Option<u64>,
    to: Option<String>,
    /// The code of the group that is meant. The value tells which it is; where cells are missing they are blank.
    code: Option<String>,
}

impl Fixes {
    fn into_list(self) -> Result<Vec<Fix>, Error> {
        let Self { fixes, column, from, row, to, code } = self;
        match (fixes, column) {
            (Some(fixes), None) if from.is_none() && row.is_none() && to.is_none() && code.is_none() => Ok(fixes),
            (None, Some(column)) => {
                let is_of_blanks = from.is_none() && row.is_none() && code.as_deref() == Some("missing-cell");
                let from = if is_of_blanks { Some(String::new()) } else { from };
                Ok(vec![Fix { column, from, row, to }])
            }
            _ => Err(Error::bad("invalid-body", "send either one correction or a list of them as `fixes`")),
        }
    }
}

/// Corrects cells.
pub async fn fix(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let fixes = body::read::<Fixes>(&request, &bytes)?.into_list()?;
    decided(&id, bearer, &commons, move |store, import| store.fix_import(import, fixes)).await
}

/// Decides something about an import, which is counted anew.
async fn decided(
    id: &str,
    bearer: Bearer<ImportsWrite>,
    commons: &Data<Commons>,
    decide: impl FnOnce(&Arc<Store>, &Import) -> Result<Vec<MatchingFault>, StoreError> + Send + 'static,
) -> Result<HttpResponse, Error> {
    let owner = bearer.still(commons).await?.organization;
    let turn = turn(commons).await?;
    // Looked up in our turn: who was before us may have decided something.
    let import = named(commons, owner, id).await?;
    let faults = commons
        .run(move |store| {
            let _turn = turn;
            decide(store, &import)
        })
        .await?;
    if !faults.is_empty() {
        let errors = faults.into_iter().map(|fault| Detail {
            pointer: Some(fault.pointer),
            parameter: None,
            code: fault.code.to_owned(),
            detail: fault.detail,
        });
        return Err(Error::Bad {
            code: "invalid-matching",
            detail: "this cannot be decided so".to_owned(),
            errors: errors.collect(),
        });
    }
    let import = named(commons, owner, id).await?;
    Ok(HttpResponse::Ok().json(shown(commons, import).await?))
}
