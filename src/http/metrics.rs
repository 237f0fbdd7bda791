//! The numbers, for Prometheus: at `/metrics` of the main port behind a
//! token, or on a port of their own.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::http::call::{Answer, Api, Call, text};
use crate::http::operators::Operators;
use crate::http::problem::Problem;
use crate::transport::body::Body;

/// What is counted: connections, events, commits, the process.
#[utoipa::path(get, path = "/metrics",
    operation_id = "metrics", tag = "operators", security(("operatorToken" = [])),
    responses(
        (status = 200, description = "In the text format of Prometheus, or as OpenMetrics if asked for",
            body = String, content_type = "text/plain"),
        (status = 401, description = "UNAUTHORIZED: not the token `metrics.token`"),
        (status = 404, description = "NOT_FOUND: no `metrics.token` is configured"),
    ))]
pub(super) async fn scrape(api: Arc<Api>, call: Call) -> Answer {
    let operators = Arc::clone(&api.operators);
    // Without a token it is not for everybody: there is the other port.
    let scraper = operators.scraper.as_ref().ok_or_else(Problem::no_such_path)?;
    scraper.check(&call.headers)?;
    page(Arc::clone(&operators), call.headers).await
}

/// Answers on the port of its own, where there is nothing else. Who cannot
/// reach it needs no token; if there is one, it counts here too.
pub async fn on_own_port(operators: Arc<Operators>, request: Request<Incoming>) -> Response<Body> {
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let (head, _) = request.into_parts();
    let answer = match &operators.scraper {
        _ if head.uri.path() != "/metrics" => Err(Problem::no_such_path()),
        _ if !is_get => Err(Problem::method_not_allowed(HeaderValue::from_static("GET, HEAD"))),
        Some(token) => token.check(&head.headers),
        None => Ok(()),
    };
    let answered = match answer {
        Ok(()) => page(Arc::clone(&operators), head.headers).await,
        Err(problem) => Err(problem),
    };
    answered.unwrap_or_else(Problem::into_response)
}

async fn page(operators: Arc<Operators>, headers: HeaderMap) -> Answer {
    // It reads files.
    let written = tokio::task::spawn_blocking(move || operators.page(&headers)).await;
    let (format, page) = written.map_err(|_| Problem::broken())?;
    let mut response = text(StatusCode::OK, "text/plain", page);
    let content_type = HeaderValue::from_static(format.content_type());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}
