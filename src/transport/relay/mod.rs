//! Requests for a connection that another instance has: they are asked there,
//! so that no load balancer has to know who has what.
//!
//! ```text
//!  client ── GET /socket.io/?sid=… ──▶ here ── the same, sealed ──▶ owner
//!                                       │ addresses: the sid names the owner,
//!                                       │            `Owners` where it is
//!                                       │ pool:      polls and posts
//!  client ◀──── the owner's answer ─────┘ tunnel:    WebSockets, as bytes
//! ```
//!
//! The owner judges everything, overlaps and origins included, and hears of a
//! request that ends here: the connection that carried it ends with it. One
//! hop only: what is sealed is never relayed again. If the owner cannot be
//! reached or goes away, the `sid` is unknown, and the client opens a new
//! connection at once.
//!
//! Nothing is tried twice once it may have been heard: a POST counts once.

mod addresses;
mod dial;
mod headers;
mod leaving;
mod owners;
mod pool;
mod seal;
mod tunnel;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::protocol::Sid;
use crate::protocol::engineio::HandshakeError;
use crate::protocol::sid::Owner;
use crate::transport::body::{Body, BreakOff};
use crate::transport::busy::busy;
use crate::transport::engineio::refuse;
use crate::transport::relay::addresses::Addresses;
use crate::transport::relay::dial::{Dialling, dial};
use crate::transport::relay::leaving::{Leaving, Nudge};
use crate::transport::relay::pool::Pool;
use crate::transport::relay::seal::Sealer;
use crate::transport::relay::tunnel::Tunnels;
use crate::transport::upgrade;
use crate::transport::websocket::handshake;

pub use leaving::NUDGE;
pub use owners::{Owners, OwnersUnavailable};
pub use seal::SEAL;

pub(super) use headers::{broken_off, not_sealed};

/// Asks the other instances. A clone is the same relay.
#[derive(Clone)]
pub struct Relay {
    inner: Arc<Inner>,
}

/// How much is relayed, and how patiently.
#[derive(Debug, Clone)]
pub struct RelayLimits {
    /// Polls and posts at one time, all owners together; 503 beyond.
    pub requests_max: u32,
    /// WebSockets at one time; 503 beyond.
    pub tunnels_max: u32,
    /// From the first packet to an open TCP connection.
    pub connect_timeout: Duration,
    /// With what a connection to another instance begins, before HTTP: what its
    /// listener wants of a proxy.
    pub preamble: &'static [u8],
    /// From the request to its answer. Above the heartbeat, which answers
    /// every poll sooner or later.
    pub answer_timeout: Duration,
    /// Of a polling answer.
    pub answer_bytes_max: usize,
    /// How long a connection between instances waits for its next request.
    /// Well below the keep-alive of the listener, which must not be the first
    /// to end one.
    pub idle_timeout: Duration,
    /// Connections to one owner that wait for a request.
    pub idle_connections_max: usize,
}

impl RelayLimits {
    const fn dialling(&self) -> Dialling {
        Dialling { timeout: self.connect_timeout, preamble: self.preamble }
    }
}

/// What becomes of a request whose owner does not answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unanswered {
    /// The owner is not there, or went away: the `sid` is unknown.
    Lost,
    /// The owner broke off, as it does with an overlapped POST.
    BrokenOff,
}

/// Until a client should ask again, when as much is relayed as may be.
const BUSY_SECONDS: u32 = 1;

struct Inner {
    sealer: Sealer,
    addresses: Arc<Addresses>,
    pool: Pool,
    tunnels: Tunnels,
    requests: Semaphore,
    requests_max: u32,
    dialling: Dialling,
    answer_timeout: Duration,
    leaving: Leaving,
}

impl Relay {
    /// `own` and `secret` are those of the connections' issuer.
    pub fn new(own: Owner, secret: &[u8], owners: Arc<dyn Owners>, limits: &RelayLimits) -> Self {
        Self {
            inner: Arc::new(Inner {
                sealer: Sealer::new(own, secret),
                addresses: Arc::new(Addresses::new(owners)),
                pool: Pool::new(limits),
                tunnels: Tunnels::new(limits),
                requests: Semaphore::new(limits.requests_max as usize),
                requests_max: limits.requests_max,
                dialling: limits.dialling(),
                answer_timeout: limits.answer_timeout,
                leaving: Leaving::new(),
            }),
        }
    }

    /// Ends what is being relayed: the clients go elsewhere. Nothing is relayed
    /// from now on.
    pub fn close(&self) {
        self.inner.leaving.end();
    }

    /// This instance goes away: each WebSocket that is relayed ends at a moment
    /// of its own within `spread`, further ones are refused, and polls are
    /// answered soon. Until [`close`](Self::close), requests are relayed.
    pub fn leave_within(&self, spread: Duration) {
        self.inner.leaving.begin(spread);
    }

    /// Requests and WebSockets that are being relayed.
    pub fn in_flight(&self) -> usize {
        let requests = self.inner.requests_max as usize - self.inner.requests.available_permits();
        requests + self.inner.tunnels.in_flight()
    }

    /// The client behind a request that another instance has sealed for this
    /// one; `None` if the seal is not theirs.
    pub(super) fn unseal(
        &self,
        seal: &HeaderValue,
        request: &Request<Incoming>,
    ) -> Option<SocketAddr> {
        self.inner.sealer.unseal(seal, request)
    }

    /// Asks the owner of `sid`, and answers what it answers.
    pub(super) async fn ask(
        &self,
        sid: Sid,
        mut request: Request<Incoming>,
        client: SocketAddr,
        is_upgrade: bool,
    ) -> Response<Body> {
        let inner = &self.inner;
        inner.sealer.seal(sid.owner(), &mut request, client);
        let is_poll = !is_upgrade && request.method() == Method::GET;
        let nudge = is_poll.then(|| Nudge::of(&request));
        let asked = async {
            if !is_upgrade {
                inner.ask_for_answer(sid.owner(), request).await
            } else if let Some(fault) = handshake::fault(&request) {
                Ok(upgrade::refuse(fault))
            } else {
                inner.ask_for_tunnel(sid.owner(), request).await
            }
        };
        let answer = tokio::select! {
            answer = timeout(inner.answer_timeout, asked) => {
                answer.unwrap_or(Err(Unanswered::Lost))
            }
            () = inner.addresses.until_gone(sid.owner()) => Err(Unanswered::Lost),
            () = inner.leaving.ended() => Err(Unanswered::Lost),
            () = inner.nudge_in_time(sid.owner(), nudge) => Err(Unanswered::Lost),
        };
        match answer {
            Ok(response) => response,
            Err(Unanswered::Lost) => refuse(HandshakeError::SessionIdUnknown, is_upgrade),
            Err(Unanswered::BrokenOff) => {
                let mut response = Response::default();
                response.extensions_mut().insert(BreakOff);
                response
            }
        }
    }
}

impl Inner {
    async fn ask_for_answer(
        &self,
        owner: Owner,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Unanswered> {
        let Ok(_place) = self.requests.try_acquire() else {
            return Ok(busy(BUSY_SECONDS));
        };
        let address = self.addresses.find(owner).await.ok_or(Unanswered::Lost)?;
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(headers::of_request(parts), body);
        let response = self.pool.ask(&address, request).await?;
        headers::judge(response)
    }

    async fn ask_for_tunnel(
        &self,
        owner: Owner,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Unanswered> {
        // Its client stays on polling, and is not cut off a moment later.
        let Some(place) = self.tunnels.place().filter(|_| self.leaving.is_staying()) else {
            return Ok(busy(BUSY_SECONDS));
        };
        let address = self.addresses.find(owner).await.ok_or(Unanswered::Lost)?;
        let addresses = Arc::clone(&self.addresses);
        let moment = self.leaving.moment();
        let until = async move {
            tokio::select! {
                () = addresses.until_gone(owner) => {}
                () = moment => {}
            }
        };
        let response = self.tunnels.open(place, &address, request, until).await?;
        headers::judge(response)
    }

    /// Once this instance goes away, asks the owner to answer the poll that
    /// waits there. Never returns: the answer comes on the poll's own way.
    async fn nudge_in_time(&self, owner: Owner, nudge: Option<Nudge>) {
        if let Some(nudge) = nudge {
            self.leaving.poll_is_over().await;
            if let Some(address) = self.addresses.find(owner).await
                && let Ok(stream) = dial(&address, self.dialling).await
            {
                let _ = timeout(self.dialling.timeout, nudge.send(stream)).await;
            }
        }
        pending().await
    }
}
