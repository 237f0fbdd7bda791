//! Tells the directory who is here, and goes on telling it.
//!
//! Whatever takes a place is written within [`BATCH`], whatever leaves is
//! taken back as soon; and with every renewal, all that is here is written
//! again, which also mends what was lost. Nobody waits for any of it: when the
//! directory is away, the next renewal catches up.

mod ledger;
mod task;
mod trust;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::connection::Socket;
use crate::metrics::Metrics;
use crate::poker::ids::{InstanceId, PlayerId, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::directory::{
    ConnectionRecord, Directory, Figures, InstanceRecord, RecoverablePlace, RecoveryRecord,
};
use crate::store::{SessionStore, StoreError};
use crate::table::options::TableOptions;
use crate::table::socket_state::SeatLimits;
use crate::table::tracker::ledger::{Ledger, Recoverable, TrackedSocket};
use crate::table::tracker::trust::Trust;

/// Changes within this time are told together.
const BATCH: Duration = Duration::from_millis(25);
/// How long the end of an instance waits for the directory.
const RETIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// A clone is the same tracker.
#[derive(Clone)]
pub(super) struct Tracker {
    inner: Arc<Inner>,
}

struct Inner {
    directory: Arc<dyn Directory>,
    store: Arc<dyn SessionStore>,
    instance: InstanceRecord,
    metrics: Arc<Metrics>,
    lease: Duration,
    renew: Duration,
    recovery_window_ms: u64,
    ledger: Mutex<Ledger>,
    changed: Notify,
    trust: Trust,
    serials: AtomicU64,
    closing: Notify,
    is_asked_to_drain: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<bool>>>,
}

/// A socket that has a place; taken back when this is dropped.
pub(super) struct Tracked {
    inner: Arc<Inner>,
    socket: SocketId,
    serial: u64,
}

impl Tracker {
    /// Announces the instance and begins to renew. Must be called within a
    /// tokio runtime.
    pub(super) fn start(
        id: InstanceId,
        store: Arc<dyn SessionStore>,
        directory: Arc<dyn Directory>,
        options: &TableOptions,
    ) -> Self {
        let started = store.now();
        let inner = Arc::new(Inner {
            directory,
            store,
            instance: InstanceRecord {
                id,
                address: options.advertised_address.clone(),
                task: options.task.clone(),
                started,
                figures: Figures::default(),
            },
            metrics: Arc::clone(&options.metrics),
            lease: options.lease,
            renew: options.renew.min(options.lease / 3),
            recovery_window_ms: options.recovery.window_ms,
            ledger: Mutex::default(),
            changed: Notify::new(),
            trust: Trust::new(options.lease),
            serials: AtomicU64::new(0),
            closing: Notify::new(),
            is_asked_to_drain: watch::Sender::new(false),
            task: Mutex::default(),
        });
        let running = tokio::spawn(task::run(Arc::clone(&inner)));
        *inner.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Self { inner }
    }

    /// The socket has taken a place, and keeps it until the answer is dropped.
    pub(super) fn track(
        &self,
        socket: SocketId,
        session: SessionId,
        player: PlayerId,
        activity: &Arc<SeatLimits>,
    ) -> Tracked {
        let inner = Arc::clone(&self.inner);
        let now = inner.store.now();
        let serial = inner.serials.fetch_add(1, Ordering::Relaxed);
        let record = ConnectionRecord {
            socket,
            session,
            player,
            instance: inner.instance.id,
            connected_at: now,
            last_activity: now,
        };
        let tracked = TrackedSocket { record, serial, activity: Arc::clone(activity) };
        inner.ledger().enter(tracked);
        inner.changed.notify_one();
        Tracked { inner, socket, serial }
    }

    /// `socket` can come back by `record`, which is renewed until it is
    /// [lost](Self::lost) or [forgotten](Self::forget); a newer record of the
    /// same private id replaces it. When the socket has come back elsewhere
    /// meanwhile, what is here is closed.
    pub(super) fn recoverable(&self, record: RecoveryRecord, socket: &Socket) {
        self.inner.ledger().keep(self.entry(record, socket));
        self.inner.changed.notify_one();
    }

    /// As [`recoverable`](Self::recoverable), when that is written already.
    pub(super) fn goes_on(&self, record: RecoveryRecord, socket: &Socket) {
        self.inner.ledger().hold(self.entry(record, socket));
    }

    fn entry(&self, record: RecoveryRecord, socket: &Socket) -> Recoverable {
        let serial = self.inner.serials.fetch_add(1, Ordering::Relaxed);
        Recoverable { record, serial, socket: Some(socket.clone()) }
    }

    /// The socket that is here under a private id.
    pub(super) fn holder(&self, id: PrivateId) -> Option<Socket> {
        self.inner.ledger().holder(id)
    }

    /// The socket of `id` has taken a place, or left it; that is written by and
    /// by.
    pub(super) fn sits(&self, id: PrivateId, claims: u32, place: Option<RecoverablePlace>) {
        self.inner.ledger().sit(id, claims, place);
    }

    /// The place of a socket that is here, or was until a moment ago, unless
    /// it has been claimed since: the directory may not have heard of it yet.
    pub(super) fn place_of(&self, id: PrivateId, claims: u32) -> Option<RecoverablePlace> {
        self.inner.ledger().place_of(id, claims)
    }

    /// The socket is gone and may come back: from now on its window runs.
    pub(super) fn lost(&self, id: PrivateId) {
        self.inner.ledger().lose(id);
        self.inner.changed.notify_one();
    }

    /// The socket has left on purpose.
    pub(super) fn forget(&self, id: PrivateId) {
        self.inner.ledger().forget(id);
        self.inner.changed.notify_one();
    }

    /// Which of the others are dead for certain, as far as the directory can
    /// be believed: an empty one knows of nobody.
    pub(super) async fn missing(
        &self,
        others: Vec<InstanceId>,
    ) -> Result<Vec<InstanceId>, StoreError> {
        let inner = &self.inner;
        // Ourselves first: a directory that does not know us knows nothing.
        let mut asked = vec![inner.instance.id];
        asked.extend(others);
        let alive = match inner.directory.are_alive(asked.clone()).await {
            Ok(alive) => alive,
            Err(error) => {
                inner.trust.doubt();
                return Err(error);
            }
        };
        if alive.first() != Some(&true) {
            inner.trust.doubt();
        }
        if !inner.trust.is_founded() {
            return Ok(Vec::new());
        }
        let missing = asked.into_iter().zip(alive).filter(|(_, is_alive)| !is_alive);
        Ok(missing.map(|(id, _)| id).collect())
    }

    /// Returns once somebody has asked this instance to drain; cancel-safe.
    pub(super) async fn asked_to_drain(&self) {
        let mut asked = self.inner.is_asked_to_drain.subscribe();
        // The sender is here, so this does not fail.
        let _ = asked.wait_for(|is_asked| *is_asked).await;
    }

    /// Takes everything back: nobody is here any more. Returns whether the
    /// directory was told, the first time.
    pub(super) async fn retire(&self) -> bool {
        self.inner.closing.notify_one();
        let task = self.inner.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        match task {
            // If the directory is away, the leases end by themselves.
            Some(task) => matches!(timeout(RETIRE_TIMEOUT, task).await, Ok(Ok(true))),
            None => false,
        }
    }
}

impl Inner {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Every change is one step, so that a panic leaves nothing half done.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.inner.ledger().leave(self.socket, self.serial);
        self.inner.changed.notify_one();
    }
}
