//! The front door: what somebody sees who opens the address in a browser.

use std::sync::Arc;

use http::StatusCode;

use crate::http::call::{Answer, Api, Call, text};

/// A few lines of text about this server.
#[utoipa::path(get, path = "/",
    operation_id = "about", tag = "server",
    responses(
        (status = 200, description = "Where to go from here",
            body = String, content_type = "text/plain"),
    ))]
pub(super) async fn door(api: Arc<Api>, _: Call) -> Answer {
    let page = format!(
        "cardroom, a planning-poker server\n\n\
         The web page is not part of this build.\n\n\
         Socket.IO      {}\n\
         REST API       /api/v1/openapi.json\n\
         Health         /healthz, /readyz\n",
        api.engine_path
    );
    Ok(text(StatusCode::OK, "text/plain; charset=utf-8", page))
}
