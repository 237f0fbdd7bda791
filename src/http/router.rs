//! From a request to its answer.
//!
//! Engine.IO has a prefix of the paths for itself; everything else is matched
//! against the table of `routes`, let in or refused here, and answered by the
//! handler of its row; what is no row may be a file of the web page.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_ENCODING,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use tokio::time::timeout;
use tracing::{Instrument as _, debug_span};

use crate::api::Failure;
use crate::clock::Clock;
use crate::http::call::{Answer, Api, Call, Handler};
use crate::http::operators::Operators;
use crate::http::page::Page;
use crate::http::problem::Problem;
use crate::http::routes::ROUTES;
use crate::identity::Origins;
use crate::table::Table;
use crate::transport::body::{Body, read_body};
use crate::transport::busy::busy;
use crate::transport::cors::{self, Cors};
use crate::transport::slot::ConnectionSlot;

/// Answers every request of the server. A clone is the same router.
#[derive(Clone)]
pub struct Router {
    inner: Arc<Inner>,
}

struct Inner {
    api: Arc<Api>,
    engine: EngineMount,
    paths: matchit::Router<Methods>,
    origins: Origins,
    limits: RouterLimits,
}

/// What one request to the API may take.
#[derive(Debug, Clone)]
pub struct RouterLimits {
    pub body_bytes_max: usize,
    /// From the end of the head to the end of the body.
    pub body_timeout: Duration,
    /// From then to the answer; the client hears SERVER_BUSY afterwards.
    pub answer_timeout: Duration,
}

impl Default for RouterLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 * 1_024,
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(15),
        }
    }
}

/// Whatever answers below the Engine.IO path; its answers are not touched.
pub struct EngineMount {
    /// With a slash at both ends.
    path: String,
    serve: Box<Serve>,
}

type Serve = dyn Fn(Request<Incoming>, SocketAddr) -> BoxFuture<'static, Response<Body>>
    + Send
    + Sync
    + 'static;

impl EngineMount {
    pub fn new<F, Fut>(path: impl Into<String>, serve: F) -> Self
    where
        F: Fn(Request<Incoming>, SocketAddr) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response<Body>> + Send + 'static,
    {
        Self {
            path: path.into(),
            serve: Box::new(move |request, peer| Box::pin(serve(request, peer))),
        }
    }

    /// Clients write the path with and without its last slash.
    fn has(&self, path: &str) -> bool {
        path.starts_with(&self.path) || Some(path) == self.path.strip_suffix('/')
    }
}

impl Router {
    /// `is_draining` says whether the instance is on its way out, so that no
    /// new client should be sent to it.
    pub fn new(
        table: Table,
        engine: EngineMount,
        origins: Origins,
        limits: RouterLimits,
        page: Page,
        operators: Arc<Operators>,
        is_draining: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let engine_path = engine.path.clone();
        let clock = Clock::system();
        let api = Arc::new(Api {
            table,
            started: clock.now(),
            operators,
            is_draining: Box::new(is_draining),
            clock,
            page,
            engine_path,
        });
        Self { inner: Arc::new(Inner { api, engine, paths: paths(), origins, limits }) }
    }

    /// `peer` is the client as far as it is known: the caller may have read
    /// its address from a proxy's header.
    pub fn handle(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Body>> + Send + use<> {
        let inner = Arc::clone(&self.inner);
        async move {
            if inner.engine.has(request.uri().path()) {
                (inner.engine.serve)(request, peer).await
            } else {
                inner.answer(request, peer).await
            }
        }
    }
}

impl Inner {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let cors = Cors::new(&self.origins, request.headers());
        let mut response = match self.dispatch(request, peer).await {
            Ok(response) => response,
            Err(problem) => {
                tracing::debug!(status = problem.status().as_u16(), "request refused");
                problem.into_response()
            }
        };
        let headers = response.headers_mut();
        cors.decorate(headers);
        for (name, value) in HEADERS {
            headers.entry(name).or_insert(value);
        }
        self.api.operators.metrics.wire.http_answered(response.status().as_u16());
        response
    }

    async fn dispatch(&self, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        let path = request.uri().path();
        // Whether we are well is asked by those who stand for many.
        if ConnectionSlot::is_beyond(&request) && !HEALTH.contains(&path) {
            return Ok(busy(BUSY_SECONDS));
        }
        let Ok(found) = self.paths.at(path) else {
            let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
            let file = self.api.page.file(path, request.headers()).filter(|_| is_read);
            return file.ok_or_else(Problem::no_such_path);
        };
        let methods = found.value;
        // HTTP knows HEAD as GET without the body, which hyper leaves out.
        let method = match *request.method() {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        if method == Method::OPTIONS {
            return Ok(options(methods, request.headers()));
        }
        let handler = *methods
            .handlers
            .get(method)
            .ok_or_else(|| Problem::method_not_allowed(methods.allow.clone()))?;
        let span = debug_span!("request", method = method.as_str(), route = methods.path);
        let session = found.params.get("session").unwrap_or_default().to_owned();
        let changes = method != Method::GET;
        if changes && !cors::is_allowed(&self.origins, request.headers()) {
            return Err(Problem::origin_not_allowed());
        }
        let takes_body = method == Method::POST;
        if takes_body && !is_plain_json(request.headers()) {
            return Err(Problem::not_json());
        }

        let (head, body) = request.into_parts();
        let limits = &self.limits;
        let body = if takes_body {
            read_body(body, limits.body_bytes_max, limits.body_timeout)
                .await
                .map_err(|error| Problem::of_body(error, limits.body_bytes_max))?
        } else {
            Bytes::new()
        };
        let query = head.uri.query().unwrap_or_default().to_owned();
        let call = Call { headers: head.headers, query, session, body, peer };
        let answer = handler(Arc::clone(&self.api), call).instrument(span);
        timeout(limits.answer_timeout, answer)
            .await
            .unwrap_or_else(|_| Err(Failure::ServerBusy { retry_after_s: 1 }.into()))
    }
}

/// What one path takes.
struct Methods {
    /// As in the table: with the names of its parameters.
    path: &'static str,
    handlers: HashMap<Method, Handler>,
    allow: HeaderValue,
}

fn paths() -> matchit::Router<Methods> {
    let mut paths: Vec<&'static str> = ROUTES.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut router = matchit::Router::new();
    for path in paths {
        let routes = || ROUTES.iter().filter(|route| route.path == path);
        let mut names: Vec<&str> = routes().map(|route| route.method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        let methods = Methods {
            path,
            handlers: routes().map(|route| (route.method.clone(), route.handler)).collect(),
            allow: HeaderValue::try_from(names.join(", ")).expect("methods are tokens"),
        };
        router.insert(path, methods).expect("the paths of the table differ");
    }
    router
}

/// The preflight of a page elsewhere, or somebody who just asks.
fn options(methods: &Methods, request: &HeaderMap) -> Response<Body> {
    let mut response = cors::preflight(request);
    let headers = response.headers_mut();
    headers.insert(ALLOW, methods.allow.clone());
    headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS.into());
    response
}

/// A form can only be sent as something else: what says it is JSON was
/// written by a program, or by a page that a preflight let through.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
        && !headers.contains_key(CONTENT_ENCODING)
}

/// Until somebody should come again whose address has too many connections.
const BUSY_SECONDS: u32 = 5;

const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// How long a browser may remember a preflight.
const PREFLIGHT_SECONDS: u32 = 600;

/// On every answer that has no other opinion. Nothing here is a document with
/// scripts, and much of it is for one person only.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Location, Retry-After, Content-Disposition"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_says_what_it_takes() {
        let paths = paths();
        let allow = |path: &str| paths.at(path).map(|found| found.value.allow.clone()).ok();
        let expect = |text: &'static str| Some(HeaderValue::from_static(text));
        assert_eq!(allow("/healthz"), expect("GET, HEAD, OPTIONS"));
        assert_eq!(allow("/api/v1/sessions"), expect("POST, OPTIONS"));
        assert_eq!(allow("/api/v1/sessions/ABCD"), expect("GET, DELETE, HEAD, OPTIONS"));
        assert_eq!(allow("/api/v1/sessions/validate"), expect("POST, OPTIONS"));
        assert_eq!(allow("/api/v1/sessions/"), None);
        assert_eq!(allow("/api/v1/sessions/ABCD/state/x"), None);
    }

    #[test]
    fn only_json_is_json() {
        let is_json = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            is_plain_json(&headers)
        };
        assert!(is_json("application/json"));
        assert!(is_json("Application/JSON; charset=utf-8"));
        for other in ["", "text/plain", "application/jsonp", "application/json, text/plain"] {
            assert!(!is_json(other), "{other}");
        }
        assert!(!is_plain_json(&HeaderMap::new()));
        let mut packed = HeaderMap::new();
        packed.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        packed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(!is_plain_json(&packed));
    }

    #[test]
    fn the_engine_has_its_prefix() {
        let mount = EngineMount::new("/socket.io/", |_, _| async { Response::default() });
        assert!(mount.has("/socket.io/"));
        assert!(mount.has("/socket.io"));
        assert!(!mount.has("/socket.iox"));
        assert!(!mount.has("/"));
    }
}
