//! What of a message is between two parties only, and what of it goes on.

use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Response, StatusCode, Uri, Version};

use crate::transport::body::Body;
use crate::transport::relay::{SEAL, Unanswered};

/// Hop by hop (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What the owner says instead of an answer, in the header [`SEAL`].
const BROKEN_OFF: HeaderValue = HeaderValue::from_static("broken off");
const NOT_SEALED: HeaderValue = HeaderValue::from_static("not sealed");

/// The head of a request as it goes to the owner: the same method, target and
/// end-to-end headers, `Host` and `Origin` among them.
pub(super) fn of_request(mut parts: Parts) -> Parts {
    strip(&mut parts.headers);
    parts.uri = target_only(&parts.uri);
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    parts
}

/// As [`of_request`], still asking for a WebSocket.
pub(super) fn of_upgrade(parts: Parts) -> Parts {
    let mut parts = of_request(parts);
    parts.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    parts.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    parts
}

/// The owner's answer for the client, or that there is none.
pub(super) fn judge(mut response: Response<Body>) -> Result<Response<Body>, Unanswered> {
    match response.headers_mut().remove(SEAL) {
        Some(why) if why == BROKEN_OFF => Err(Unanswered::BrokenOff),
        Some(_) => {
            // Another instance answers at the owner's address by now.
            tracing::debug!("a relayed request was refused by its owner");
            Err(Unanswered::Lost)
        }
        None => Ok(response),
    }
}

/// Removes what is between two parties only.
pub(super) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The owner's own side: breaks off towards a relay.
pub(in crate::transport) fn broken_off() -> Response<Body> {
    instead_of_an_answer(StatusCode::BAD_GATEWAY, BROKEN_OFF)
}

/// Nobody with the secret has sealed the request for this instance.
pub(in crate::transport) fn not_sealed() -> Response<Body> {
    instead_of_an_answer(StatusCode::FORBIDDEN, NOT_SEALED)
}

fn instead_of_an_answer(status: StatusCode, why: HeaderValue) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response.headers_mut().insert(SEAL, why);
    response
}

pub(super) fn target_only(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from)
}
