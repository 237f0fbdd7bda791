//! What the table keeps on a socket and on a seat.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::api::client_event::{EventName, SessionJoin};
use crate::limits::{Exceeded, Limit, Window};
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
    joins: Window,
    rejected: Window,
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
                joins: Window::default(),
                rejected: Window::default(),
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

    pub(super) fn admit_join(&self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
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

/// The windows of one seat, shared by its sockets.
#[derive(Debug, Default)]
pub(super) struct SeatLimits {
    windows: Mutex<BTreeMap<EventName, SeatWindow>>,
    /// Milliseconds; 0: nothing was sent so far.
    last_event_at: AtomicU64,
}

#[derive(Debug, Default)]
struct SeatWindow {
    window: Window,
    /// When `rate:limit` was last sent for this event.
    told_at: Option<Millis>,
}

/// A refused attempt, and whether to say so in `rate:limit` as well.
pub(super) struct SeatExceeded {
    pub(super) exceeded: Exceeded,
    pub(super) tell: bool,
}

const TELL_INTERVAL_MS: u64 = 1_000;

impl SeatLimits {
    pub(super) fn admit(
        &self,
        event: EventName,
        limit: Limit,
        now: Millis,
    ) -> Result<(), SeatExceeded> {
        self.last_event_at.store(now.0, Ordering::Relaxed);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let seat = windows.entry(event).or_default();
        seat.window.admit(limit, now).map_err(|exceeded| {
            let tell = seat.told_at.is_none_or(|at| TELL_INTERVAL_MS <= now.since(at));
            if tell {
                seat.told_at = Some(now);
            }
            SeatExceeded { exceeded, tell }
        })
    }

    /// When somebody on this seat last sent something.
    pub(super) fn last_event_at(&self) -> Millis {
        Millis(self.last_event_at.load(Ordering::Relaxed))
    }
}
