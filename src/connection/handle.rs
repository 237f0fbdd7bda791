//! A connection, as seen by everybody but its own task.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::oneshot;

use crate::connection::handshake::Handshake;
use crate::connection::link::Link;
use crate::connection::requests::{PollReply, Post, PostReply, REQUESTS_MAX, Request, Requests};
use crate::hub::Outbox;
use crate::protocol::engineio::TransportName;
use crate::protocol::{CloseReason, Encoded};

/// One Engine.IO connection. Its state belongs to its task; this is how to reach it.
pub struct Connection {
    pub(super) outbox: Arc<Outbox>,
    pub(super) handshake: Handshake,
    closing: OnceLock<CloseReason>,
    has_joined: AtomicBool,
    has_upgraded: AtomicBool,
    /// `None` once the task is gone.
    requests: Mutex<Option<Requests>>,
}

/// The task cannot take the request: it is gone, or has too many already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

impl Connection {
    /// The transport that carries it now.
    pub fn transport(&self) -> TransportName {
        if self.has_upgraded.load(Ordering::Acquire) {
            TransportName::WebSocket
        } else {
            self.handshake.transport
        }
    }

    /// A GET: the reply comes when there is something to say. Dropping the
    /// receiver says that the peer went away.
    pub fn poll(&self) -> Result<oneshot::Receiver<PollReply>, Unavailable> {
        let (reply, replied) = oneshot::channel();
        self.request(Request::Poll(reply))?;
        Ok(replied)
    }

    /// The head of a POST.
    pub fn post(self: &Arc<Self>) -> Result<Post, Unavailable> {
        let (reply, replied) = oneshot::channel::<PostReply>();
        self.request(Request::Post(reply))?;
        Ok(Post::new(Arc::clone(self), replied))
    }

    /// A WebSocket that may take the connection over.
    pub fn upgrade(&self, link: Box<dyn Link>) -> Result<(), Unavailable> {
        self.request(Request::Upgrade(link))
    }

    /// Queues an event of the main namespace, unless the client has not joined
    /// that and would not know what it is.
    pub fn tell(&self, event: Encoded) {
        if self.has_joined.load(Ordering::Acquire) {
            let _ = self.outbox.push(event);
        }
    }

    /// Answers the poll that waits, if one does.
    pub fn nudge(&self) {
        let _ = self.outbox.push_volatile(Encoded::NOOP);
    }

    /// Asks the task to close, after what is queued; the first reason counts.
    pub fn close(&self, reason: CloseReason) {
        if self.closing.set(reason).is_ok() {
            self.outbox.wake();
        }
    }

    pub(super) fn new(outbox: Arc<Outbox>, handshake: Handshake) -> Self {
        Self {
            outbox,
            handshake,
            closing: OnceLock::new(),
            has_joined: AtomicBool::new(false),
            has_upgraded: AtomicBool::new(false),
            requests: Mutex::new(Some(Requests::new())),
        }
    }

    pub(super) fn request(&self, request: Request) -> Result<(), Unavailable> {
        let mut guard = self.requests();
        let requests = guard.as_mut().filter(|requests| requests.len() < REQUESTS_MAX);
        requests.ok_or(Unavailable)?.push_back(request);
        drop(guard);
        self.outbox.wake();
        Ok(())
    }

    /// Task only.
    pub(super) fn take_request(&self) -> Option<Request> {
        let mut guard = self.requests();
        let requests = guard.as_mut()?;
        let request = requests.pop_front();
        if requests.is_empty() && requests.capacity() > 0 {
            // At rest, and on a WebSocket for ever, the queue owns nothing.
            *requests = Requests::new();
        }
        request
    }

    /// Task only: the last thing it does. Whoever still waits for a reply
    /// learns that there will be none.
    pub(super) fn retire(&self) {
        let waiting = self.requests().take();
        drop(waiting);
    }

    /// Task only.
    pub(super) fn closing(&self) -> Option<CloseReason> {
        self.closing.get().copied()
    }

    /// Task only: the client has joined the main namespace.
    pub(super) fn set_joined(&self) {
        self.has_joined.store(true, Ordering::Release);
    }

    /// Task only.
    pub(super) fn set_upgraded(&self) {
        self.has_upgraded.store(true, Ordering::Release);
    }

    fn requests(&self) -> MutexGuard<'_, Option<Requests>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.handshake.peer)
            .field("transport", &self.transport().as_str())
            .finish_non_exhaustive()
    }
}
