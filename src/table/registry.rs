//! The table as a whole: every session that this instance serves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;
use tracing::{Instrument as _, debug_span};

use crate::api::client_event::EventName;
use crate::api::failure::Failure;
use crate::hub::Hub;
use crate::identity::Keyring;
use crate::limits::{Budgets, Network};
use crate::poker::ids::{InstanceId, PlayerId, SessionId};
use crate::poker::refusal::Refusal;
use crate::store::{Directory, SessionStore, StoreError, Stored, Tombstone};
use crate::table::attempts::{Absence, PartyBudget, Strangers};
use crate::table::entropy;
use crate::table::handle::{Job, SessionHandle, TaskEnded};
use crate::table::lobby::Lobby;
use crate::table::neighbours::{self, Neighbours};
use crate::table::options::TableOptions;
use crate::table::recovery_failure::RecoveryCounts;
use crate::table::session_task::SessionTask;
use crate::table::tracker::Tracker;

/// The poker application. A clone is the same table.
#[derive(Clone)]
pub struct Table {
    pub(super) shared: Arc<Shared>,
}

/// What all sessions of an instance share.
pub(super) struct Shared {
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) tracker: Tracker,
    pub(super) neighbours: Arc<Neighbours>,
    pub(super) hub: Hub,
    pub(super) keyring: Keyring,
    pub(super) options: TableOptions,
    pub(super) instance: InstanceId,
    pub(super) sessions: Sessions,
    pub(super) lobby: Arc<Lobby>,
    pub(super) failed_joins: PartyBudget,
    pub(super) failed_joins_in_all: PartyBudget,
    pub(super) creates: PartyBudget,
    pub(super) creates_per_hour: PartyBudget,
    pub(super) strangers: Strangers,
    /// Joins of those who have one.
    pub(super) returns: Budgets<(SessionId, PlayerId)>,
    pub(super) absence: Absence,
    /// Of this instance alone: a guess that is none costs the directory as
    /// much as any recovery, and 120 random bits are not guessed.
    pub(super) failed_recoveries: Budgets<Network>,
    pub(super) recoveries: RecoveryCounts,
}

/// The sessions that are served now.
#[derive(Default)]
pub(super) struct Sessions {
    handles: Mutex<HashMap<SessionId, SessionHandle>>,
    /// Held while a session is loaded, so that it is loaded once. Sharded by
    /// id: one slow load must not hold up the others.
    loading: [AsyncMutex<()>; LOADING_SHARDS],
}

const LOADING_SHARDS: usize = 32;

impl Table {
    /// Must be called within a tokio runtime: it starts the tasks of the
    /// lobby, of the tracker and of the watch over the other instances.
    pub fn new(
        store: Arc<dyn SessionStore>,
        directory: Arc<dyn Directory>,
        hub: Hub,
        keyring: Keyring,
        options: TableOptions,
    ) -> Self {
        let networks_max = options.networks_max;
        let joins = options.rate_limit(EventName::SessionJoin);
        let instance = options.instance.unwrap_or_else(entropy::draw_instance_id);
        let tracker =
            Tracker::start(instance, Arc::clone(&store), Arc::clone(&directory), &options);
        let shared = Arc::new(Shared {
            store,
            directory,
            tracker,
            neighbours: Arc::default(),
            hub,
            keyring,
            instance,
            sessions: Sessions::default(),
            lobby: Lobby::new(options.join_timeout, options.waiting_sockets_max),
            failed_joins: PartyBudget::new("failed-joins", options.failed_joins, networks_max),
            failed_joins_in_all: PartyBudget::new("failed-joins", options.failed_joins_in_all, 1),
            creates: PartyBudget::new("session:create", options.creates, networks_max),
            creates_per_hour: PartyBudget::new("sessions", options.creates_per_hour, networks_max),
            strangers: Strangers::default(),
            returns: Budgets::new(joins, options.returns_max),
            absence: Absence::default(),
            failed_recoveries: Budgets::new(options.recovery.failed, networks_max),
            recoveries: RecoveryCounts::default(),
            options,
        });
        let table = Self { shared };
        table.watch_lobby();
        tokio::spawn(neighbours::watch(Arc::clone(&table.shared)));
        table
    }

    /// How recoveries went.
    pub fn recoveries(&self) -> &RecoveryCounts {
        &self.shared.recoveries
    }

    /// This instance among all; it holds a lease under this id.
    pub fn instance(&self) -> InstanceId {
        self.shared.instance
    }

    /// Who is connected where, on all instances.
    pub fn directory(&self) -> &Arc<dyn Directory> {
        &self.shared.directory
    }

    /// Returns once somebody has asked this instance to drain through the
    /// directory, within about two seconds. Cancel-safe.
    pub async fn asked_to_drain(&self) {
        self.shared.tracker.asked_to_drain().await;
    }

    /// The instance ends: the directory knows it no more. To be called when
    /// the connections are closed. Returns whether the directory was told.
    pub async fn retire(&self) -> bool {
        self.shared.tracker.retire().await
    }

    /// Sends a job to the session's task, which is started if it does not run.
    pub(super) async fn send(&self, id: SessionId, mut job: Box<Job>) -> Result<(), Failure> {
        // A task can end between being found and being sent to; a second and
        // third time in a row, something else is wrong.
        for _ in 0..3 {
            let handle = self.session(id).await?;
            match handle.send(job).await {
                Ok(()) => return Ok(()),
                Err(TaskEnded(unsent)) => {
                    // One that panicked could not forget itself.
                    self.shared.sessions.forget(&handle);
                    job = unsent;
                }
            }
        }
        Err(Failure::ServerBusy { retry_after_s: 1 })
    }

    async fn session(&self, id: SessionId) -> Result<SessionHandle, Failure> {
        let sessions = &self.shared.sessions;
        if let Some(handle) = sessions.find(id) {
            return Ok(handle);
        }
        let _loading = sessions.loading(id).lock().await;
        if let Some(handle) = sessions.find(id) {
            return Ok(handle);
        }
        let store = &self.shared.store;
        // Subscribe first: what is committed while we load is not missed.
        let subscription = store.subscribe(id).await;
        let stored = store.load(id).await.map_err(|error| unavailable(&error))?;
        let loaded = match stored {
            Stored::Live(loaded) => *loaded,
            Stored::Gone(Tombstone::Ended) => return Err(Refusal::SessionEnded.into()),
            Stored::Gone(Tombstone::Expired) => return Err(Refusal::SessionExpired.into()),
            Stored::Unknown => return Err(Refusal::SessionNotFound.into()),
        };
        let subscription = subscription.map_err(|error| unavailable(&error))?;
        let (handle, jobs, departures) =
            SessionHandle::new(id, self.shared.options.session_jobs_max);
        let task = SessionTask::new(
            Arc::clone(&self.shared),
            handle.clone(),
            jobs,
            departures,
            subscription,
            loaded,
        );
        sessions.insert(handle.clone());
        // It outlives the connection that asked first.
        let span = debug_span!(parent: None, "session", session.id = %id);
        tokio::spawn(task.run().instrument(span));
        Ok(handle)
    }
}

pub(super) fn unavailable(error: &StoreError) -> Failure {
    match error {
        StoreError::Full => Failure::ServerBusy { retry_after_s: 60 },
        StoreError::Gone => Refusal::SessionNotFound.into(),
        StoreError::Exists | StoreError::Unavailable(_) | StoreError::Broken(_) => {
            Failure::StateUnavailable { retry_after_s: 1 }
        }
    }
}

impl Sessions {
    pub(super) fn find(&self, id: SessionId) -> Option<SessionHandle> {
        self.handles().get(&id).cloned()
    }

    pub(super) fn all(&self) -> Vec<SessionHandle> {
        self.handles().values().cloned().collect()
    }

    /// How many are served.
    pub(super) fn len(&self) -> usize {
        self.handles().len()
    }

    fn insert(&self, handle: SessionHandle) {
        self.handles().insert(handle.id, handle);
    }

    /// Forgets a task that ends, unless another one has taken its place.
    pub(super) fn forget(&self, handle: &SessionHandle) {
        let mut handles = self.handles();
        if handles.get(&handle.id).is_some_and(|known| known.is_same(handle)) {
            handles.remove(&handle.id);
        }
    }

    fn loading(&self, id: SessionId) -> &AsyncMutex<()> {
        let shard = id.to_bytes().iter().fold(0_usize, |sum, byte| sum + usize::from(*byte));
        &self.loading[shard % LOADING_SHARDS]
    }

    fn handles(&self) -> MutexGuard<'_, HashMap<SessionId, SessionHandle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
