//! The handles that applications hold: of a socket, and of a bare Engine.IO connection.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use compact_str::CompactString;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::connection::handle::Connection;
use crate::connection::handshake::Handshake;
use crate::hub::{Outbox, OutboxFull};
use crate::protocol::engineio::TransportName;
use crate::protocol::socketio::Acks;
use crate::protocol::{CloseReason, Encoded, PrivateId, SocketId};

/// A handle on one socket; a clone is the same socket. Everything here may be
/// called from any task, and works towards nobody once the socket is gone.
#[derive(Clone)]
pub struct Socket {
    inner: Arc<Inner>,
}

struct Inner {
    fresh: Identity,
    /// Those that it goes by, once that is certain.
    identity: OnceLock<Identity>,
    namespace: CompactString,
    connection: Arc<Connection>,
    /// The `40` reply has been queued.
    is_welcomed: AtomicBool,
    /// Set by [`Socket::disconnect`]; the connection's task carries it out.
    is_leaving: AtomicBool,
    acks: Mutex<Acks<oneshot::Sender<AckArguments>>>,
    state: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// The ids of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: SocketId,
    /// Only of an application that recovers.
    pub(crate) private_id: Option<PrivateId>,
}

/// The payload of a `40` reply.
#[derive(Serialize)]
struct Accepted<'a> {
    sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<&'a str>,
}

/// What a client answered to [`Socket::emit_with_ack`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckArguments {
    /// A JSON array, its syntax checked.
    pub array: Vec<u8>,
    pub attachments: Vec<Bytes>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AckError {
    #[error("client did not acknowledge in time")]
    TimedOut,
    #[error("socket disconnected before it acknowledged")]
    Disconnected,
    #[error("too many acknowledgements are awaited from this socket")]
    TooMany,
}

impl Socket {
    /// The public id.
    pub fn id(&self) -> SocketId {
        self.identity().id
    }

    /// The private id, if the application [recovers](crate::connection::App::recovers).
    pub fn private_id(&self) -> Option<PrivateId> {
        self.identity().private_id
    }

    /// Takes the ids of a socket that the same client had before. Only while
    /// the application decides on its CONNECT, and once: `false` otherwise,
    /// and nothing has changed.
    pub fn assume(&self, id: SocketId, private_id: PrivateId) -> bool {
        self.inner.identity.set(Identity { id, private_id: Some(private_id) }).is_ok()
    }

    /// Accepts the socket here and now: what it has missed and the `40` reply
    /// are queued as one message. A polling client gets both or nothing: it
    /// keeps what comes before a `40`, even if that never comes, and would
    /// take it twice. For [`App::connect`](crate::connection::App::connect),
    /// which has to accept then.
    ///
    /// # Errors
    /// When the connection is closing.
    pub fn welcome(&self, missed: &[Encoded]) -> Result<(), OutboxFull> {
        if self.inner.is_welcomed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let Identity { id, private_id } = self.settle();
        let pid = private_id.as_ref().map(PrivateId::expose);
        let accepted = serde_json::to_vec(&Accepted { sid: id.as_str(), pid });
        let reply = Encoded::connect(self.namespace(), &accepted.unwrap_or_default());
        self.outbox().push_answer(Encoded::joined(missed.iter().chain([&reply])))
    }

    /// Whether it is the same socket, not only one of the same id.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    pub fn handshake(&self) -> &Handshake {
        &self.inner.connection.handshake
    }

    /// The transport that carries the connection now.
    pub fn transport(&self) -> TransportName {
        self.inner.connection.transport()
    }

    /// The queue of the connection: what a [`Room`](crate::hub::Room) needs of a member.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.inner.connection.outbox
    }

    /// Queues a message, which must be of this socket's namespace.
    ///
    /// # Errors
    /// When the connection is closing, or closes because of this very message.
    pub fn emit(&self, message: Encoded) -> Result<(), OutboxFull> {
        if self.is_leaving() { Err(OutboxFull) } else { self.outbox().push_answer(message) }
    }

    /// As [`Socket::emit`], but it leaves with the next flush of the
    /// [outbox](Socket::outbox).
    ///
    /// # Errors
    /// As [`Socket::emit`].
    pub fn queue(&self, message: Encoded) -> Result<(), OutboxFull> {
        if self.is_leaving() { Err(OutboxFull) } else { self.outbox().queue_answer(message) }
    }

    /// Queues a message that may be lost: only if nothing else waits.
    pub fn emit_volatile(&self, message: Encoded) -> bool {
        !self.is_leaving() && self.outbox().push_volatile(message)
    }

    /// Answers an event that asked with `id`, with one argument. An argument
    /// that refuses to be JSON is answered with `[]`.
    pub fn ack<T: Serialize + ?Sized>(&self, id: u64, argument: &T) -> Result<(), OutboxFull> {
        self.emit(self.acknowledgement(id, argument))
    }

    /// As [`Socket::ack`], but it leaves with the next flush of the
    /// [outbox](Socket::outbox).
    pub fn queue_ack<T: Serialize + ?Sized>(
        &self,
        id: u64,
        argument: &T,
    ) -> Result<(), OutboxFull> {
        self.queue(self.acknowledgement(id, argument))
    }

    /// Emits an event (its JSON array, name first) and waits for the client
    /// to acknowledge it. The packet is queued before this returns.
    pub fn emit_with_ack(
        &self,
        array: &[u8],
        timeout: Duration,
    ) -> impl Future<Output = Result<AckArguments, AckError>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let asked = match self.acks().ask(answer) {
            Some(id) => self
                .emit(Encoded::event_asking(self.namespace(), id, array))
                .map(|()| Awaited { socket: self.clone(), id })
                .map_err(|OutboxFull| AckError::Disconnected),
            None => Err(AckError::TooMany),
        };
        async move {
            let _awaited = asked?;
            match tokio::time::timeout(timeout, answered).await {
                Ok(Ok(arguments)) => Ok(arguments),
                Ok(Err(_)) => Err(AckError::Disconnected),
                Err(_) => Err(AckError::TimedOut),
            }
        }
    }

    /// Disconnects this socket from its namespace, after what it has emitted
    /// (`41`). The client does *not* reconnect by itself; to make it go
    /// elsewhere, [`Socket::close`].
    pub fn disconnect(&self) {
        if !self.inner.is_leaving.swap(true, Ordering::AcqRel) {
            self.outbox().wake();
        }
    }

    /// Closes the whole connection after what is queued; the client reconnects.
    pub fn close(&self, reason: CloseReason) {
        self.inner.connection.close(reason);
    }

    /// Puts the application's own state on the socket, once. `false` if
    /// there is one already.
    pub fn set_state<T: Any + Send + Sync>(&self, state: T) -> bool {
        self.inner.state.set(Box::new(state)).is_ok()
    }

    /// The state that [`Socket::set_state`] put here, if it is a `T`.
    pub fn state<T: Any>(&self) -> Option<&T> {
        self.inner.state.get()?.downcast_ref()
    }

    pub(crate) fn new(
        fresh: Identity,
        namespace: &str,
        connection: Arc<Connection>,
        acks_awaited_max: u32,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                fresh,
                identity: OnceLock::new(),
                namespace: namespace.into(),
                connection,
                is_welcomed: AtomicBool::new(false),
                is_leaving: AtomicBool::new(false),
                acks: Mutex::new(Acks::new(acks_awaited_max)),
                state: OnceLock::new(),
            }),
        }
    }

    fn acknowledgement<T: Serialize + ?Sized>(&self, id: u64, argument: &T) -> Encoded {
        let encoded = Encoded::ack_with(self.namespace(), id, argument);
        encoded.unwrap_or_else(|_| Encoded::ack(self.namespace(), id, b"[]"))
    }

    /// The ids that the client is told; from now on they are certain.
    fn settle(&self) -> Identity {
        *self.inner.identity.get_or_init(|| self.inner.fresh)
    }

    fn identity(&self) -> Identity {
        *self.inner.identity.get().unwrap_or(&self.inner.fresh)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.inner.is_leaving.load(Ordering::Acquire)
    }

    /// The client's acknowledgement; an unknown id is ignored.
    pub(crate) fn acknowledged(&self, id: u64, arguments: AckArguments) {
        if let Some(answer) = self.acks().answer(id) {
            let _ = answer.send(arguments);
        }
    }

    /// The socket is gone: nobody will answer what it was asked.
    pub(crate) fn ended(&self) {
        self.inner.is_leaving.store(true, Ordering::Release);
        self.acks().forget_all();
    }

    fn acks(&self) -> MutexGuard<'_, Acks<oneshot::Sender<AckArguments>>> {
        self.inner.acks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", &self.id())
            .field("namespace", &self.inner.namespace)
            .finish_non_exhaustive()
    }
}

/// Forgets the question when nobody waits for the answer any more.
struct Awaited {
    socket: Socket,
    id: u64,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.socket.acks().answer(self.id);
    }
}

/// A handle on a connection without the Socket.IO layer.
#[derive(Clone)]
pub struct EngineSocket {
    connection: Arc<Connection>,
}

impl EngineSocket {
    pub fn handshake(&self) -> &Handshake {
        &self.connection.handshake
    }

    /// Queues a message; see [`Encoded::message`] and [`Encoded::binary_message`].
    pub fn send(&self, message: Encoded) -> Result<(), OutboxFull> {
        self.connection.outbox.push(message)
    }

    /// Closes the connection after what is queued.
    pub fn close(&self, reason: CloseReason) {
        self.connection.close(reason);
    }

    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Self { connection }
    }
}
