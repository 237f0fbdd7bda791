//! All there is, as a table.

use http::Method;

use crate::http::call::Handler;
use crate::http::{
    asyncapi, export, front, health, metrics, openapi, seats, sessions, status, stories,
};

pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) handler: Handler,
}

/// `{session}` is a session's id or its join code.
pub(super) const ROUTES: &[Route] = &[
    get("/", |api, call| Box::pin(front::door(api, call))),
    get("/healthz", |api, call| Box::pin(health::alive(api, call))),
    get("/readyz", |api, call| Box::pin(health::ready(api, call))),
    get("/metrics", |api, call| Box::pin(metrics::scrape(api, call))),
    get("/api/v1/status", |api, call| Box::pin(status::show(api, call))),
    get("/api/v1/openapi.json", |api, call| Box::pin(openapi::serve(api, call))),
    get("/api/v1/asyncapi.json", |api, call| Box::pin(asyncapi::serve(api, call))),
    post("/api/v1/sessions", |api, call| Box::pin(sessions::create(api, call))),
    post("/api/v1/sessions/validate", |api, call| Box::pin(seats::validate(api, call))),
    get("/api/v1/sessions/{session}", |api, call| Box::pin(sessions::card(api, call))),
    delete("/api/v1/sessions/{session}", |api, call| Box::pin(sessions::end(api, call))),
    post("/api/v1/sessions/{session}/join", |api, call| Box::pin(seats::join(api, call))),
    get("/api/v1/sessions/{session}/state", |api, call| Box::pin(sessions::state(api, call))),
    get("/api/v1/sessions/{session}/export", |api, call| Box::pin(export::download(api, call))),
    post("/api/v1/sessions/{session}/stories", |api, call| Box::pin(stories::create(api, call))),
];

const fn get(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::GET, path, handler }
}

const fn post(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::POST, path, handler }
}

const fn delete(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::DELETE, path, handler }
}
