//! The front door: what somebody sees who opens the address in a browser.

use std::sync::Arc;

use http::StatusCode;

use crate::http::call::{Answer, Api, Call, text};

/// The web page; in a build without it, a few lines of text about this server.
#[utoipa::path(get, path = "/",
    operation_id = "about", tag = "server",
    responses(
        (status = 200, description = "Where to play, or where to go from here", content(
            (String = "text/html"),
            (String = "text/plain"),
        )),
    ))]
pub(super) async fn door(api: Arc<Api>, call: Call) -> Answer {
    if let Some(document) = api.page.document(&call.headers) {
        return Ok(document);
    }
    let lines = format!(
        "cardroom, a planning-poker server\n\n\
         The web page is not part of this build. With Node.js and npm installed,\n\
         `make page` builds it and the next build of the server has it; `make run`\n\
         does both.\n\n\
         Socket.IO      {}\n\
         REST API       /api/v1/openapi.json\n\
         Health         /healthz, /readyz\n",
        api.engine_path
    );
    Ok(text(StatusCode::OK, "text/plain; charset=utf-8", lines))
}
