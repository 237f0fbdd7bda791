//! Requests that hyper reads and somebody in front of us may read in another
//! way (RFC 9112 §11.2). They are refused, and the connection with them.

use http::header::{AsHeaderName, CONNECTION, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode, Version};

use crate::transport::body::Body;

/// Whether the request names more than one host, or none, or its body is coded
/// in more than one way.
pub(super) fn is_ambiguous<B>(request: &Request<B>) -> bool {
    !has_one_host(request) || !has_one_coding(request.headers()) || !has_path(request)
}

/// The only answer to it.
pub(super) fn refusal() -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// RFC 9112 §3.2. Where the target names a host, it is the same one.
fn has_one_host<B>(request: &Request<B>) -> bool {
    let host = match only(request.headers(), HOST) {
        Ok(host) => host,
        Err(TwoOfThem) => return false,
    };
    match (host, request.uri().authority()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(_), None) => true,
        (Some(host), Some(target)) => {
            host.as_bytes().eq_ignore_ascii_case(target.as_str().as_bytes())
        }
    }
}

/// `chunked` and nothing else: hyper looks only at the last one.
fn has_one_coding(headers: &HeaderMap) -> bool {
    match only(headers, TRANSFER_ENCODING) {
        Ok(None) => true,
        Ok(Some(coding)) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        Err(TwoOfThem) => false,
    }
}

/// A target without a path is for proxies (RFC 9112 §3.2.3).
fn has_path<B>(request: &Request<B>) -> bool {
    matches!(request.uri().path().as_bytes().first(), Some(b'/' | b'*'))
}

struct TwoOfThem;

fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Result<Option<&HeaderValue>, TwoOfThem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(TwoOfThem),
    }
}
