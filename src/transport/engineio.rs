//! Engine.IO on HTTP: who may do what, and the answers to all others.

use std::net::SocketAddr;

use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::connection::{Connections, Handshake, Place, Refused};
use crate::metrics::{Relayed, TurnedAway};
use crate::protocol::Sid;
use crate::protocol::engineio::{
    self, Admitted, HandshakeError, TransportName, Whereabouts, admit,
};
use crate::transport::body::{Body, BreakOff};
use crate::transport::busy::busy;
use crate::transport::cors::{self, Cors};
use crate::transport::relay::{self, Relay};
use crate::transport::slot::ConnectionSlot;
use crate::transport::websocket::handshake;
use crate::transport::{polling, upgrade};

/// Answers a request under the Engine.IO path, whatever it is.
///
/// `peer` is the client's address as far as it is known: the caller may have
/// read it from a proxy's header. `relay` asks the other instances; without
/// one, what is not here is unknown.
pub async fn serve(
    connections: Connections,
    relay: Option<Relay>,
    mut request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    if let Some(seal) = request.headers_mut().remove(relay::SEAL) {
        return match relay.and_then(|relay| relay.unseal(&seal, &request)) {
            Some(_) if request.headers().contains_key(relay::NUDGE) => {
                nudge(&connections, &request)
            }
            Some(client) => {
                ConnectionSlot::is_of_an_instance(&request);
                serve_relayed(&connections, request, client).await
            }
            None => relay::not_sealed(),
        };
    }
    let origins = &connections.options().origins;
    let cors = Cors::new(origins, request.headers());
    let mut response = if request.method() == Method::OPTIONS {
        cors::preflight(request.headers())
    } else {
        answer(&connections, relay.as_ref(), request, peer).await
    };
    cors.decorate(response.headers_mut());
    response
}

/// For another instance, which tells the client's browser what CORS wants.
/// Never goes any further.
async fn serve_relayed(
    connections: &Connections,
    request: Request<Incoming>,
    client: SocketAddr,
) -> Response<Body> {
    let response = answer(connections, None, request, client).await;
    match response.extensions().get::<BreakOff>() {
        Some(BreakOff) => relay::broken_off(),
        None => response,
    }
}

/// Another instance relays a poll that waits here, and goes away: the poll
/// is answered with nothing, and the client sends the next one elsewhere.
fn nudge(connections: &Connections, request: &Request<Incoming>) -> Response<Body> {
    let sid = only(request.uri().query().unwrap_or_default(), "sid");
    let connection = sid.and_then(|sid| connections.find(Sid::parse(&sid)?));
    if let Some(connection) = connection {
        connection.nudge();
    }
    status(StatusCode::NO_CONTENT)
}

/// The answer to a request that is not let in, in the form its transport expects.
pub fn refuse(error: HandshakeError, is_upgrade: bool) -> Response<Body> {
    let (body, content_type) = if is_upgrade {
        (error.message().to_owned(), "text/html")
    } else {
        (error.json(), "application/json")
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if is_upgrade {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn answer(
    connections: &Connections,
    relay: Option<&Relay>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    let is_upgrade = handshake::is_upgrade(request.headers());
    let admitted = check(connections, &request, is_upgrade, relay.is_some());
    match admitted {
        Err(error) => refuse(error, is_upgrade),
        Ok(Admitted::Open(transport)) => open(connections, transport, request, peer),
        Ok(Admitted::Upgrade(sid)) => upgrade::bring(connections, sid, request),
        Ok(Admitted::Poll(sid)) => {
            // It may have ended since the check.
            let Some(connection) = connections.find(sid) else {
                return refuse(HandshakeError::SessionIdUnknown, is_upgrade);
            };
            let options = connections.options();
            match *request.method() {
                Method::GET => polling::get(&connection, options, request.headers()).await,
                Method::POST => polling::post(&connection, options, request).await,
                _ => status(StatusCode::INTERNAL_SERVER_ERROR),
            }
        }
        Ok(Admitted::Relay(sid)) => match relay {
            Some(relay) => {
                let response = relay.ask(sid, request, peer, is_upgrade).await;
                let wire = &connections.options().metrics.wire;
                wire.relayed(is_upgrade, relayed(response.status()));
                response
            }
            None => refuse(HandshakeError::SessionIdUnknown, is_upgrade),
        },
    }
}

/// A handshake: the only request that may be turned away for want of room.
fn open(
    connections: &Connections,
    transport: TransportName,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    let place = match ConnectionSlot::is_beyond(&request) {
        true => Err(Refused::new(TurnedAway::AddressFull)),
        false => connections.admit(peer.ip()),
    };
    match (place, transport) {
        (Err(refused), _) => {
            connections.options().metrics.wire.turned_away(refused.reason);
            tracing::debug!(%peer, reason = refused.reason.as_str(), "handshake turned away");
            busy(refused.retry_after_s)
        }
        (Ok(place), TransportName::Polling) => {
            polling::open(connections, keep(request.into_parts().0, peer, place))
        }
        (Ok(place), TransportName::WebSocket) => upgrade::open(connections, request, peer, place),
    }
}

/// What the owner answered itself it has counted itself. It also says 400,
/// to what is wrong with a request: such are rare, and the client's.
fn relayed(status: StatusCode) -> Relayed {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Relayed::Busy,
        StatusCode::BAD_REQUEST => Relayed::Lost,
        _ => Relayed::Answered,
    }
}

fn check(
    connections: &Connections,
    request: &Request<Incoming>,
    is_upgrade: bool,
    can_relay: bool,
) -> Result<Admitted, HandshakeError> {
    let query = request.uri().query().unwrap_or_default();
    let [transport, sid, protocol] = ["transport", "sid", "EIO"].map(|name| only(query, name));
    let origin = request.headers().get(ORIGIN);
    let options = connections.options();
    let request = engineio::Request {
        transport: transport.as_deref(),
        sid: sid.as_deref(),
        protocol: protocol.as_deref(),
        is_get: request.method() == Method::GET,
        is_upgrade,
        is_origin_valid: origin.is_none_or(|origin| origin.to_str().is_ok()),
        is_origin_allowed: cors::is_allowed(&options.origins, request.headers()),
        is_polling_enabled: options.allow_polling,
        is_websocket_enabled: options.allow_websocket,
    };
    admit(request, |sid| match connections.find(sid) {
        Some(connection) => Whereabouts::Here(connection.transport()),
        None if can_relay && connections.issuer().is_of_another(sid) => Whereabouts::Elsewhere,
        None => Whereabouts::Nowhere,
    })
}

/// The value of a query parameter that stands there exactly once: a request
/// that names two is not to be understood one way here and another elsewhere.
pub(super) fn only(query: &str, name: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let value = values.next().filter(|_| values.next().is_none());
    value.map(|(_, value)| value.into_owned())
}

/// What a connection keeps of the request that opened it.
pub(super) fn keep(parts: Parts, peer: SocketAddr, place: Place) -> Handshake {
    Handshake {
        query: parts.uri.query().unwrap_or_default().into(),
        headers: parts.headers,
        peer,
        place: Some(place),
        // The registry knows better in a moment.
        transport: TransportName::Polling,
    }
}

/// A response without a body.
pub(super) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
