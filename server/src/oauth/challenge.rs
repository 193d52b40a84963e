//! What the API tells a caller without a token that works: what is wrong (RFC 6750, section 3.1), and where to learn how to get one
//! (RFC 9728, section 5.1).

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::metadata::RESOURCE_PATH;
use crate::commons::Commons;

/// Adds to every challenge for a bearer token where the metadata is, and whether a token was there that opens nothing.
pub async fn point_to_metadata(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let shown = request.headers().contains_key(AUTHORIZATION);
    let issuer = request.app_data::<Data<Commons>>().map(|commons| commons.issuer());
    let mut response = next.call(request).await?.map_into_boxed_body();
    let unknown = response.status() == StatusCode::UNAUTHORIZED;
    let challenge = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    if let (Some(rest), Some(issuer)) = (challenge.and_then(|text| text.strip_prefix("Bearer")), issuer) {
        let rest = rest.trim();
        let mut parts = if rest.is_empty() { Vec::new() } else { vec![rest.to_owned()] };
        if unknown && shown {
            parts.push("error=\"invalid_token\"".to_owned());
        }
        parts.push(format!("resource_metadata=\"{issuer}{RESOURCE_PATH}\""));
        if let Ok(value) = HeaderValue::from_str(&format!("Bearer {}", parts.join(", "))) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
    }
    Ok(response)
}
