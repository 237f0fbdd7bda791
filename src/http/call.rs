//! One request to the REST API, read; and what answers are made of.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::api::Failure;
use crate::api::client_event::{DEPTH_MAX, depth, object};
use crate::api::field::{BadField, Field};
use crate::clock::Clock;
use crate::http::operators::Operators;
use crate::http::page::Page;
use crate::http::problem::Problem;
use crate::poker::ids::{Millis, SessionRef};
use crate::poker::refusal::Refusal;
use crate::table::Table;
use crate::transport::body::Body;

/// What the handlers work on.
pub(super) struct Api {
    pub(super) table: Table,
    pub(super) is_draining: Box<dyn Fn() -> bool + Send + Sync>,
    pub(super) clock: Clock,
    pub(super) started: Millis,
    pub(super) operators: Arc<Operators>,
    pub(super) page: Page,
    /// Where Socket.IO is, for those who ask at the front door.
    pub(super) engine_path: String,
}

pub(super) type Handler = fn(Arc<Api>, Call) -> BoxFuture<'static, Answer>;

pub(super) type Answer = Result<Response<Body>, Problem>;

/// A request that has been let in: its method and path are those of the
/// handler, its body is whole.
pub(super) struct Call {
    pub(super) headers: HeaderMap,
    pub(super) query: String,
    /// The `{session}` of the path.
    pub(super) session: String,
    pub(super) body: Bytes,
    pub(super) peer: SocketAddr,
}

impl Api {
    /// An attempt to reach a session by something that may be a guess. Codes
    /// are short, so failures count like failed joins; ids are not guessed.
    pub(super) async fn reach<T>(
        &self,
        session: SessionRef,
        from: IpAddr,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match session {
            SessionRef::Id(_) => attempt.await,
            SessionRef::Code(_) => self.table.guarded(from, attempt).await,
        }
    }
}

impl Call {
    /// What cannot be a session is a session that does not exist.
    pub(super) fn session(&self) -> Result<SessionRef, Problem> {
        Ok(self.session.parse().map_err(|_| Refusal::SessionNotFound)?)
    }

    /// The first value of a parameter of the query.
    pub(super) fn query_value(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// The body as an object of fields.
    pub(super) fn read<T: Field>(&self) -> Result<T, Problem> {
        if DEPTH_MAX < depth(&self.body) {
            let problem = format!("nests deeper than {DEPTH_MAX} levels");
            return Err(BadField { field: "".into(), problem: problem.into() }.into());
        }
        // The parser writes into its input.
        Ok(object(&mut self.body.to_vec())?)
    }

    pub(super) const fn address(&self) -> IpAddr {
        self.peer.ip()
    }
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // Only a map with keys that are no strings could fail, and there is none.
    text(status, "application/json", serde_json::to_vec(body).unwrap_or_default())
}

pub(super) fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Body::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
