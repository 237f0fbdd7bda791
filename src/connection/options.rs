//! The numbers and switches of Engine.IO and Socket.IO.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use crate::connection::admission::AdmissionLimits;
use crate::connection::pace::PaceLimits;
use crate::hub::OutboxLimits;
use crate::identity::Origins;
use crate::metrics::Metrics;

/// Defaults are those of the reference server where it has one.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where Engine.IO lives, with a slash at both ends.
    pub path: String,
    /// From a pong (or the opening) to the next ping.
    pub ping_interval: Duration,
    /// From a ping to the latest pong.
    pub ping_timeout: Duration,
    /// The largest message or polling body taken, and the largest payload
    /// a poll is answered with (one larger message still goes out).
    pub max_payload_bytes: u32,
    /// Fragments of one WebSocket message. Clients send none; proxies may.
    pub fragments_max: u32,
    /// Packets of one polling body.
    pub packets_per_post_max: u32,
    /// From the head of a POST to the end of its body.
    pub body_timeout: Duration,
    /// How long a peer may take no byte that is written to it.
    pub write_stall_timeout: Duration,
    /// For a connection on which no namespace is joined, at any time.
    pub connect_timeout: Duration,
    /// From a second WebSocket's handshake to its `5`.
    pub upgrade_timeout: Duration,
    /// How long a closed polling connection waits for a poll to tell it so.
    pub close_timeout: Duration,
    /// Open connections on this instance, whatever carries them; further
    /// handshakes are answered 503. A polling connection needs no TCP
    /// connection of its own, so this is not the listener's limit.
    pub connections_max: u32,
    pub admission: AdmissionLimits,
    pub allow_polling: bool,
    pub allow_websocket: bool,
    pub outbox: OutboxLimits,
    /// What ends a connection that does not take what waits for it.
    pub pace: PaceLimits,
    /// From the first byte of a WebSocket message to its last.
    pub message_timeout: Duration,
    /// Packets of a client in one second that ask for nothing: pings, pongs,
    /// noops, namespaces joined and left.
    pub idle_packets_max: u32,
    /// Binary attachments of one event.
    pub attachments_max: u32,
    /// Namespaces joined on one connection.
    pub namespaces_max: u32,
    /// Acknowledgements awaited from one socket.
    pub acks_awaited_max: u32,
    /// Poll answers of at least so many bytes are compressed for clients
    /// that accept gzip; `None` compresses none.
    pub compress_from_bytes: Option<usize>,
    /// Over polling and WebSocket alike.
    pub origins: Origins,
    /// The request headers a connection keeps for its application; `None`
    /// keeps all. They cost memory for as long as the connection lives.
    pub headers_kept: Option<Vec<HeaderName>>,
    /// Where what happens is counted.
    pub metrics: Arc<Metrics>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: "/socket.io/".to_owned(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload_bytes: 1_000_000,
            fragments_max: 1_024,
            packets_per_post_max: 10_000,
            body_timeout: Duration::from_secs(20),
            write_stall_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(30),
            connections_max: 100_000,
            admission: AdmissionLimits::default(),
            allow_polling: true,
            allow_websocket: true,
            outbox: OutboxLimits::default(),
            pace: PaceLimits { bytes_max: 1 << 20, timeout: Duration::from_secs(20) },
            message_timeout: Duration::from_secs(20),
            idle_packets_max: 1_000,
            attachments_max: 10,
            namespaces_max: 16,
            acks_awaited_max: 64,
            compress_from_bytes: Some(1_024),
            origins: Origins::Any,
            headers_kept: None,
            metrics: Arc::default(),
        }
    }
}
