//! Why a connection, or a socket on it, ended.

use std::fmt;

/// The one reason with which a connection ends, named as the reference server
/// names it where it has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The peer closed its WebSocket, or sent an Engine.IO close packet.
    TransportClose,
    /// The carrier broke: reset, aborted poll, overlapping requests.
    TransportError,
    /// No pong within `pingTimeout` of a ping.
    PingTimeout,
    /// The peer sent what is not Engine.IO or Socket.IO.
    ParseError,
    /// The peer's message is larger than `maxPayload`.
    TooLarge,
    /// The server closed the connection (engine level: the client reconnects).
    ForcedClose,
    /// The instance drains (engine level: the client reconnects elsewhere).
    ServerShuttingDown,
    /// The peer takes nothing, or reads more slowly than it is written to.
    SlowConsumer,
    /// The peer sent more packets that ask for nothing than any client would.
    Flooding,
    /// The client has come back on another connection, with this one's socket.
    Superseded,
    /// No namespace was joined in time.
    ConnectTimeout,
    /// The server disconnected this socket from its namespace (`41`).
    ServerNamespaceDisconnect,
    /// The client disconnected this socket from its namespace (`41`).
    ClientNamespaceDisconnect,
}

impl CloseReason {
    /// In the order of their numbers.
    pub const ALL: &[Self] = &[
        Self::TransportClose,
        Self::TransportError,
        Self::PingTimeout,
        Self::ParseError,
        Self::TooLarge,
        Self::ForcedClose,
        Self::ServerShuttingDown,
        Self::SlowConsumer,
        Self::Flooding,
        Self::Superseded,
        Self::ConnectTimeout,
        Self::ServerNamespaceDisconnect,
        Self::ClientNamespaceDisconnect,
    ];

    /// The text that the reference server hands to `disconnect` handlers;
    /// also fit for logs and as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::TooLarge => "too large",
            Self::ForcedClose => "forced close",
            Self::ServerShuttingDown => "server shutting down",
            Self::SlowConsumer => "slow consumer",
            Self::Flooding => "flooding",
            Self::Superseded => "superseded",
            Self::ConnectTimeout => "connect timeout",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
