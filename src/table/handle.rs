//! What others hold of a session's task.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};

use crate::api::client_event::EventName;
use crate::api::failure::Failure;
use crate::connection::Socket;
use crate::poker::command::{Command, Departure, Join};
use crate::poker::ids::{Millis, PlayerId, RequestId, SessionId};
use crate::poker::reply::Reply;
use crate::poker::session::Session;
use crate::protocol::SocketId;
use crate::store::directory::RecoverablePlace;
use crate::table::answer::{Answer, Sender};
use crate::table::attempts::Admitted;
use crate::table::recovery::Recovering;

/// The outcome of a command that was accepted: committed, if it changed
/// anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    pub seq: u64,
    pub reply: Reply,
}

/// A session that is served by this instance. A clone is the same session.
#[derive(Clone)]
pub(super) struct SessionHandle {
    pub(super) id: SessionId,
    jobs: mpsc::Sender<Box<Job>>,
    departures: Arc<Departures>,
}

/// Travels boxed: one allocation per job, and small queues.
pub(super) enum Job {
    Command {
        command: Command,
        answer: Answer,
        /// The socket that already knows, when its seat is told.
        origin: Option<SocketId>,
        attempt: Asked,
    },
    /// A socket asks for a seat.
    Join { join: Join, request: Option<RequestId>, socket: Socket, answer: JoinAnswer },
    /// A socket says goodbye.
    Leave { socket: Socket, answer: Answer },
    /// A socket comes back to where it sat.
    Recover(Recovering),
    /// Somebody looks at the session, between two commits.
    Look(Look),
}

/// Whether a command counts as an attempt.
pub(super) enum Asked {
    Nothing,
    /// This instance has let it through; the store counts it with the commit.
    Admitted(Admitted),
    /// Nobody has asked yet.
    OfSeat {
        player: PlayerId,
        event: EventName,
    },
}

/// What somebody wants to see of a session, and when it was seen.
pub(super) type Look = Box<dyn FnOnce(&Session, Millis) + Send>;

/// Who waits for a join: the event's sender (none if the handshake asked),
/// and the code that counts failures.
pub(super) struct JoinAnswer {
    pub(super) sender: Option<Sender>,
    pub(super) outcome: tokio::sync::oneshot::Sender<Result<RecoverablePlace, Failure>>,
}

/// The session's task has ended; ask for a new one.
pub(super) struct TaskEnded(pub(super) Box<Job>);

/// Sockets that are gone. Their number is bounded by that of the members.
#[derive(Debug, Default)]
pub(super) struct Departures {
    sockets: Mutex<Vec<(Socket, Departure)>>,
    arrived: Notify,
}

impl SessionHandle {
    pub(super) fn new(
        id: SessionId,
        jobs_max: usize,
    ) -> (Self, mpsc::Receiver<Box<Job>>, Arc<Departures>) {
        let (jobs, receiver) = mpsc::channel(jobs_max);
        let departures = Arc::new(Departures::default());
        (Self { id, jobs, departures: Arc::clone(&departures) }, receiver, departures)
    }

    /// Waits for room in the queue: that is the back-pressure on a session.
    pub(super) async fn send(&self, job: Box<Job>) -> Result<(), TaskEnded> {
        self.jobs.send(job).await.map_err(|error| TaskEnded(error.0))
    }

    /// Without waiting; the job comes back if there is no room, or no task.
    pub(super) fn try_send(&self, job: Box<Job>) -> Result<(), Box<Job>> {
        self.jobs.try_send(job).map_err(TrySendError::into_inner)
    }

    /// The connection of a member has ended.
    pub(super) fn departed(&self, socket: Socket, manner: Departure) {
        self.departures.push(socket, manner);
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.jobs.same_channel(&other.jobs)
    }
}

impl Departures {
    fn push(&self, socket: Socket, manner: Departure) {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).push((socket, manner));
        self.arrived.notify_one();
    }

    pub(super) fn take(&self) -> Vec<(Socket, Departure)> {
        std::mem::take(&mut *self.sockets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns when there may be something to take. Cancel-safe.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}
