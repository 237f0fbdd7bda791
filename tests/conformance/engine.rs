//! What every profile on Engine.IO shares: HTTP in front of the connections.

use std::future::pending;
use std::net::SocketAddr;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use cardroom::connection::Connections;
use cardroom::server::{self, ListenerLimits};
use cardroom::transport::body::Body;
use cardroom::transport::engineio;

pub(crate) async fn serve(listener: TcpListener, connections: Connections) {
    let handler = move |request, peer| respond(connections.clone(), request, peer);
    server::serve(listener, handler, ListenerLimits::default(), pending()).await;
}

pub(crate) async fn respond(
    connections: Connections,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    if request.uri().path() == connections.options().path {
        return engineio::serve(connections, None, request, peer).await;
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Whether the query of a request has a parameter of that name.
pub(crate) fn query_has<B>(request: &Request<B>, name: &str) -> bool {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name)
}
