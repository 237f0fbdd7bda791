//! What a client says when it comes: the query, the `auth` of CONNECT, and the
//! ids and offsets in them. A line feed parts query and `auth`.

#![no_main]

use cardroom::api::client_event::parse_auth;
use cardroom::api::offset::{OFFSET_BYTES_MAX, Offset};
use cardroom::connection::Earlier;
use cardroom::poker::ids::{JoinCode, PlayerId, RequestId, SessionId, SessionRef};
use cardroom::protocol::engineio::{Admitted, Request, TransportName, Whereabouts, admit};
use cardroom::protocol::sid::{Issuer, Owner};
use cardroom::protocol::{PrivateId, Sid, SocketId};
use cardroom::transport::fuzzing::only;
use serde::de::IgnoredAny;

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let (query, auth) = text.split_once('\n').unwrap_or((text, ""));
    admission(query);
    ids(query);
    let parsed = parse_auth(&mut auth.as_bytes().to_vec());
    if parsed.is_ok() {
        assert!(auth.trim_start().starts_with('{'));
        assert!(serde_json::from_str::<IgnoredAny>(auth).is_ok(), "what is taken is JSON");
    }
    if let Some(earlier) = Earlier::of(auth.as_bytes()) {
        assert!(earlier.pid.0.len() <= 128);
        let offset = earlier.offset.as_deref().unwrap_or_default();
        assert!(offset.len() <= 128);
        ids(&earlier.pid.0);
        ids(offset);
    }
}

fn admission(query: &str) {
    let [transport, sid, protocol] = ["transport", "sid", "EIO"].map(|name| {
        let count = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).count();
        let value = only(query, name);
        assert_eq!(value.is_some(), count == 1, "{name}");
        value
    });
    let issuer = Issuer::new(Owner(1), b"secret");
    for bits in 0..16u8 {
        let request = Request {
            transport: transport.as_deref(),
            sid: sid.as_deref(),
            protocol: protocol.as_deref(),
            is_get: bits & 1 == 0,
            is_upgrade: bits & 2 != 0,
            is_origin_valid: true,
            is_origin_allowed: bits & 4 == 0,
            is_polling_enabled: true,
            is_websocket_enabled: bits & 8 == 0,
        };
        let mut asked = None;
        let admitted = admit(request, |sid| {
            asked = Some(sid);
            assert!(!issuer.is_of_another(sid), "nobody guesses the check");
            Whereabouts::Here(TransportName::Polling)
        });
        match admitted {
            Err(error) => {
                assert!(serde_json::from_str::<IgnoredAny>(&error.json()).is_ok());
                assert!(matches!(error.status(), 400 | 403));
            }
            Ok(Admitted::Open(opened)) => {
                assert_eq!(protocol.as_deref(), Some("4"));
                assert!(request.is_get && request.is_origin_allowed && asked.is_none());
                assert_eq!(opened == TransportName::WebSocket, request.is_upgrade);
            }
            Ok(Admitted::Poll(known) | Admitted::Upgrade(known)) => {
                assert_eq!(Some(known.expose()), sid.as_deref());
                assert_eq!(matches!(admitted, Ok(Admitted::Upgrade(_))), request.is_upgrade);
            }
            Ok(Admitted::Relay(_)) => panic!("it is here"),
        }
    }
}

/// Every id is written as it was read, or another way that means the same.
fn ids(text: &str) {
    if let Some(offset) = Offset::parse(text) {
        let written = offset.to_string();
        assert!(written.len() <= OFFSET_BYTES_MAX);
        assert_eq!(Offset::parse(&written), Some(offset));
    }
    assert!(Sid::parse(text).is_none_or(|sid| sid.expose() == text));
    assert!(SocketId::parse(text).is_none_or(|id| id.as_str() == text));
    assert!(PrivateId::parse(text).is_none_or(|id| id.expose() == text));
    if let Ok(id) = text.parse::<SessionId>() {
        assert_eq!(SessionId::from_random(id.to_bytes()), id);
        assert_eq!(id.as_str().parse(), Ok(id));
    }
    if let Ok(code) = text.parse::<JoinCode>() {
        assert_eq!(code.as_str().parse(), Ok(code));
    }
    if let Ok(id) = text.parse::<PlayerId>() {
        assert_eq!(PlayerId::from_bytes(id.to_bytes()), id);
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(id) = text.parse::<RequestId>() {
        assert_eq!(id.as_str(), text);
    }
    let _ = text.parse::<SessionRef>();
}
