//! The answer to those for whom there is no room.

use http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONNECTION, HeaderValue, RETRY_AFTER,
};
use http::{Response, StatusCode};

use crate::transport::body::Body;

/// 503, and when to come back. Clients of Socket.IO take it for a broken
/// transport and back off by themselves; others read the header, pages too.
pub fn busy(retry_after_s: u32) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, retry_after_s.into());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
