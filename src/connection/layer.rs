//! What lies on top of Engine.IO in a connection's task: Socket.IO and its
//! application, or a bare one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use serde::Serialize;

use crate::connection::app::{
    App, ConnectRejected, ConnectRequest, Earlier, EngineApp, EngineMessage, Progress,
};
use crate::connection::connections::{Upper, random};
use crate::connection::handle::Connection;
use crate::connection::options::Options;
use crate::connection::socket::{AckArguments, EngineSocket, Identity, Socket};
use crate::metrics::Metrics;
use crate::protocol::socketio::{Client, Limits, Received};
use crate::protocol::{CloseReason, Encoded, PrivateId, SocketId};

const MAIN_NAMESPACE: &str = "/";

pub(super) enum Layer {
    SocketIo(SocketIo),
    EngineIo { app: Arc<dyn EngineApp>, socket: EngineSocket },
}

/// What the application has still to finish before the next packet is read.
pub(super) enum Waiting {
    Connect { socket: Socket, decision: BoxFuture<'static, Result<(), ConnectRejected>> },
    Event(BoxFuture<'static, ()>),
}

impl Layer {
    pub(super) fn new(upper: &Upper, connection: &Arc<Connection>, options: &Options) -> Self {
        match upper {
            Upper::SocketIo(app) => Self::SocketIo(SocketIo {
                app: Arc::clone(app),
                connection: Arc::clone(connection),
                metrics: Arc::clone(&options.metrics),
                acks_awaited_max: options.acks_awaited_max,
                client: Client::new(
                    Duration::ZERO,
                    Limits {
                        attachments_max: options.attachments_max,
                        namespaces_max: options.namespaces_max,
                        connect_timeout: options.connect_timeout,
                    },
                ),
            }),
            Upper::EngineIo(app) => Self::EngineIo {
                app: Arc::clone(app),
                socket: EngineSocket::new(Arc::clone(connection)),
            },
        }
    }

    /// The Engine.IO connection is open.
    pub(super) fn open(&self) {
        if let Self::EngineIo { app, socket } = self {
            app.open(socket);
        }
    }

    /// Whether a message is none that the application sees, and limits: on
    /// Socket.IO everything but events.
    pub(super) fn is_chatter(&self, message: &[u8]) -> bool {
        const EVENT: u8 = b'2';
        const BINARY_EVENT: u8 = b'5';
        match self {
            Self::SocketIo(_) => !matches!(message.first(), Some(&(EVENT | BINARY_EVENT))),
            Self::EngineIo { .. } => false,
        }
    }

    /// An Engine.IO text message, without its `4`.
    pub(super) fn text(
        &mut self,
        now: Duration,
        message: &mut [u8],
        headers: &HeaderMap,
    ) -> Result<Option<Waiting>, CloseReason> {
        match self {
            Self::SocketIo(layer) => layer.text(now, message),
            Self::EngineIo { app, socket } => {
                let text = std::str::from_utf8(message).map_err(|_| CloseReason::ParseError)?;
                let message = EngineMessage::Text(text.to_owned());
                Ok(waiting(app.message(socket, message, headers)))
            }
        }
    }

    /// An Engine.IO binary message.
    pub(super) fn binary(
        &mut self,
        now: Duration,
        message: Bytes,
        headers: &HeaderMap,
    ) -> Result<Option<Waiting>, CloseReason> {
        match self {
            Self::SocketIo(layer) => layer.binary(now, message),
            Self::EngineIo { app, socket } => {
                Ok(waiting(app.message(socket, EngineMessage::Binary(message), headers)))
            }
        }
    }

    /// The application has decided on a CONNECT.
    pub(super) fn decided(&mut self, socket: Socket, decision: Result<(), ConnectRejected>) {
        if let Self::SocketIo(layer) = self {
            layer.decided(socket, decision);
        }
    }

    /// Whether some socket is to be disconnected by [`Layer::disconnect_leaving`].
    pub(super) fn has_leaving(&self) -> bool {
        match self {
            Self::SocketIo(layer) => layer.client.sockets().any(Socket::is_leaving),
            Self::EngineIo { .. } => false,
        }
    }

    /// Carries out [`Socket::disconnect`].
    pub(super) fn disconnect_leaving(&mut self, now: Duration) {
        let Self::SocketIo(layer) = self else { return };
        while let Some(socket) = layer.client.disconnect(now, Socket::is_leaving) {
            let packet = Encoded::disconnect(socket.namespace());
            let _ = layer.connection.outbox.push(packet);
            layer.ended(&socket, CloseReason::ServerNamespaceDisconnect);
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::SocketIo(layer) => layer.client.deadline(),
            Self::EngineIo { .. } => None,
        }
    }

    /// The connection is over: tells the application of each socket.
    pub(super) fn close(&mut self, now: Duration, reason: CloseReason) {
        self.disconnect_leaving(now);
        match self {
            Self::SocketIo(layer) => {
                while let Some(socket) = layer.client.disconnect(now, |_| true) {
                    layer.ended(&socket, reason);
                }
            }
            Self::EngineIo { app, socket } => app.close(socket, reason),
        }
    }
}

fn waiting(progress: Progress) -> Option<Waiting> {
    match progress {
        Progress::Done => None,
        Progress::Wait(future) => Some(Waiting::Event(future)),
    }
}

pub(super) struct SocketIo {
    app: Arc<dyn App>,
    connection: Arc<Connection>,
    metrics: Arc<Metrics>,
    acks_awaited_max: u32,
    client: Client<Socket>,
}

impl SocketIo {
    fn text(&mut self, now: Duration, message: &mut [u8]) -> Result<Option<Waiting>, CloseReason> {
        let received = self.client.text(now, message)?;
        Ok(self.received(received))
    }

    fn binary(&mut self, _now: Duration, message: Bytes) -> Result<Option<Waiting>, CloseReason> {
        let Some(mut assembled) = self.client.binary(message)? else { return Ok(None) };
        Ok(self.received(assembled.received()?))
    }

    fn received(&self, received: Received<'_, Socket>) -> Option<Waiting> {
        match received {
            Received::Incomplete => None,
            Received::Connect { namespace, auth } => {
                let recovers = self.app.recovers();
                let identity = Identity {
                    id: SocketId::from_random(random()),
                    private_id: recovers.then(|| PrivateId::from_random(random())),
                };
                let connection = Arc::clone(&self.connection);
                let socket = Socket::new(identity, namespace, connection, self.acks_awaited_max);
                let auth = if auth.is_empty() { b"{}".to_vec() } else { auth.to_vec() };
                let earlier = if recovers { Earlier::of(&auth) } else { None };
                let request = ConnectRequest { socket: socket.clone(), auth, earlier };
                Some(Waiting::Connect { socket, decision: self.app.connect(request) })
            }
            Received::Disconnected(socket) => {
                self.ended(&socket, CloseReason::ClientNamespaceDisconnect);
                None
            }
            // The server has disconnected it, which the client cannot know yet.
            Received::Event(socket, _) if socket.is_leaving() => None,
            Received::Event(socket, event) => waiting(self.app.event(&socket, event)),
            Received::Acknowledged { socket, id, array, attachments } => {
                socket.acknowledged(id, AckArguments { array: array.to_vec(), attachments });
                None
            }
        }
    }

    fn decided(&mut self, socket: Socket, decision: Result<(), ConnectRejected>) {
        #[derive(Serialize)]
        struct Rejected<'a> {
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<serde_json::Value>,
        }
        let namespace = socket.namespace();
        match decision {
            Ok(()) => {
                let _ = socket.welcome(&[]);
                self.client.join(namespace, socket.clone());
                if namespace == MAIN_NAMESPACE {
                    self.connection.set_joined();
                }
                self.metrics.wire.sockets.add(1);
                self.app.connected(&socket);
            }
            Err(ConnectRejected { message, data }) => {
                let object = json(&Rejected { message: &message, data });
                let _ = self.connection.outbox.push(Encoded::connect_error(namespace, &object));
                socket.ended();
            }
        }
    }

    fn ended(&self, socket: &Socket, reason: CloseReason) {
        socket.ended();
        self.metrics.wire.sockets.add(-1);
        self.app.disconnect(socket, reason);
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and JSON values are JSON")
}
