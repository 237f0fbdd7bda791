//! What the table keeps on a socket and on a seat.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::api::client_event::{EventName, SessionJoin};
use crate::limits::{Exceeded, Gate, Limit, Window};
use crate::poker::ids::{Millis, PlayerId};
use crate::store::directory::RecoveryRecord;
use crate::table::handle::SessionHandle;

/// The application's state on a socket.
pub(super) struct SocketState {
    inner: Mutex<Inner>,
}

struct Inner {
    phase: Phase,
    /// What the handshake asked for, until the socket is connected.
    auth: Option<Box<SessionJoin>>,
    /// As it was last written, if the socket can be recovered.
    recovery: Option<Box<RecoveryRecord>>,
    rejected: Window,
    joins: Window,
    /// When `rate:limit` was last sent for an event.
    told_limits: Vec<(EventName, Millis)>,
}

/// Where a socket stands towards the sessions.
#[derive(Clone)]
pub(super) enum Phase {
    Outside {
        has_left: bool,
    },
    /// A join is under way; the channel closes when it is decided.
    Joining(watch::Receiver<()>),
    Inside(Place),
    /// The connection is gone.
    Gone,
}

/// A socket's place in a session.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) session: SessionHandle,
    pub(super) player: PlayerId,
    pub(super) limits: Arc<SeatLimits>,
}

impl SocketState {
    pub(super) fn new(auth: Option<Box<SessionJoin>>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                phase: Phase::Outside { has_left: false },
                auth,
                recovery: None,
                rejected: Window::default(),
                joins: Window::default(),
                told_limits: Vec::new(),
            }),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.inner().phase.clone()
    }

    pub(super) fn is_outside(&self) -> bool {
        matches!(self.inner().phase, Phase::Outside { .. })
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.inner().phase, Phase::Gone)
    }

    pub(super) fn take_auth(&self) -> Option<Box<SessionJoin>> {
        self.inner().auth.take()
    }

    /// Begins a join, unless one is under way or done. The sender ends it.
    pub(super) fn begin_join(&self) -> Option<watch::Sender<()>> {
        let mut inner = self.inner();
        let Phase::Outside { .. } = inner.phase else {
            return None;
        };
        let (sender, receiver) = watch::channel(());
        inner.phase = Phase::Joining(receiver);
        Some(sender)
    }

    /// The join succeeded; `false` if the socket has gone meanwhile.
    pub(super) fn enter(&self, place: Place) -> bool {
        let mut inner = self.inner();
        if let Phase::Gone = inner.phase {
            return false;
        }
        inner.phase = Phase::Inside(place);
        true
    }

    /// The join failed, or the socket left.
    pub(super) fn stay_outside(&self, has_left: bool) {
        let mut inner = self.inner();
        if !matches!(inner.phase, Phase::Gone) {
            inner.phase = Phase::Outside { has_left };
        }
    }

    /// The connection is gone; the place it had.
    pub(super) fn go(&self) -> Option<Place> {
        match std::mem::replace(&mut self.inner().phase, Phase::Gone) {
            Phase::Inside(place) => Some(place),
            _ => None,
        }
    }

    /// Another socket has taken the place over, and the id with it.
    pub(super) fn supersede(&self) {
        let mut inner = self.inner();
        inner.phase = Phase::Gone;
        inner.recovery = None;
    }

    pub(super) fn recovery(&self) -> Option<RecoveryRecord> {
        self.inner().recovery.as_deref().cloned()
    }

    pub(super) fn take_recovery(&self) -> Option<RecoveryRecord> {
        self.inner().recovery.take().map(|record| *record)
    }

    pub(super) fn set_recovery(&self, record: RecoveryRecord) {
        self.inner().recovery = Some(Box::new(record));
    }

    /// Whether `rate:limit` is due for an event; then it counts as sent.
    pub(super) fn may_tell_limit(&self, event: EventName, now: Millis) -> bool {
        let told = &mut self.inner().told_limits;
        match told.iter_mut().find(|(one, _)| *one == event) {
            Some((_, at)) if now.since(*at) < TELL_INTERVAL_MS => return false,
            Some((_, at)) => *at = now,
            None => told.push((event, now)),
        }
        true
    }

    /// Whether this socket may ask for a seat once more.
    pub(super) fn count_join(&self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        self.inner().joins.admit(limit, now)
    }

    /// Counts a refused event; an error is one too many.
    pub(super) fn count_rejected(&self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        self.inner().rejected.admit(limit, now)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `rate:limit` is sent at most so often for one event.
const TELL_INTERVAL_MS: u64 = 1_000;

/// The gates of one seat, shared by its sockets.
#[derive(Debug, Default)]
pub(super) struct SeatLimits {
    gates: Mutex<BTreeMap<EventName, Gate>>,
    /// Milliseconds; 0: nothing was sent so far.
    last_event_at: AtomicU64,
}

impl SeatLimits {
    pub(super) fn admit(
        &self,
        event: EventName,
        limit: Limit,
        now: Millis,
    ) -> Result<(), Exceeded> {
        self.last_event_at.store(now.0, Ordering::Relaxed);
        self.gates().entry(event).or_default().admit(limit, now)
    }

    /// The store does not let through what was admitted at `admitted_at`.
    pub(super) fn refuse(
        &self,
        event: EventName,
        limit: Limit,
        admitted_at: Millis,
        now: Millis,
        exceeded: Exceeded,
    ) {
        self.gates().entry(event).or_default().refuse(limit, admitted_at, now, exceeded);
    }

    /// When somebody on this seat last sent something.
    pub(super) fn last_event_at(&self) -> Millis {
        Millis(self.last_event_at.load(Ordering::Relaxed))
    }

    fn gates(&self) -> MutexGuard<'_, BTreeMap<EventName, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
