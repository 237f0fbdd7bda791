//! HTTP connections to the other instances, used again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use crate::transport::body::Body;
use crate::transport::relay::dial::{Bound, Dialling, dial};
use crate::transport::relay::{RelayLimits, Unanswered, headers};

/// Between the end of one answer and the next request hyper has a step to do.
const READY_WITHIN: Duration = Duration::from_millis(50);

pub(super) struct Pool {
    idle: Mutex<HashMap<Arc<str>, Vec<Connection>>>,
    dialling: Dialling,
    idle_timeout: Duration,
    idle_max: usize,
    answer_bytes_max: usize,
}

/// One connection; it carries one request at a time. Dropped while it does, it
/// is cut, and the owner knows that nobody waits any more.
struct Connection {
    sender: SendRequest<Incoming>,
    _driver: Bound<()>,
    idle_since: Instant,
}

impl Pool {
    pub(super) fn new(limits: &RelayLimits) -> Self {
        Self {
            idle: Mutex::default(),
            dialling: limits.dialling(),
            idle_timeout: limits.idle_timeout,
            idle_max: limits.idle_connections_max,
            answer_bytes_max: limits.answer_bytes_max,
        }
    }

    /// The whole answer: a client never sees half of one because its owner
    /// died, and [`Body`] knows its length.
    pub(super) async fn ask(
        &self,
        address: &Arc<str>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Unanswered> {
        let (mut connection, response) = self.send(address, request).await?;
        let (mut parts, body) = response.into_parts();
        let body = Limited::new(body, self.answer_bytes_max).collect();
        let body = body.await.map_err(|_| Unanswered::Lost)?.to_bytes();
        headers::strip(&mut parts.headers);
        // A refusal may leave a body unread.
        if parts.status == StatusCode::OK {
            connection.idle_since = Instant::now();
            self.give_back(address, connection);
        }
        Ok(Response::from_parts(parts, Body::new(body)))
    }

    async fn send(
        &self,
        address: &Arc<str>,
        mut request: Request<Incoming>,
    ) -> Result<(Connection, Response<Incoming>), Unanswered> {
        while let Some(mut connection) = self.take_idle(address) {
            if !matches!(timeout(READY_WITHIN, connection.sender.ready()).await, Ok(Ok(()))) {
                continue;
            }
            match connection.sender.try_send_request(request).await {
                Ok(response) => return Ok((connection, response)),
                // The request comes back if not a byte of it was written.
                Err(mut error) => request = error.take_message().ok_or(Unanswered::Lost)?,
            }
        }
        let mut connection = self.connect(address).await?;
        let response = connection.sender.send_request(request).await;
        Ok((connection, response.map_err(|_| Unanswered::Lost)?))
    }

    async fn connect(&self, address: &str) -> Result<Connection, Unanswered> {
        let stream = dial(address, self.dialling).await?;
        let (sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| Unanswered::Lost)?;
        let driver = tokio::spawn(async move {
            // Its error is the request's, too.
            let _ = driver.await;
        });
        Ok(Connection { sender, _driver: Bound(driver), idle_since: Instant::now() })
    }

    fn take_idle(&self, address: &Arc<str>) -> Option<Connection> {
        let mut idle = self.idle();
        let connections = idle.get_mut(address)?;
        // The last one back is the first to go, so that the others may end.
        while let Some(connection) = connections.pop() {
            if connection.is_good_for(self.idle_timeout) {
                return Some(connection);
            }
        }
        None
    }

    fn give_back(&self, address: &Arc<str>, connection: Connection) {
        let mut idle = self.idle();
        for connections in idle.values_mut() {
            connections.retain(|connection| connection.is_good_for(self.idle_timeout));
        }
        idle.retain(|known, connections| !connections.is_empty() || known == address);
        let connections = idle.entry(Arc::clone(address)).or_default();
        if connections.len() < self.idle_max {
            connections.push(connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Arc<str>, Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn is_good_for(&self, limit: Duration) -> bool {
        !self.sender.is_closed() && self.idle_since.elapsed() < limit
    }
}
