//! Profile `engineclient`: the server that the tests of engine.io-client expect.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{SET_COOKIE, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::net::TcpListener;

use cardroom::connection::{
    Connections, EngineApp, EngineMessage, EngineSocket, Options, Progress, Upper,
};
use cardroom::protocol::Encoded;
use cardroom::protocol::engineio::HandshakeError;
use cardroom::server::{self, ListenerLimits};
use cardroom::transport::body::Body;
use cardroom::transport::engineio::refuse;

use super::{engine, engineio};

pub(crate) async fn serve(listener: TcpListener) {
    let options = Options {
        path: "/engine.io/".to_owned(),
        ping_interval: Duration::from_millis(500),
        max_payload_bytes: 100,
        ..Options::default()
    };
    let connections = Connections::new(options, Upper::EngineIo(Arc::new(Replies)));
    let handler = move |request, peer| respond(connections.clone(), request, peer);
    server::serve(listener, handler, ListenerLimits::default(), pending()).await;
}

async fn respond(
    connections: Connections,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    if engine::query_has(&request, "deny") {
        return refuse(HandshakeError::Forbidden, request.headers().contains_key(UPGRADE));
    }
    let is_handshake = !engine::query_has(&request, "sid");
    let mut response = engine::respond(connections, request, peer).await;
    if is_handshake && !response.status().is_client_error() {
        for cookie in cookies() {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

fn cookies() -> impl Iterator<Item = HeaderValue> {
    let now = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    [
        "1=1; Max-Age=86400".to_owned(),
        "2=2; Path=/; HttpOnly; Secure; SameSite=Strict".to_owned(),
        "3=3; Max-Age=0".to_owned(),
        format!("4=4; Expires={now}"),
    ]
    .into_iter()
    .map(|cookie| HeaderValue::try_from(cookie).expect("cookies are header values"))
}

struct Replies;

impl EngineApp for Replies {
    fn open(&self, socket: &EngineSocket) {
        let _ = socket.send(Encoded::message("hi"));
    }

    fn message(
        &self,
        socket: &EngineSocket,
        message: EngineMessage,
        headers: &HeaderMap,
    ) -> Progress {
        let reply = match &message {
            EngineMessage::Text(text) if text == "give binary" => {
                Encoded::binary_message(&[0, 1, 2, 3, 4])
            }
            EngineMessage::Text(text) if text == "give utf8" => {
                Encoded::message("пойду спать всем спокойной ночи")
            }
            EngineMessage::Text(text) if text == "sendHeaders" => {
                let headers: BTreeMap<_, _> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
                    .collect();
                Encoded::message(&serde_json::json!(headers).to_string())
            }
            _ => engineio::encode(&message),
        };
        let _ = socket.send(reply);
        Progress::Done
    }
}
