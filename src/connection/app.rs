//! The applications that a connection talks to.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use compact_str::CompactString;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use serde_json::Value;

use crate::connection::socket::{EngineSocket, Socket};
use crate::protocol::CloseReason;
use crate::protocol::socketio::Event;

/// An application on Socket.IO: the poker table, or the conformance echo.
///
/// Contract, per socket:
///
/// * `connect`, then `connected`, then any number of `event`s, then
///   `disconnect`, exactly once, whatever the way out. When `connect` rejects,
///   or the connection ends while its future is pending (the future is then
///   dropped), neither `connected` nor `disconnect` is called.
/// * One call at a time per connection, in the order of the packets. While a
///   future returned here is pending the connection reads no further packet,
///   but it keeps writing its outbox and its heartbeat. The future must end
///   by itself well within the ping timeout, and must not wait for anything
///   this client has still to send.
/// * Calls of different connections overlap: an implementation synchronises
///   what it shares. None of the synchronous methods may block.
pub trait App: Send + Sync + 'static {
    /// Whether sockets of this application can be recovered: each gets a
    /// private id, and its client says that one when it comes back.
    fn recovers(&self) -> bool {
        false
    }

    /// A client wants to join `request.socket.namespace()`. Whatever the
    /// application emits before it accepts is sent before the `40` reply.
    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>>;

    /// The `40` reply has been queued; what is emitted now follows it.
    fn connected(&self, socket: &Socket) {
        let _ = socket;
    }

    /// An event of a connected client. Its name and arguments lie in the
    /// frame's own buffer; nothing was allocated for them.
    fn event(&self, socket: &Socket, event: Event<'_>) -> Progress;

    /// The socket is gone; what is emitted to it from now on goes nowhere.
    fn disconnect(&self, socket: &Socket, reason: CloseReason);
}

/// Whether an event is dealt with.
#[must_use = "a future that nobody waits for never runs"]
pub enum Progress {
    Done,
    /// The connection finishes this before it reads its next packet, and
    /// drops it if the connection ends first.
    Wait(BoxFuture<'static, ()>),
}

/// A CONNECT packet and where it came from.
#[derive(Debug)]
pub struct ConnectRequest {
    /// Not connected yet, but its id, namespace, handshake and outbox are there.
    pub socket: Socket,
    /// The client's `auth`: a JSON object, `{}` if it sent none. Syntax and
    /// depth have been checked. Mutable so that simd-json can parse in place.
    pub auth: Vec<u8>,
    /// What the client says of the socket it had before; only of an
    /// application that [recovers](App::recovers). To give that socket back:
    /// [`Socket::assume`].
    pub earlier: Option<Earlier>,
}

/// A socket that a client had, as the client remembers it. Both texts are its
/// own words, and may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub pid: Pid,
    /// The last argument of the last event that ended in a string.
    pub offset: Option<CompactString>,
}

/// The client's word for a private id, which a log must not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Pid(pub CompactString);

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pid(…)")
    }
}

/// CONNECT_ERROR: `44{"message":"…","data":…}`. The connection stays usable.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectRejected {
    pub message: Cow<'static, str>,
    /// Left out of the packet when `None`.
    pub data: Option<Value>,
}

impl ConnectRejected {
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), data: None }
    }
}

/// An application on bare Engine.IO: every message is its own, without the
/// Socket.IO layer. The contract is that of [`App`], with `open` and `close`
/// for `connected` and `disconnect`.
pub trait EngineApp: Send + Sync + 'static {
    fn open(&self, socket: &EngineSocket) {
        let _ = socket;
    }

    /// `headers` are those of the request that carried the message: the POST,
    /// or the one that became the WebSocket (as far as
    /// [`Options::headers_kept`](crate::connection::Options) keeps them).
    fn message(
        &self,
        socket: &EngineSocket,
        message: EngineMessage,
        headers: &HeaderMap,
    ) -> Progress;

    fn close(&self, socket: &EngineSocket, reason: CloseReason) {
        let _ = (socket, reason);
    }
}

/// An Engine.IO message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineMessage {
    Text(String),
    Binary(Bytes),
}
