//! Profile `socketio`: an echo on Socket.IO, as the protocol's own test suite wants it.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;

use cardroom::connection::{
    App, ConnectRejected, ConnectRequest, Connections, Options, Progress, Socket, Upper,
};
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

/// The handshake's `auth`, kept until the socket is connected.
struct Auth(Vec<u8>);

impl App for Echo {
    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>> {
        let decision = match request.socket.namespace() {
            "/" | "/custom" => {
                request.socket.set_state(Auth(request.auth));
                Ok(())
            }
            _ => Err(ConnectRejected::new("Invalid namespace")),
        };
        Box::pin(ready(decision))
    }

    fn connected(&self, socket: &Socket) {
        let auth = socket.state::<Auth>().map_or(&b"{}"[..], |Auth(auth)| auth);
        let array = [br#"["auth","#, auth, b"]"].concat();
        let _ = socket.emit(Encoded::event(socket.namespace(), &array));
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
        let _ = socket.emit(message);
        Progress::Done
    }

    fn disconnect(&self, _: &Socket, _: CloseReason) {}
}
