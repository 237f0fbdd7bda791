//! Servers of one test, and Engine.IO clients made of raw requests.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use cardroom::connection::{Connections, Options};
use cardroom::server;

use crate::conformance::{engine, engineio, socketio};
use crate::support::http::{self, Answer, Request};
use crate::support::raw_ws::{FIN, RawWs, Seen, TEXT, frame};

/// Durations that no test waits for by accident.
pub(crate) fn patient() -> Options {
    Options {
        ping_interval: Duration::from_secs(60),
        ping_timeout: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(60),
        ..Options::default()
    }
}

/// Serves until the test ends.
pub(crate) fn serve(connections: Connections) -> SocketAddr {
    let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into(), 64).expect("a port is free");
    let address = listener.local_addr().expect("listener is bound");
    tokio::spawn(engine::serve(listener, connections));
    address
}

/// The echo on bare Engine.IO, under `/socket.io/` like all servers of tests.
pub(crate) fn serve_engineio(options: Options) -> SocketAddr {
    serve(engineio::connections(options))
}

/// The echo on Socket.IO.
pub(crate) fn serve_socketio(options: Options) -> SocketAddr {
    serve(socketio::connections(options))
}

pub(crate) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
pub(crate) const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// `{"code":…,"message":"…"}`
pub(crate) fn error(code: u8, message: &str) -> String {
    format!(r#"{{"code":{code},"message":"{message}"}}"#)
}

/// A connection over polling.
pub(crate) struct Poller {
    pub(crate) server: SocketAddr,
    pub(crate) sid: String,
}

impl Poller {
    pub(crate) async fn open(server: SocketAddr) -> Self {
        let answer = http::get(server, POLLING).await;
        assert_eq!(answer.status, 200);
        Self { server, sid: sid_of(answer.body()) }
    }

    /// Opens, joins `/`, and reads the `40`.
    pub(crate) async fn join(server: SocketAddr) -> Self {
        let poller = Self::open(server).await;
        poller.post("40").await.is(200, "ok");
        let answer = poller.get().await;
        assert!(answer.body().starts_with("40{\"sid\":\""), "{}", answer.body());
        poller
    }

    pub(crate) fn target(&self) -> String {
        format!("{POLLING}&sid={}", self.sid)
    }

    pub(crate) fn upgrade_target(&self) -> String {
        format!("{WEBSOCKET}&sid={}", self.sid)
    }

    pub(crate) async fn get(&self) -> Answer {
        http::get(self.server, &self.target()).await
    }

    /// Sends a GET and returns without its answer.
    pub(crate) async fn park(&self) -> Request {
        let request = Request::send(self.server, "GET", &self.target(), &[], b"").await;
        settle().await;
        request
    }

    pub(crate) async fn post(&self, payload: impl AsRef<[u8]>) -> Answer {
        self.post_as("text/plain;charset=UTF-8", payload).await
    }

    pub(crate) async fn post_as(&self, form: &str, payload: impl AsRef<[u8]>) -> Answer {
        let form = [("Content-Type", form)];
        http::ask(self.server, "POST", &self.target(), &form, payload.as_ref()).await
    }

    /// Announces a body of `length` bytes and sends none of it.
    pub(crate) async fn post_slowly(&self, length: usize) -> Request {
        let request =
            Request::send_part(self.server, "POST", &self.target(), &[], b"", length).await;
        settle().await;
        request
    }

    /// The connection is forgotten: its `sid` is unknown.
    pub(crate) async fn expect_gone(&self) {
        let mut answer = self.get().await;
        for _ in 0..50 {
            if answer.status != 200 {
                break;
            }
            answer = self.get().await;
        }
        answer.is(400, &error(1, "Session ID unknown"));
    }
}

/// `0{"sid":"…",…}`
pub(crate) fn sid_of(open: &str) -> String {
    let open: serde_json::Value = serde_json::from_str(&open[1..]).expect("open packet is JSON");
    open["sid"].as_str().expect("sid is a string").to_owned()
}

/// Opens over WebSocket and reads the open packet.
pub(crate) async fn open_websocket(server: SocketAddr) -> RawWs {
    let mut socket = RawWs::connect(server, WEBSOCKET).await;
    assert!(see_text(&mut socket).await.starts_with("0{"));
    socket
}

/// Opens, joins `/`, and reads the `40`.
pub(crate) async fn join_websocket(server: SocketAddr) -> RawWs {
    let mut socket = open_websocket(server).await;
    say(&mut socket, "40").await;
    assert!(see_text(&mut socket).await.starts_with("40{\"sid\":\""));
    socket
}

pub(crate) async fn say(socket: &mut RawWs, packet: &str) {
    socket.send(&frame(FIN | TEXT, packet)).await;
}

pub(crate) async fn see_text(socket: &mut RawWs) -> String {
    match socket.see().await {
        Seen::Frame { opcode: TEXT, payload } => {
            String::from_utf8(payload).expect("text frames are UTF-8")
        }
        other => panic!("expected a text frame, saw {other:?}"),
    }
}

/// The close frame without a code, which the peer reports as 1005.
pub(crate) async fn expect_close_without_code(socket: &mut RawWs) {
    use crate::support::raw_ws::CLOSE;
    socket.expect(CLOSE, "").await;
}

/// Lets a request that was sent reach the connection. There is nothing to
/// wait for: a parked poll shows itself by its silence.
pub(crate) async fn settle() {
    settle_for(30).await;
}

/// So many turns of the runtime, which is the server's as well: whoever stalls
/// this machine takes one of them and not all.
pub(crate) async fn settle_for(turns: u32) {
    for _ in 0..turns {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
