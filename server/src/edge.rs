//! What no handler should have to think of.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

/// Answers an address that holds U+0000 like one that nothing has: PostgreSQL knows no text with it, so nothing is called so.
pub async fn refuse_nul(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.path().contains("%00") {
        return Ok(request.error_response(crate::error::Error::NotFound));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
