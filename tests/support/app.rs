//! An application that does what a test tells it to, and remembers how its
//! sockets ended.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use cardroom::connection::{
    AckError, App, ConnectRejected, ConnectRequest, Connections, Options, Progress, Socket, Upper,
};
use cardroom::protocol::socketio::Event;
use cardroom::protocol::{CloseReason, Encoded};

use crate::support::eio;

/// A server with this application, and what it has seen.
pub(crate) struct Scripted {
    pub(crate) server: SocketAddr,
    pub(crate) connections: Connections,
    ended: mpsc::Receiver<(String, CloseReason)>,
}

impl Scripted {
    pub(crate) fn serve(options: Options) -> Self {
        let (ends, ended) = mpsc::channel(64);
        let connections = Connections::new(options, Upper::SocketIo(Arc::new(Obedient { ends })));
        Self { server: eio::serve(connections.clone()), connections, ended }
    }

    pub(crate) async fn expect_end(&mut self, namespace: &str, reason: CloseReason) {
        assert_eq!(self.next_end().await, (namespace.to_owned(), reason));
    }

    /// The next socket that ended: its namespace and why.
    pub(crate) async fn next_end(&mut self) -> (String, CloseReason) {
        let ended = timeout(Duration::from_secs(30), self.ended.recv()).await;
        ended.expect("a socket ends in time").expect("the application lives")
    }

    pub(crate) async fn expect_no_end(&mut self) {
        eio::settle().await;
        assert!(self.ended.try_recv().is_err());
    }
}

/// Obeys events by their names:
///
/// * `disconnect me`, `close`: what the server can do to a socket;
/// * `ask`: asks for an acknowledgement and emits `asked` with the result;
/// * `ask long`: the same, with time enough that nobody waits for its end;
/// * `flood`: more than any outbox holds, to this client;
/// * `count`: emits `n` with 0 to 999, over a second;
/// * `panic`;
/// * `wait`: done after 50 ms; `wait forever`;
/// * anything else is acknowledged with its own name.
///
/// Joining `/slow` takes 50 ms, `/never` for ever; `/early` emits before it
/// accepts; `/refused` is refused with data; a namespace with `?` is invalid.
struct Obedient {
    ends: mpsc::Sender<(String, CloseReason)>,
}

impl App for Obedient {
    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>> {
        let socket = request.socket;
        Box::pin(async move {
            match socket.namespace() {
                "/slow" => tokio::time::sleep(Duration::from_millis(50)).await,
                "/never" => pending().await,
                "/early" => {
                    let _ = socket.emit(Encoded::event("/early", br#"["early"]"#));
                }
                "/refused" => {
                    let data = Some(json!({ "content": "try later" }));
                    return Err(ConnectRejected { message: "not now".into(), data });
                }
                namespace if namespace.contains('?') => {
                    return Err(ConnectRejected::new("Invalid namespace"));
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn event(&self, socket: &Socket, event: Event<'_>) -> Progress {
        let socket = socket.clone();
        match event.name {
            "disconnect me" => socket.disconnect(),
            "close" => socket.close(CloseReason::ForcedClose),
            "ask" => ask(socket, Duration::from_millis(50)),
            "ask long" => ask(socket, Duration::from_secs(60)),
            "flood" => {
                let message =
                    Encoded::event("/", format!("[\"{}\"]", "x".repeat(1_000)).as_bytes());
                while socket.emit(message.clone()).is_ok() {}
            }
            "count" => {
                tokio::spawn(async move {
                    for n in 0..1_000 {
                        let event = Encoded::event_with("/", "n", &n).expect("numbers are JSON");
                        let _ = socket.emit(event);
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                });
            }
            "panic" => panic!("as the test wants it"),
            "wait" => {
                return Progress::Wait(Box::pin(tokio::time::sleep(Duration::from_millis(50))));
            }
            "wait forever" => return Progress::Wait(Box::pin(pending())),
            name => {
                if let Some(id) = event.ack {
                    let _ = socket.ack(id, name);
                }
            }
        }
        Progress::Done
    }

    fn disconnect(&self, socket: &Socket, reason: CloseReason) {
        let _ = self.ends.try_send((socket.namespace().to_owned(), reason));
    }
}

fn ask(socket: Socket, patience: Duration) {
    let asked = socket.emit_with_ack(br#"["question"]"#, patience);
    tokio::spawn(async move {
        let answer = match asked.await {
            Ok(answer) => String::from_utf8_lossy(&answer.array).into_owned(),
            Err(AckError::TimedOut) => "timed out".to_owned(),
            Err(AckError::Disconnected) => "disconnected".to_owned(),
            Err(AckError::TooMany) => "too many".to_owned(),
        };
        let event = Encoded::event_with(socket.namespace(), "asked", &answer);
        let _ = socket.emit(event.expect("text is JSON"));
    });
}
