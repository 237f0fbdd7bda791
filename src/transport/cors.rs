//! Which pages may read the answers, told as the npm package `cors` tells it.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, HOST, HeaderMap, HeaderValue,
    ORIGIN, VARY,
};
use http::{Response, StatusCode};

use crate::identity::Origins;
use crate::transport::body::Body;

/// Whether a request is served, by the `Origin` it names. Browsers do not
/// apply CORS to WebSockets, so the server has to look.
///
/// A request without `Origin` is no page's and is let in; two of them are
/// nobody's. A page of this server's own is always let in.
pub fn is_allowed(origins: &Origins, headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(ORIGIN).iter();
    match (given.next(), given.next()) {
        (None, _) => true,
        (Some(origin), None) => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            origin.to_str().map_or(*origins == Origins::Any, |origin| origins.admit(origin, host))
        }
        (Some(_), Some(_)) => false,
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
                let allowed = origin.filter(|_| is_allowed(origins, request)).cloned();
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

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn admits(headers: &[(HeaderName, &'static str)]) -> bool {
        let origins = Origins::Listed(vec![
            "https://good.example".to_owned(),
            "http://localhost:*".to_owned(),
        ]);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            });
        is_allowed(&origins, &headers)
    }

    #[test]
    fn listed_and_own_pages_and_programs_may() {
        assert!(admits(&[]));
        assert!(admits(&[(ORIGIN, "https://good.example")]));
        assert!(admits(&[(HOST, "cards.example:3000"), (ORIGIN, "http://cards.example:3000")]));
        assert!(admits(&[(HOST, "cards.example"), (ORIGIN, "https://cards.example")]));
    }

    #[test]
    fn any_port_is_any_port_of_that_host_only() {
        assert!(admits(&[(ORIGIN, "http://localhost:5173")]));
        assert!(admits(&[(ORIGIN, "http://localhost")]));
        assert!(!admits(&[(ORIGIN, "http://localhost.evil.example:80")]));
        assert!(!admits(&[(ORIGIN, "http://localhost:80.evil.example")]));
        assert!(!admits(&[(ORIGIN, "http://localhost:")]));
        assert!(!admits(&[(ORIGIN, "https://localhost:5173")]));
    }

    #[test]
    fn everybody_else_may_not() {
        for origin in [
            "https://evil.example",
            "https://good.example.evil",
            "https://evil.good.example",
            "http://good.example",
            "https://good.example:8443",
            "HTTPS://GOOD.EXAMPLE",
            "null",
            "",
            "https://",
            "cards.example",
            "ftp://cards.example",
        ] {
            assert!(!admits(&[(HOST, "cards.example"), (ORIGIN, origin)]), "{origin}");
        }
        let twice = (ORIGIN, "https://good.example");
        assert!(!admits(&[twice.clone(), twice]));
        assert!(!admits(&[(ORIGIN, "https://cards.example")]), "no Host to compare with");
    }
}
