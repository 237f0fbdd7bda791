//! From an accepted TCP connection to one that is served: whose it is, and
//! whether there is room for one more of theirs.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::connection::{Crowd, Refused};
use crate::metrics::{TcpTurnedAway, TurnedAway};
use crate::server::client_address::ClientAddress;
use crate::server::listener::ListenerLimits;
use crate::server::proxy_protocol::read_header;
use crate::server::turn_away::TurnAway;
use crate::transport::slot::ConnectionSlot;

/// What decides about TCP connections, for all of a listener.
pub(super) struct Arrivals {
    limits: Arc<ListenerLimits>,
    crowd: Crowd,
    turn_away: TurnAway,
}

/// A connection that is served.
pub(super) struct Arrived {
    pub(super) stream: TcpStream,
    pub(super) client: ClientAddress,
    pub(super) slot: ConnectionSlot,
}

impl Arrivals {
    pub(super) fn new(limits: Arc<ListenerLimits>) -> Self {
        Self { limits, crowd: Crowd::default(), turn_away: TurnAway::default() }
    }

    /// There are as many connections as there may be.
    pub(super) fn turn_away(&self, stream: TcpStream, reason: TcpTurnedAway) {
        self.limits.metrics.wire.tcp_turned_away(reason);
        if self.limits.tls.is_some() {
            // It would have to be told by TLS, which costs most of all.
            return;
        }
        let retry_after_s = Refused::new(TurnedAway::Full).retry_after_s;
        self.turn_away.answer(stream, retry_after_s);
    }

    /// `None`: it has been turned away. What a proxy says for whom it comes has
    /// to be there by `deadline`.
    ///
    /// Beyond the share of its address a connection is still served, for what
    /// is open already: another may have used up the share. Beyond twice the
    /// share it is not.
    pub(super) async fn judge(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
        deadline: Instant,
    ) -> Option<Arrived> {
        let limits = &self.limits;
        let mut client = limits.trusted_proxies.behind(peer);
        if limits.takes_proxy_protocol {
            match self.proxied(&client, &mut stream, deadline).await {
                Ok(proxied) => client = proxied,
                Err(why) => {
                    debug!(%peer, why, "connection refused");
                    limits.metrics.wire.tcp_turned_away(TcpTurnedAway::Unproxied);
                    return None;
                }
            }
        }
        let share = limits.connections_per_address_max;
        let (member, is_beyond) = if client.is_proxy() {
            (None, false)
        } else {
            let (member, others) = self.crowd.enter(client.peer().ip().into());
            if share.saturating_mul(2) <= others {
                self.turn_away(stream, TcpTurnedAway::AddressFull);
                return None;
            }
            (Some(member), share <= others)
        };
        let counted = limits.metrics.wire.tcp_connections.hold();
        let slot = ConnectionSlot::new(permit, counted, member, is_beyond);
        Some(Arrived { stream, client, slot })
    }

    async fn proxied(
        &self,
        peer: &ClientAddress,
        stream: &mut TcpStream,
        deadline: Instant,
    ) -> Result<ClientAddress, String> {
        if !peer.is_proxy() {
            return Err("not from a trusted network".to_owned());
        }
        match timeout_at(deadline, read_header(stream)).await {
            Ok(Ok(None)) => Ok(peer.clone()),
            Ok(Ok(Some(client))) => Ok(self.limits.trusted_proxies.behind(client)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_elapsed) => Err("no header in time".to_owned()),
        }
    }
}
