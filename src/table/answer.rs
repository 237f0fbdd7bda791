//! Where the outcome of a job goes.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{Span, debug};

use crate::api::ack::{Ack, Refused, RejectedRow, ReplyBody};
use crate::api::client_event::EventName;
use crate::api::failure::Failure;
use crate::api::projection::NAMESPACE;
use crate::connection::Socket;
use crate::metrics::{Metrics, Outcome};
use crate::poker::reply::Reply;
use crate::protocol::Encoded;
use crate::table::handle::Executed;

/// Whoever waits for an outcome. Dropping it answers nothing: a task that is
/// gone cannot say what became of a command.
pub(super) enum Answer {
    /// The server's own doing.
    Nobody,
    Socket(Sender),
    /// Code of ours, HTTP for one.
    Caller(oneshot::Sender<Result<Executed, Failure>>),
}

/// A socket that sent an event.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) socket: Socket,
    pub(super) event: EventName,
    /// The id to acknowledge with, if the client asked for it.
    pub(super) ack: Option<u64>,
    /// Rows of an import that make no story.
    pub(super) rejected: Vec<RejectedRow>,
    /// When the event was read.
    pub(super) read_at: Instant,
    /// From then to the answer.
    pub(super) span: Span,
    pub(super) metrics: Arc<Metrics>,
}

impl Answer {
    /// The socket that has its answer queued, to leave with what else it is
    /// told.
    #[must_use = "its outbox is to be flushed"]
    pub(super) fn done(self, seq: u64, reply: Reply) -> Option<Socket> {
        match self {
            Self::Nobody => None,
            Self::Socket(mut sender) => {
                let rejected = std::mem::take(&mut sender.rejected);
                sender.queue_ack(&Ack::new(seq, ReplyBody::new(&reply, rejected)));
                Some(sender.socket)
            }
            Self::Caller(caller) => {
                let _ = caller.send(Ok(Executed { seq, reply }));
                None
            }
        }
    }

    pub(super) fn failed(self, failure: Failure) {
        match self {
            Self::Nobody => {}
            Self::Socket(sender) => sender.refuse(&failure),
            Self::Caller(caller) => {
                let _ = caller.send(Err(failure));
            }
        }
    }
}

impl Sender {
    /// A success; only told to clients that asked for it.
    pub(super) fn ack<T: Serialize>(&self, body: &T) {
        self.count(Outcome::Ok);
        if let Some(id) = self.ack {
            // A connection that is closing needs no answer.
            let _ = self.socket.ack(id, body);
        }
    }

    /// As [`Sender::ack`], but it leaves with the next flush of the socket's
    /// outbox.
    fn queue_ack<T: Serialize>(&self, body: &T) {
        self.count(Outcome::Ok);
        if let Some(id) = self.ack {
            let _ = self.socket.queue_ack(id, body);
        }
    }

    /// A failure is told in any case: nothing is silently dropped.
    pub(super) fn refuse(&self, failure: &Failure) {
        self.count(failure.into());
        match self.ack {
            Some(id) => {
                let _ = self.socket.ack(id, &Refused::from(failure));
            }
            None => tell_error(&self.socket, failure, Some(self.event.as_str())),
        }
    }
}

impl Sender {
    /// The event has its one answer.
    pub(super) fn count(&self, outcome: Outcome) {
        self.metrics.game.answered(self.event, outcome, self.read_at.elapsed());
        self.span.record("outcome", outcome.as_str());
        debug!(
            event = self.event.as_str(),
            outcome = outcome.as_str(),
            socket.id = %self.socket.id(),
            "answered"
        );
    }
}

/// `session:error`, to one socket.
pub(super) fn tell_error(socket: &Socket, failure: &Failure, event: Option<&str>) {
    tell(socket, "session:error", &failure.session_error(event));
}

/// An event to one socket.
pub(super) fn tell<T: Serialize>(socket: &Socket, name: &str, payload: &T) {
    if let Ok(message) = Encoded::event_with(NAMESPACE, name, payload) {
        let _ = socket.emit(message);
    }
}
