//! `POST /api/v1/datasets/{id}/imports`: takes a file, piece by piece.

use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use hayward_domain::id::ImportId;
use hayward_store::NewImport;
use sha2::{Digest, Sha256};

use super::datasets::dataset_id;
use super::imports::{at_work, import, shown, turn};
use super::made::WORKBOOK;
use super::params::Params;
use super::readings::overrules;
use crate::auth::bearer::{Bearer, ImportsWrite};
use crate::commons::Commons;
use crate::error::Error;

/// Bytes that are kept in one piece.
const PIECE: usize = 256 * 1024;

/// Takes a file.
pub async fn upload(
    request: HttpRequest,
    dataset: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    payload: Payload,
) -> Result<HttpResponse, Error> {
    let dataset = dataset_id(&dataset)?;
    let mut params = Params::parse(request.query_string())?;
    let filename = params.take("filename").unwrap_or_else(|| "upload".to_owned());
    let overrules = overrules(&mut params)?;
    params.end()?;
    if filename.is_empty() || filename.chars().count() > 255 {
        return Err(Error::parameter("invalid-parameter", "filename", "`filename` has 1 to 255 characters"));
    }
    acceptable(&request)?;
    let caller = bearer.caller;
    let id = ImportId::from_random(commons.random());
    let new = NewImport { id: id.clone(), filename, overrules };
    let (owner, by) = (caller.organization, caller.name().to_owned());
    commons.run(move |store| store.begin_import(owner, &by, &dataset, &new)).await?;
    let uploaded = id.clone();
    let id = match keep(&commons, &id, payload).await {
        Ok(id) => id,
        Err(error) => {
            commons.run(move |store| store.drop_upload(&id)).await?;
            return Err(error);
        }
    };
    if id != uploaded {
        // The same file waits already. The list may have changed since it was looked at.
        let reading = import(&commons, owner, &id).await?;
        commons.run(move |store| store.recheck_import(&reading)).await?;
        let import = import(&commons, owner, &id).await?;
        return Ok(HttpResponse::Created().json(shown(&commons, import).await?));
    }
    // The marked list of a draft is that draft.
    let turn = turn(&commons).await?;
    let id = commons
        .run(move |store| {
            let _turn = turn;
            store.take_up(&id)
        })
        .await?;
    let reading = import(&commons, owner, &id).await?;
    let done = at_work(&request, &commons, reading, |store, import| store.read_import(import)).await?;
    let import = import(&commons, owner, &id).await?;
    let mut response = if done { HttpResponse::Created() } else { HttpResponse::Accepted() };
    response.insert_header((LOCATION, format!("/api/v1/imports/{id}")));
    Ok(response.json(shown(&commons, import).await?))
}

/// What a file may call itself. What it is, its bytes tell.
fn acceptable(request: &HttpRequest) -> Result<(), Error> {
    let Some(kind) = request.headers().get(CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = [
        "application/json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/octet-stream",
        "application/geo+json",
        "application/vnd.ms-excel",
        "application/vnd.oasis.opendocument.spreadsheet",
        WORKBOOK,
        "application/zip",
        "application/csv",
        "application/x-www-form-urlencoded",
    ];
    // curl calls anything a form unless told otherwise: that is no statement about the file.
    if kind.is_empty() || kind.starts_with("text/") && kind != "text/html" || known.contains(&kind.as_str()) {
        return Ok(());
    }
    Err(Error::bad("unsupported-media-type", "an import is the bytes of a spreadsheet, or of a CSV or JSON file"))
}

/// Keeps the body piece by piece: it is never in memory as a whole.
async fn keep(commons: &Commons, id: &ImportId, mut payload: Payload) -> Result<ImportId, Error> {
    let mut hasher = Sha256::new();
    let (mut size, mut position) = (0u64, 0i64);
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE);
    while let Some(bytes) = payload.next().await {
        let bytes = bytes.map_err(|_| Error::bad("invalid-body", "the upload broke off"))?;
        size += bytes.len() as u64;
        if size > commons.upload_limit {
            return Err(Error::bad("payload-too-large", format!("a file has at most {} bytes here", commons.upload_limit)));
        }
        hasher.update(&bytes);
        piece.extend_from_slice(&bytes);
        if piece.len() >= PIECE {
            let (id, full) = (id.clone(), std::mem::take(&mut piece));
            commons.run(move |store| store.keep_piece(&id, position, full)).await?;
            position += 1;
        }
    }
    let hash = hayward_domain::id::base32(&hasher.finalize());
    let (id, size) = (id.clone(), i64::try_from(size).unwrap_or(i64::MAX));
    commons
        .run(move |store| {
            if !piece.is_empty() {
                store.keep_piece(&id, position, piece)?;
            }
            store.end_upload(&id, &hash, size)
        })
        .await
}
