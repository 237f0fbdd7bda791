//! The description of what is said over Socket.IO.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::StatusCode;

use crate::api::asyncapi;
use crate::http::call::{Answer, Api, Call, text};

/// Every event over Socket.IO, with its payload and its answer.
#[utoipa::path(get, path = "/api/v1/asyncapi.json",
    operation_id = "describeEvents", tag = "server",
    responses(
        (status = 200, description = "AsyncAPI 3.0", body = Object),
    ))]
pub(super) async fn serve(_: Arc<Api>, _: Call) -> Answer {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| {
        // The description is a constant; a test reads it.
        serde_json::to_vec(&asyncapi::document()).unwrap_or_default().into()
    });
    Ok(text(StatusCode::OK, "application/json", document.clone()))
}
