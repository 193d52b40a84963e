//! The stylesheet: part of the program, under a name that changes when it does.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::Path;
use hayward_domain::id::base32;
use sha2::{Digest, Sha256};

use super::Halt;
use crate::error::Error;

const STYLE: &str = include_str!("../../static/house.css");

/// The path of the stylesheet.
static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let hash = base32(&Sha256::digest(STYLE.as_bytes()));
    format!("/static/house-{}.css", hash.get(..16).unwrap_or_default())
});

/// Where the stylesheet is.
#[must_use]
pub fn style() -> &'static str {
    &STYLE_PATH
}

/// Gives out what lies under `/static`. Under its name it never changes.
pub async fn get(name: Path<String>) -> Result<HttpResponse, Halt> {
    if format!("/static/{name}") != *STYLE_PATH {
        return Err(Error::NotFound.into());
    }
    Ok(HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("Cache-Control", "public, max-age=31536000, immutable"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(STYLE))
}
