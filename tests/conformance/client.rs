//! Profile `client`: the server that the tests of socket.io-client expect.

use std::collections::BTreeMap;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Request;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use cardroom::connection::{
    App, ConnectRejected, ConnectRequest, Connections, Options, Progress, Socket, Upper,
};
use cardroom::protocol::socketio::Event;
use cardroom::protocol::{CloseReason, Encoded};
use cardroom::server::{self, ListenerLimits};

use super::engine;
use super::json::PLACEHOLDER;

/// A handshake takes this long, so that a client with `timeout: 0` times out.
/// Other requests do not wait, as with the `allowRequest` of the reference
/// server: the suite acknowledges within 50 ms of *opening* over polling.
const HANDSHAKE_DELAY: Duration = Duration::from_millis(10);
const ACK_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn serve(listener: TcpListener) {
    let options = Options { ping_interval: Duration::from_secs(2), ..Options::default() };
    let connections = Connections::new(options, Upper::SocketIo(Arc::new(Replies)));
    let handler = move |request: Request<Incoming>, peer| {
        let connections = connections.clone();
        async move {
            if !engine::query_has(&request, "sid") {
                tokio::time::sleep(HANDSHAKE_DELAY).await;
            }
            engine::respond(connections, request, peer).await
        }
    };
    server::serve(listener, handler, ListenerLimits::default(), pending()).await;
}

struct Replies;

struct State {
    handshake: Value,
    has_had_abuff1: AtomicBool,
}

impl App for Replies {
    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>> {
        let ConnectRequest { socket, auth, .. } = request;
        let query: BTreeMap<_, _> = socket.handshake().query_pairs().collect();
        let decision = match socket.namespace() {
            "/" if query.contains_key("fail") => Err("Auth failed (main namespace)"),
            "/no" => Err("Auth failed (custom namespace)"),
            "/" | "/foo" | "/timeout_socket" | "/valid" | "/asd" | "/abc" => Ok(()),
            _ => Err("Invalid namespace"),
        };
        let auth: Value = serde_json::from_slice(&auth).unwrap_or_default();
        socket.set_state(State {
            handshake: json!({ "query": query, "auth": auth }),
            has_had_abuff1: AtomicBool::new(false),
        });
        Box::pin(ready(decision.map_err(ConnectRejected::new)))
    }

    fn connected(&self, socket: &Socket) {
        if let ("/abc", Some(state)) = (socket.namespace(), socket.state::<State>()) {
            emit(socket, &json!(["handshake", state.handshake]));
        }
    }

    fn event(&self, socket: &Socket, event: Event<'_>) -> Progress {
        let Some(state) = socket.state::<State>() else { return Progress::Done };
        let arguments: Vec<Value> = serde_json::from_slice(event.arguments).unwrap_or_default();
        let first = arguments.first().cloned().unwrap_or_default();
        let attachment = event.attachments.first();
        match (socket.namespace(), event.name) {
            ("/" | "/foo", "getId") => ack(socket, event.ack, &json!(socket.id().as_str())),
            ("/", "hi") => emit(socket, &json!(["hi"])),
            ("/", "echo") => ack(socket, event.ack, &first),
            ("/", "ack") => ask(socket.clone()),
            ("/", "getAckDate") => ack(socket, event.ack, &json!(now())),
            ("/", "getDate") => emit(socket, &json!(["takeDate", now()])),
            ("/", "getDateObj") => emit(socket, &json!(["takeDateObj", { "date": now() }])),
            ("/", "getUtf8") => {
                for text in TEXTS {
                    emit(socket, &json!(["takeUtf8", text]));
                }
            }
            ("/", "false") => emit(socket, &json!(["false", false])),
            ("/", "doge") => emit_bytes(socket, "doge"),
            ("/", "getbin") => emit_bytes(socket, "takebin"),
            ("/", "buffa") if attachment.is_some() => emit(socket, &json!(["buffack"])),
            ("/", "jsonbuff")
                if first["hello"] == "lol"
                    && first["goodbye"] == "gotcha"
                    && first["message"]["_placeholder"] == true =>
            {
                emit(socket, &json!(["jsonbuff-ack"]));
            }
            ("/", "abuff1") if attachment.is_some() => {
                state.has_had_abuff1.store(true, Ordering::Relaxed);
            }
            // The suite sends text here: it is the order that counts.
            ("/", "abuff2") if state.has_had_abuff1.load(Ordering::Relaxed) => {
                emit(socket, &json!(["abuff2-ack"]));
            }
            ("/", "getHandshake") => ack(socket, event.ack, &state.handshake),
            _ => {}
        }
        Progress::Done
    }

    fn disconnect(&self, _: &Socket, _: CloseReason) {}
}

const TEXTS: [&str; 5] = ["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"];

fn emit(socket: &Socket, array: &Value) {
    let _ = socket.emit(Encoded::event(socket.namespace(), array.to_string().as_bytes()));
}

fn emit_bytes(socket: &Socket, name: &str) {
    let array = format!(r#"["{name}",{PLACEHOLDER}]"#);
    let namespace = socket.namespace();
    let _ = socket.emit(Encoded::binary_event(namespace, array.as_bytes(), &[b"asdfasdf"]));
}

fn ack(socket: &Socket, id: Option<u64>, argument: &Value) {
    if let Some(id) = id {
        let _ = socket.ack(id, argument);
    }
}

/// Emits `ack`, and `got it` when the client acknowledges as it should.
fn ask(socket: Socket) {
    let answer = socket.emit_with_ack(br#"["ack"]"#, ACK_TIMEOUT);
    tokio::spawn(async move {
        let Ok(answer) = answer.await else { return };
        let arguments: Value = serde_json::from_slice(&answer.array).unwrap_or_default();
        if arguments == json!([5, { "test": true }]) {
            emit(&socket, &json!(["got it"]));
        }
    });
}

/// As `Date.prototype.toISOString` writes it.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
