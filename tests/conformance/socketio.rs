//! Profile `socketio`: an echo on Socket.IO, as the protocol's own test suite wants it.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::watch;

use cardroom::connection::{
    App, ConnectRejected, ConnectRequest, Connections, Options, Progress, Socket, Upper,
};
use cardroom::protocol::engineio::TransportName;
use cardroom::protocol::socketio::Event;
use cardroom::protocol::{CloseReason, Encoded};

use super::engine;
use super::json::named;

pub(crate) async fn serve(listener: TcpListener) {
    let options = Options {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        connect_timeout: Duration::from_secs(1),
        ..Options::default()
    };
    engine::serve(listener, connections(options)).await;
}

pub(crate) fn connections(options: Options) -> Connections {
    Connections::new(options, Upper::SocketIo(Arc::new(Echo)))
}

struct Echo;

/// What separates the `auth` event from the `40` reply over WebSocket. The
/// suite listens for one message at a time and loses the second of two that
/// arrive in the same segment; the reference server writes each by itself.
const AUTH_DELAY: Duration = Duration::from_millis(60);

struct State {
    /// The handshake's.
    auth: Vec<u8>,
    /// Whether the `auth` event has been emitted; nothing overtakes it.
    is_greeted: watch::Sender<bool>,
}

impl App for Echo {
    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>> {
        let decision = match request.socket.namespace() {
            "/" | "/custom" => {
                let is_greeted = watch::Sender::new(false);
                request.socket.set_state(State { auth: request.auth, is_greeted });
                Ok(())
            }
            _ => Err(ConnectRejected::new("Invalid namespace")),
        };
        Box::pin(ready(decision))
    }

    fn connected(&self, socket: &Socket) {
        if socket.transport() == TransportName::Polling {
            return greet(socket);
        }
        let socket = socket.clone();
        tokio::spawn(async move {
            tokio::time::sleep(AUTH_DELAY).await;
            greet(&socket);
        });
    }

    fn event(&self, socket: &Socket, event: Event<'_>) -> Progress {
        let namespace = socket.namespace();
        let message = match (namespace, event.name, event.ack) {
            ("/", "message", _) => {
                let array = named("message-back", event.arguments);
                if event.attachments.is_empty() {
                    Encoded::event(namespace, &array)
                } else {
                    Encoded::binary_event(namespace, &array, &event.attachments)
                }
            }
            ("/", "message-with-ack", Some(id)) if event.attachments.is_empty() => {
                Encoded::ack(namespace, id, event.arguments)
            }
            ("/", "message-with-ack", Some(id)) => {
                Encoded::binary_ack(namespace, id, event.arguments, &event.attachments)
            }
            _ => return Progress::Done,
        };
        if socket.state::<State>().is_none_or(|state| *state.is_greeted.borrow()) {
            let _ = socket.emit(message);
            return Progress::Done;
        }
        let socket = socket.clone();
        Progress::Wait(Box::pin(async move {
            if let Some(State { is_greeted, .. }) = socket.state() {
                let _ = is_greeted.subscribe().wait_for(|is_greeted| *is_greeted).await;
            }
            let _ = socket.emit(message);
        }))
    }

    fn disconnect(&self, _: &Socket, _: CloseReason) {}
}

fn greet(socket: &Socket) {
    if let Some(State { auth, is_greeted }) = socket.state() {
        let array = [br#"["auth","#, auth.as_slice(), b"]"].concat();
        let _ = socket.emit(Encoded::event(socket.namespace(), &array));
        is_greeted.send_replace(true);
    }
}
