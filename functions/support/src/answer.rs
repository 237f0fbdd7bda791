//! HTTP answers, in the forms of the server: JSON, problem documents, and the
//! headers that go with all of them.

use cardroom::api::Failure;
use cardroom::api::problem::ProblemDocument;
use cardroom::identity::Origins;
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER,
    VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;

pub type Answer = Response<Body>;

pub fn json(body: &impl Serialize) -> Answer {
    // Only a map with keys that are no strings could fail, and there is none.
    text("application/json", serde_json::to_string(body).unwrap_or_default())
}

pub fn text(content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Body::from(body));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

pub fn failure(failure: &Failure) -> Answer {
    problem(&failure.into())
}

pub fn problem(document: &ProblemDocument) -> Answer {
    let mut answer = json(document);
    *answer.status_mut() =
        StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = document.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if let Some(challenge) = document.challenge() {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    answer
}

pub fn no_such_path() -> Answer {
    problem(&ProblemDocument::new(404, "NOT_FOUND", "There is nothing at this path"))
}

/// `methods` are those that the path takes, such as `POST, OPTIONS`.
pub fn method_not_allowed(methods: &'static str) -> Answer {
    let detail = "This path does not take this method";
    let mut answer = problem(&ProblemDocument::new(405, "METHOD_NOT_ALLOWED", detail));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

/// The preflight of a page elsewhere, or somebody who just asks.
pub fn options(methods: &'static str, request: &HeaderMap) -> Answer {
    let mut answer = Response::new(Body::Empty);
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS.into());
    if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    answer
}

/// Whether a page of the request's origin may ask; programs name none.
pub fn is_allowed(origins: &Origins, request: &HeaderMap) -> bool {
    let mut given = request.get_all(ORIGIN).iter();
    match (given.next().map(HeaderValue::to_str), given.next()) {
        (None, _) => true,
        (Some(Ok(origin)), None) => {
            origins.admit(origin, request.get(HOST).and_then(|host| host.to_str().ok()))
        }
        _ => false,
    }
}

/// What every answer says, each header once: API Gateway takes one value only.
pub fn decorate(answer: &mut Answer, origins: &Origins, request: &HeaderMap, id: &str) {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    match (origins, request.get(ORIGIN)) {
        // Browsers refuse credentials together with `*`.
        (Origins::Any, _) => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        (Origins::Listed(_), Some(origin)) if is_allowed(origins, request) => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        _ => {}
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How long a browser may remember a preflight.
const PREFLIGHT_SECONDS: u32 = 600;
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (VARY, HeaderValue::from_static("Origin, Access-Control-Request-Headers")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After, X-Request-Id")),
];
