//! Who is let in, and the open packet.

use std::time::Duration;

use serde::Serialize;

use crate::protocol::Sid;
use crate::protocol::engineio::HandshakeError;

/// The transports, by their names on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportName {
    Polling,
    WebSocket,
}

impl TransportName {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Polling, Self::WebSocket].into_iter().find(|transport| transport.as_str() == name)
    }
}

/// What the checks look at.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The query parameters `transport`, `sid` and `EIO`.
    pub transport: Option<&'a str>,
    pub sid: Option<&'a str>,
    pub protocol: Option<&'a str>,
    pub is_get: bool,
    /// It asks to become a WebSocket.
    pub is_upgrade: bool,
    /// Its `Origin`, if any, is text.
    pub is_origin_valid: bool,
    /// Its `Origin`, if any, is one the server serves.
    pub is_origin_allowed: bool,
    pub is_polling_enabled: bool,
    pub is_websocket_enabled: bool,
}

/// What the request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// Open a connection.
    Open(TransportName),
    /// Poll or post on an open connection.
    Poll(Sid),
    /// Bring an open connection a WebSocket.
    Upgrade(Sid),
    /// Go to the instance that has the connection, and be judged there.
    Relay(Sid),
}

/// Where an open connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// Here, on this transport.
    Here(TransportName),
    /// With another instance, which can be asked.
    Elsewhere,
    Nowhere,
}

/// The checks of the reference server's `verify()`, in its order.
///
/// `find` tells where an open connection is. An `Origin` that is not allowed is
/// refused where a connection opens and where a WebSocket arrives, to which
/// browsers do not apply CORS; and, which the reference leaves to CORS, where it
/// polls: a foreign page may not even send.
pub fn admit(
    request: Request<'_>,
    find: impl FnOnce(Sid) -> Whereabouts,
) -> Result<Admitted, HandshakeError> {
    let transport = request
        .transport
        .and_then(TransportName::parse)
        .filter(|transport| match transport {
            TransportName::Polling => request.is_polling_enabled,
            TransportName::WebSocket => request.is_websocket_enabled,
        })
        .ok_or(HandshakeError::TransportUnknown)?;
    if !request.is_origin_valid {
        return Err(HandshakeError::BadRequest);
    }
    if let Some(sid) = request.sid.filter(|sid| !sid.is_empty()) {
        let sid = Sid::parse(sid).ok_or(HandshakeError::SessionIdUnknown)?;
        let present = match find(sid) {
            Whereabouts::Here(transport) => transport,
            Whereabouts::Elsewhere => return Ok(Admitted::Relay(sid)),
            Whereabouts::Nowhere => return Err(HandshakeError::SessionIdUnknown),
        };
        return match transport {
            TransportName::WebSocket if !request.is_upgrade => Err(HandshakeError::BadRequest),
            TransportName::WebSocket if !request.is_origin_allowed => {
                Err(HandshakeError::Forbidden)
            }
            TransportName::WebSocket => Ok(Admitted::Upgrade(sid)),
            TransportName::Polling if request.is_upgrade || present != transport => {
                Err(HandshakeError::BadRequest)
            }
            TransportName::Polling if !request.is_origin_allowed => Err(HandshakeError::Forbidden),
            TransportName::Polling => Ok(Admitted::Poll(sid)),
        };
    }
    if !request.is_get {
        return Err(HandshakeError::BadHandshakeMethod);
    }
    if (transport == TransportName::WebSocket) != request.is_upgrade {
        return Err(HandshakeError::BadRequest);
    }
    if !request.is_origin_allowed {
        return Err(HandshakeError::Forbidden);
    }
    if request.protocol != Some("4") {
        return Err(HandshakeError::UnsupportedProtocolVersion);
    }
    Ok(Admitted::Open(transport))
}

/// The first packet of the server: `0{"sid":…}`.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    pub sid: &'a Sid,
    pub can_upgrade: bool,
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    pub max_payload_bytes: u32,
}

impl Open<'_> {
    /// `{"sid":"…","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
    pub fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            sid: &'a str,
            upgrades: &'a [&'a str],
            ping_interval: u64,
            ping_timeout: u64,
            max_payload: u32,
        }
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        serde_json::to_vec(&Wire {
            sid: self.sid.expose(),
            upgrades: if self.can_upgrade { &["websocket"] } else { &[] },
            ping_interval: milliseconds(self.ping_interval),
            ping_timeout: milliseconds(self.ping_timeout),
            max_payload: self.max_payload_bytes,
        })
        .expect("strings and numbers are JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAabcdefgh";

    fn handshake() -> Request<'static> {
        Request {
            transport: Some("polling"),
            sid: None,
            protocol: Some("4"),
            is_get: true,
            is_upgrade: false,
            is_origin_valid: true,
            is_origin_allowed: true,
            is_polling_enabled: true,
            is_websocket_enabled: true,
        }
    }

    fn code(request: Request<'_>) -> Option<u8> {
        admit(request, |_| Whereabouts::Nowhere).err().map(HandshakeError::code)
    }

    fn on_polling(request: Request<'_>) -> Result<Admitted, HandshakeError> {
        admit(request, |_| Whereabouts::Here(TransportName::Polling))
    }

    #[test]
    fn a_good_handshake_opens() {
        let opened = admit(handshake(), |_| Whereabouts::Nowhere);
        assert_eq!(opened, Ok(Admitted::Open(TransportName::Polling)));
    }

    #[test]
    fn each_check_has_its_code_and_its_place() {
        // Every request is also wrong in all that is checked later.
        let all_wrong = Request {
            transport: Some("carrier pigeon"),
            sid: None,
            protocol: Some("3"),
            is_get: false,
            is_origin_valid: false,
            is_origin_allowed: false,
            ..handshake()
        };
        assert_eq!(code(all_wrong), Some(0));
        assert_eq!(code(Request { transport: None, ..all_wrong }), Some(0));
        let disabled = Request { is_polling_enabled: false, ..all_wrong };
        assert_eq!(code(Request { transport: Some("polling"), ..disabled }), Some(0));
        let step = Request { transport: Some("websocket"), ..all_wrong };
        assert_eq!(code(step), Some(3), "origin is no text");
        let step = Request { is_origin_valid: true, ..step };
        assert_eq!(code(Request { sid: Some(SID), ..step }), Some(1));
        assert_eq!(code(Request { sid: Some("short"), ..step }), Some(1));
        assert_eq!(code(step), Some(2));
        let step = Request { is_get: true, ..step };
        assert_eq!(code(step), Some(3), "websocket without upgrade");
        let step = Request { is_upgrade: true, ..step };
        assert_eq!(code(step), Some(4));
        let step = Request { is_origin_allowed: true, ..step };
        assert_eq!(code(step), Some(5));
        assert_eq!(code(Request { protocol: None, ..step }), Some(5));
        assert_eq!(code(Request { protocol: Some("4"), ..step }), None);
    }

    #[test]
    fn a_known_sid_may_poll_or_upgrade() {
        let sid = Sid::parse(SID).expect("40 characters");
        let poll = Request { sid: Some(SID), protocol: None, is_get: false, ..handshake() };
        assert_eq!(on_polling(poll), Ok(Admitted::Poll(sid)));
        let foreign = Request { is_origin_allowed: false, ..poll };
        assert_eq!(on_polling(foreign), Err(HandshakeError::Forbidden));
        let upgrade = Request { transport: Some("websocket"), is_upgrade: true, ..poll };
        assert_eq!(on_polling(upgrade), Ok(Admitted::Upgrade(sid)));
        let plain = Request { is_upgrade: false, ..upgrade };
        assert_eq!(on_polling(plain), Err(HandshakeError::BadRequest));
        let foreign = Request { is_origin_allowed: false, ..upgrade };
        assert_eq!(on_polling(foreign), Err(HandshakeError::Forbidden));
        let upgraded = admit(poll, |_| Whereabouts::Here(TransportName::WebSocket));
        assert_eq!(upgraded, Err(HandshakeError::BadRequest));
    }

    #[test]
    fn what_another_instance_has_is_judged_there() {
        let sid = Sid::parse(SID).expect("40 characters");
        let anything = Request { sid: Some(SID), is_origin_allowed: false, ..handshake() };
        let admitted = |request| admit(request, |_| Whereabouts::Elsewhere);
        assert_eq!(admitted(anything), Ok(Admitted::Relay(sid)));
        let upgrade = Request { transport: Some("websocket"), ..anything };
        assert_eq!(admitted(upgrade), Ok(Admitted::Relay(sid)));
        let disabled = Request { is_polling_enabled: false, ..anything };
        assert_eq!(admitted(disabled), Err(HandshakeError::TransportUnknown));
    }

    #[test]
    fn the_open_packet_names_its_numbers_in_milliseconds() {
        let sid = Sid::parse(SID).expect("40 characters");
        let open = Open {
            sid: &sid,
            can_upgrade: true,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload_bytes: 1_000_000,
        };
        let expected = r#"{"sid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAabcdefgh","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        assert_eq!(String::from_utf8_lossy(&open.json()), expected);
    }
}
