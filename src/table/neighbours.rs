//! The other instances, as far as the sessions here know them: who of them
//! dies takes its sockets along, and somebody has to say so.
//!
//! Every instance that serves a session says it. The commit lets one of them
//! be the first; for the others, nothing is left to be said.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{debug, info};

use crate::poker::command::{Action, Command};
use crate::poker::ids::{InstanceId, SessionId};
use crate::poker::session::Session;
use crate::table::answer::Answer;
use crate::table::entropy::jittered;
use crate::table::handle::{Asked, Job};
use crate::table::registry::Shared;

/// Between two looks at the leases.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// The same after one was missing: it is looked at twice.
const CONFIRM_AFTER: Duration = Duration::from_millis(750);
/// Newcomers are looked at sooner, but not more often than this.
const CHECKS_APART: Duration = Duration::from_millis(250);

type Ids = SmallVec<[InstanceId; 4]>;

/// Which sessions here have sockets on which other instances.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    posted: Mutex<HashMap<u64, (SessionId, Ids)>>,
    serials: AtomicU64,
    arrived: Notify,
}

/// What one session's task has posted; gone with the task.
pub(super) struct Posted {
    neighbours: Arc<Neighbours>,
    serial: u64,
    ids: Ids,
}

impl Neighbours {
    pub(super) fn post(self: &Arc<Self>) -> Posted {
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        Posted { neighbours: Arc::clone(self), serial, ids: Ids::new() }
    }

    fn sessions_by_instance(&self) -> BTreeMap<InstanceId, Vec<SessionId>> {
        let mut sessions: BTreeMap<InstanceId, Vec<SessionId>> = BTreeMap::new();
        for (session, ids) in self.posted().values() {
            for id in ids {
                sessions.entry(*id).or_default().push(*session);
            }
        }
        sessions
    }

    fn posted(&self) -> MutexGuard<'_, HashMap<u64, (SessionId, Ids)>> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Posted {
    /// Called whenever the replica may have changed.
    pub(super) fn update(&mut self, session: &Session, own: InstanceId) {
        let others = || session.seats.instances().iter().filter(|id| **id != own);
        if others().eq(&self.ids) {
            return;
        }
        let has_newcomers = others().any(|id| !self.ids.contains(id));
        self.ids = others().copied().collect();
        let mut posted = self.neighbours.posted();
        if self.ids.is_empty() {
            posted.remove(&self.serial);
        } else {
            posted.insert(self.serial, (session.id, self.ids.clone()));
        }
        drop(posted);
        if has_newcomers {
            self.neighbours.arrived.notify_one();
        }
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        self.neighbours.posted().remove(&self.serial);
    }
}

/// Runs as long as the instance.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut suspects = HashSet::new();
    loop {
        let pause = if suspects.is_empty() { CHECK_EVERY } else { CONFIRM_AFTER };
        // Whether somebody arrived or the time is over is all the same.
        let _ = timeout(jittered(pause), shared.neighbours.arrived.notified()).await;
        suspects = check(&shared, &suspects).await;
        sleep(CHECKS_APART).await;
    }
}

/// Looks at the leases; those who miss theirs for the second time are dead.
async fn check(shared: &Shared, suspects: &HashSet<InstanceId>) -> HashSet<InstanceId> {
    let sessions = shared.neighbours.sessions_by_instance();
    if sessions.is_empty() {
        return HashSet::new();
    }
    let missing = match shared.tracker.missing(sessions.keys().copied().collect()).await {
        Ok(missing) => missing,
        Err(error) => {
            debug!(%error, "nobody can say who lives");
            return HashSet::new();
        }
    };
    for dead in missing.iter().filter(|id| suspects.contains(id)) {
        let concerned = sessions.get(dead).map(Vec::as_slice).unwrap_or_default();
        info!(instance = %dead, sessions = concerned.len(), "an instance is gone");
        for session in concerned {
            forget(shared, *session, *dead);
        }
    }
    // Whoever comes back from the dead is looked at twice again.
    missing.into_iter().filter(|id| !suspects.contains(id)).collect()
}

/// A session that is busy or ends just now is asked again with the next look.
fn forget(shared: &Shared, session: SessionId, dead: InstanceId) {
    let Some(handle) = shared.sessions.find(session) else { return };
    let command = Command::by_house(Action::ForgetInstance { instance: dead });
    let (answer, attempt) = (Answer::Nobody, Asked::Nothing);
    let job = Job::Command { command, answer, origin: None, attempt };
    let _ = handle.try_send(Box::new(job));
}
