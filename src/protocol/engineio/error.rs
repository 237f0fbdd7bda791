//! The refusals of the handshake, with the codes of the reference server.

/// Why a request is not let in; code, message and status are on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeError {
    /// `transport` is missing, unknown or disabled.
    TransportUnknown,
    /// No connection has this `sid`.
    SessionIdUnknown,
    /// Without a `sid`, only GET will do.
    BadHandshakeMethod,
    /// The request contradicts itself or the connection it names.
    BadRequest,
    /// The server does not want this client.
    Forbidden,
    /// `EIO` is not 4.
    UnsupportedProtocolVersion,
}

impl HandshakeError {
    pub const fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionIdUnknown => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocolVersion => 5,
        }
    }

    pub const fn message(self) -> &'static str {
        match self {
            Self::TransportUnknown => "Transport unknown",
            Self::SessionIdUnknown => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden => "Forbidden",
            Self::UnsupportedProtocolVersion => "Unsupported protocol version",
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            _ => 400,
        }
    }

    /// The body of a polling answer: `{"code":1,"message":"Session ID unknown"}`.
    pub fn json(self) -> String {
        format!(r#"{{"code":{},"message":"{}"}}"#, self.code(), self.message())
    }
}
