//! Which pages may read the answers, told as the npm package `cors` tells it.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, HeaderMap, HeaderValue, ORIGIN,
    VARY,
};
use http::{Response, StatusCode};

use crate::connection::Origins;
use crate::transport::body::Body;

/// Whether a request with this `Origin` is served. Browsers do not apply CORS
/// to WebSockets, so the server has to look.
pub fn is_allowed(origins: &Origins, origin: Option<&HeaderValue>) -> bool {
    match (origins, origin) {
        (Origins::Any, _) | (_, None) => true,
        (Origins::Listed(listed), Some(origin)) => {
            listed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
        }
    }
}

/// The headers of one answer, whatever its status.
#[derive(Debug)]
pub struct Cors {
    allowed: Option<HeaderValue>,
    /// The answer depends on who asks.
    is_listed: bool,
}

impl Cors {
    pub fn new(origins: &Origins, request: &HeaderMap) -> Self {
        match origins {
            Origins::Any => Self { allowed: Some(HeaderValue::from_static("*")), is_listed: false },
            Origins::Listed(_) => {
                let origin = request.get(ORIGIN);
                let allowed = origin.filter(|_| is_allowed(origins, origin)).cloned();
                Self { allowed, is_listed: true }
            }
        }
    }

    pub fn decorate(self, response: &mut HeaderMap) {
        if self.is_listed {
            response.append(VARY, HeaderValue::from_static("Origin"));
            // Browsers refuse credentials together with `*`.
            if self.allowed.is_some() {
                let yes = HeaderValue::from_static("true");
                response.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            }
        }
        if let Some(allowed) = self.allowed {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
    }
}

/// The answer to OPTIONS, without what [`Cors::decorate`] adds. The npm package
/// also says `Content-Length: 0`, which RFC 9110 §8.6 forbids on a 204.
pub fn preflight(request: &HeaderMap) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.append(VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}
