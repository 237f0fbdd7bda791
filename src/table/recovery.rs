//! Connection state recovery: a client comes back, to whichever instance, and
//! has its socket again, with all that it missed (Socket.IO, "Connection
//! state recovery").
//!
//! ```text
//!  client          connection        table           directory    session task   store
//!    │ 40{pid,offset}  │               │                 │              │           │
//!    ├────────────────▶│── connect ───▶│── claim(pid) ──▶│              │           │
//!    │                 │               │◀── record ──────┤              │           │
//!    │                 │               │── Recover ─────────────────────▶── read ──▶│
//!    │                 │               │                 │     seat, commit, member │
//!    │ 42[…,offset] … 40{sid,pid}      │◀─ done ────────────────────────┤           │
//!    │◀────────────────┤◀── accept ────┤                 │              │           │
//! ```
//!
//! The record lies in the directory from CONNECT on, so that neither a crash
//! nor a connection whose end nobody noticed stands in the way. Whoever claims
//! it owns the socket; an earlier owner lets go of it without a word. What was
//! missed is read and queued by the session's task, between two commits: there
//! is no gap and no double between the replay and what is told live.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{debug, info};

use crate::api::offset::Offset;
use crate::connection::{Earlier, Socket};
use crate::poker::command::Departure;
use crate::protocol::{CloseReason, PrivateId, SocketId};
use crate::store::StoreError;
use crate::store::directory::{RecoverablePlace, RecoveryRecord};
use crate::table::handle::Job;
use crate::table::recovery_failure::RecoveryFailure;
use crate::table::registry::Table;
use crate::table::socket_state::SocketState;

/// How long a connection waits for the directory. A client would rather join
/// again than wait for a store that is away.
const DIRECTORY_TIMEOUT: Duration = Duration::from_secs(2);

/// A socket that comes back to its place, for the session's task.
pub(super) struct Recovering {
    pub(super) socket: Socket,
    pub(super) id: SocketId,
    pub(super) private_id: PrivateId,
    pub(super) place: RecoverablePlace,
    /// What the client has received; nothing since it joined if there is none.
    pub(super) offset: Option<Offset>,
    pub(super) outcome: oneshot::Sender<Result<(), RecoveryFailure>>,
}

impl Table {
    /// Whether sockets can be recovered at all.
    pub(super) fn is_recovering(&self) -> bool {
        self.shared.options.recovery.is_on()
    }

    /// Gives a client the socket back that it had, with all that it missed
    /// queued. If that cannot be, the socket is a new one, and the client
    /// joins with its token.
    pub(super) async fn try_recover(
        &self,
        socket: &Socket,
        earlier: &Earlier,
    ) -> Result<(), RecoveryFailure> {
        let guard = Unaccepted(Some(socket.clone()));
        let recovered = self.recover(socket, earlier).await;
        guard.accept();
        self.shared.recoveries.count(&recovered);
        match recovered {
            Ok(()) => debug!(socket.id = %socket.id(), "connection recovered"),
            Err(failure) => {
                let peer = socket.handshake().peer;
                info!(reason = failure.as_str(), %peer, "connection not recovered");
            }
        }
        recovered
    }

    async fn recover(&self, socket: &Socket, earlier: &Earlier) -> Result<(), RecoveryFailure> {
        let from = socket.handshake().peer.ip();
        let now = self.shared.store.now();
        let budget = &self.shared.failed_recoveries;
        budget.check(&from.into(), now).map_err(|_| RecoveryFailure::TooManyAttempts)?;
        let claimed = match PrivateId::parse(&earlier.pid.0) {
            Some(id) => self.claim(id).await?,
            None => None,
        };
        let Some(record) = claimed else {
            // Whoever makes ids up must not make the store look for them.
            let _ = budget.admit(&from.into(), now);
            return Err(RecoveryFailure::UnknownId);
        };
        let offset = match &earlier.offset {
            Some(text) => Some(Offset::parse(text).ok_or(RecoveryFailure::BadOffset)?),
            None => None,
        };
        // A place that was taken here a moment ago may not be written yet; who
        // has heard of none has no offset.
        let known_here = || self.shared.tracker.place_of(record.id, record.claims);
        let place = record.place.or_else(|| offset.and_then(|_| known_here()));
        let claims = record.claims.saturating_add(1);
        let record = RecoveryRecord { owner: self.shared.instance, claims, place, ..record };
        match place {
            Some(place) => self.come_back(socket, &record, place, offset).await?,
            // It has been told of a session, and of which one nobody knows.
            None if offset.is_some() => return Err(RecoveryFailure::PlaceUnknown),
            None => {
                if !socket.assume(record.socket, record.id) {
                    return Err(RecoveryFailure::Internal);
                }
            }
        }
        if let Some(relic) = self.shared.tracker.holder(record.id) {
            let_go(&relic);
        }
        self.remember(socket, record).await;
        Ok(())
    }

    async fn claim(&self, id: PrivateId) -> Result<Option<RecoveryRecord>, RecoveryFailure> {
        let claim = self.shared.directory.claim(id, self.shared.instance);
        let claimed = timeout(DIRECTORY_TIMEOUT, claim).await;
        claimed
            .map_err(|_| RecoveryFailure::StoreAway)?
            .map_err(|error| RecoveryFailure::of(&error))
    }

    async fn come_back(
        &self,
        socket: &Socket,
        record: &RecoveryRecord,
        place: RecoverablePlace,
        offset: Option<Offset>,
    ) -> Result<(), RecoveryFailure> {
        let (outcome, decided) = oneshot::channel();
        let recovering = Recovering {
            socket: socket.clone(),
            id: record.socket,
            private_id: record.id,
            place,
            offset,
            outcome,
        };
        let sent = self.send(place.session, Box::new(Job::Recover(recovering))).await;
        sent.map_err(|failure| RecoveryFailure::of_failure(&failure))?;
        decided.await.unwrap_or(Err(RecoveryFailure::Internal))
    }

    /// A new socket: from now on it can be recovered. Nobody waits for a
    /// store that is `away`; the next renewal writes it.
    pub(super) async fn make_recoverable(&self, socket: &Socket, is_away: bool) {
        let Some(id) = socket.private_id() else { return };
        let owner = self.shared.instance;
        let record = RecoveryRecord { id, socket: socket.id(), owner, claims: 0, place: None };
        if !is_away {
            return self.remember(socket, record).await;
        }
        if let Some(state) = socket.state::<SocketState>() {
            state.set_recovery(record.clone());
        }
        self.shared.tracker.recoverable(record, socket);
    }

    /// The socket has taken a place, unless it has left it again already.
    pub(super) async fn place_taken(&self, socket: &Socket, place: RecoverablePlace) {
        let state = socket.state::<SocketState>().filter(|state| !state.is_outside());
        let Some(record) = state.and_then(SocketState::recovery) else { return };
        self.remember(socket, RecoveryRecord { place: Some(place), ..record }).await;
    }

    /// The socket leaves its session, and would not come back to it.
    pub(super) async fn place_left(&self, socket: &Socket) {
        let state = socket.state::<SocketState>();
        let Some(record) = state.and_then(SocketState::recovery) else { return };
        self.shared.tracker.sits(record.id, record.claims, None);
        self.remember(socket, RecoveryRecord { place: None, ..record }).await;
    }

    /// The socket is gone. Whoever has said goodbye, or was told so, does not
    /// come back by a private id.
    pub(super) fn lost_recoverable(&self, socket: &Socket, reason: CloseReason) {
        let state = socket.state::<SocketState>();
        let Some(record) = state.and_then(SocketState::take_recovery) else { return };
        let is_goodbye = matches!(
            reason,
            CloseReason::ClientNamespaceDisconnect | CloseReason::ServerNamespaceDisconnect
        );
        let tracker = &self.shared.tracker;
        if !is_goodbye {
            return tracker.lost(record.id);
        }
        tracker.forget(record.id);
        // At once: the client may connect again right away.
        let directory = Arc::clone(&self.shared.directory);
        tokio::spawn(async move {
            let forget = directory.forget_recoverable(vec![record.id]);
            let _ = timeout(DIRECTORY_TIMEOUT, forget).await;
        });
    }

    async fn remember(&self, socket: &Socket, record: RecoveryRecord) {
        if let Some(state) = socket.state::<SocketState>() {
            state.set_recovery(record.clone());
        }
        let (id, tracker) = (record.id, &self.shared.tracker);
        let window_ms = self.shared.options.recovery.window_ms;
        let keep = self.shared.directory.keep_recoverable(vec![record.clone()], window_ms);
        let kept = timeout(DIRECTORY_TIMEOUT, keep).await;
        let kept = kept.unwrap_or_else(|_| Err(StoreError::Unavailable("timed out".to_owned())));
        match kept {
            Ok(superseded) if superseded.is_empty() => tracker.goes_on(record, socket),
            // The client has come back elsewhere before this was even told.
            Ok(_) => socket.close(CloseReason::Superseded),
            Err(error) => {
                info!(socket.id = %socket.id(), %error, "connection cannot be recovered for now");
                tracker.recoverable(record, socket);
            }
        }
        let is_gone = socket.state::<SocketState>().is_some_and(SocketState::is_gone);
        if is_gone && tracker.holder(id).is_some_and(|holder| holder.is_same(socket)) {
            // It ended meanwhile, and could not take back what was not there.
            tracker.lost(id);
        }
    }
}

/// A socket of which the connection has not heard yet that it is accepted. If
/// the connection ends before, nobody tells the table that the socket is gone.
struct Unaccepted(Option<Socket>);

impl Unaccepted {
    fn accept(mut self) {
        self.0 = None;
    }
}

impl Drop for Unaccepted {
    fn drop(&mut self) {
        if let Some(socket) = self.0.take() {
            depart(&socket, CloseReason::TransportClose);
        }
    }
}

/// A socket that another one has taken over from: its connection ends, and
/// nobody departs.
pub(super) fn let_go(socket: &Socket) {
    if let Some(state) = socket.state::<SocketState>() {
        state.supersede();
    }
    socket.close(CloseReason::Superseded);
}

/// A socket is gone: its seat is told.
pub(super) fn depart(socket: &Socket, reason: CloseReason) {
    if let Some(place) = socket.state::<SocketState>().and_then(SocketState::go) {
        let manner = match reason {
            CloseReason::ServerShuttingDown => Departure::Drained,
            _ => Departure::Disconnected,
        };
        place.session.departed(socket.clone(), manner);
    }
}
