//! Requests that become WebSockets: to open a connection, or to take one over.

use std::net::SocketAddr;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use hyper::body::Incoming;

use crate::connection::{Connections, Link, Place};
use crate::protocol::Sid;
use crate::transport::body::Body;
use crate::transport::engineio::keep;
use crate::transport::link::{LinkLimits, SocketLink};
use crate::transport::websocket::{HandshakeError, ReadLimits, handshake};

/// A WebSocket without a `sid` opens a connection.
pub(super) fn open(
    connections: &Connections,
    request: Request<Incoming>,
    peer: SocketAddr,
    place: Place,
) -> Response<Body> {
    let connections = connections.clone();
    accept(&connections.clone(), request, |request| {
        let handshake = keep(request.into_parts().0, peer, place);
        move |link| connections.open_websocket(handshake, link)
    })
}

/// A WebSocket with a `sid` is brought to that connection, which decides.
pub(super) fn bring(
    connections: &Connections,
    sid: Sid,
    request: Request<Incoming>,
) -> Response<Body> {
    let connections = connections.clone();
    accept(&connections.clone(), request, |_| {
        move |link| {
            if let Some(connection) = connections.find(sid) {
                let _ = connection.upgrade(link);
            }
        }
    })
}

/// `prepare` makes of the request what will take the WebSocket.
fn accept<T: FnOnce(Box<dyn Link>) + Send + 'static>(
    connections: &Connections,
    mut request: Request<Incoming>,
    prepare: impl FnOnce(Request<Incoming>) -> T,
) -> Response<Body> {
    let limits = ReadLimits {
        message_bytes_max: connections.options().max_payload_bytes as usize,
        fragments_max: connections.options().fragments_max,
    };
    let link_limits = LinkLimits {
        message_timeout: connections.options().message_timeout,
        controls_max: connections.options().idle_packets_max,
    };
    match handshake::accept(&mut request) {
        Ok((response, pending)) => {
            let stall_timeout = connections.options().write_stall_timeout;
            let take = prepare(request);
            tokio::spawn(async move {
                // A peer that leaves before its 101 has opened nothing.
                if let Ok((reader, writer)) = pending.open(limits, stall_timeout).await {
                    take(Box::new(SocketLink::new(reader, writer, link_limits)));
                }
            });
            response.map(|()| Body::default())
        }
        Err(fault) => refuse(fault),
    }
}

/// The answer to a request that asks for a WebSocket in a wrong way.
pub(super) fn refuse(fault: HandshakeError) -> Response<Body> {
    let mut response = fault.response().map(|()| Body::from(fault.to_string()));
    let text = HeaderValue::from_static("text/html");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
