//! The task that serves one session on this instance.
//!
//! It holds the replica, executes the jobs that wait as one batch with one
//! commit, fires deadlines, follows the updates of other instances, and tells
//! the members. Everything that concerns the session happens here, one after
//! the other; so nothing of it needs a lock.

mod batch;
mod following;
mod insisting;
mod recovering;
mod telling;

use std::future::pending;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::Instant;
use tracing::debug;

use crate::alarm::Alarm;
use crate::metrics::Held;
use crate::poker::decide::next_deadline;
use crate::poker::ids::InstanceId;
use crate::poker::session::Session;
use crate::store::{Entry, Loaded, Position, Subscription, Update};
use crate::table::entropy;
use crate::table::handle::{Departures, Job, SessionHandle};
use crate::table::members::Members;
use crate::table::neighbours::Posted;
use crate::table::registry::Shared;
use crate::table::session_task::batch::Work;

/// How often a store that failed is asked again when nobody asks for anything,
/// on average.
const RESYNC_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct SessionTask {
    shared: Arc<Shared>,
    handle: SessionHandle,
    jobs: mpsc::Receiver<Box<Job>>,
    departures: Arc<Departures>,
    subscription: Subscription,
    session: Session,
    /// The session as it was last known to be committed, at `position`: what
    /// is put back if the store loses it.
    committed: Session,
    /// Where `session` stands, unless `is_ahead`.
    position: Position,
    /// `session` holds events of which nobody knows whether they were
    /// committed; `position` is the last one that certainly was.
    is_ahead: bool,
    /// Others' commits were taken over, and nobody has looked since whether
    /// those who sit here are in their seats.
    has_caught_up: bool,
    members: Members,
    /// The last entry that the members were told of, or would have been.
    told: Position,
    /// What the members are told while a socket comes back.
    overheard: Option<Vec<Entry>>,
    /// The other instances that hold sockets of the session.
    neighbours: Posted,
    /// The last time that somebody did something here.
    idle_since: Instant,
    alarm: Alarm,
    /// The last turn was that of several.
    had_company: bool,
    /// Counts the session among those that are served.
    _served: Held,
}

/// What woke the task.
enum Wake {
    Job(Option<Box<Job>>),
    Departures,
    Update(Option<Update>),
    Deadline,
    Idle,
}

impl SessionTask {
    pub(super) fn new(
        shared: Arc<Shared>,
        handle: SessionHandle,
        jobs: mpsc::Receiver<Box<Job>>,
        departures: Arc<Departures>,
        subscription: Subscription,
        loaded: Loaded,
    ) -> Self {
        let members = Members::new(
            &shared.hub,
            handle.id,
            shared.tracker.clone(),
            Arc::clone(&shared.options.metrics),
        );
        let served = shared.options.metrics.game.sessions.hold();
        let neighbours = shared.neighbours.post();
        Self {
            shared,
            handle,
            jobs,
            departures,
            subscription,
            committed: loaded.session.clone(),
            session: loaded.session,
            position: loaded.position,
            is_ahead: false,
            has_caught_up: false,
            members,
            told: loaded.position,
            overheard: None,
            neighbours,
            idle_since: Instant::now(),
            alarm: Alarm::new(),
            had_company: false,
            _served: served,
        }
    }

    pub(super) async fn run(mut self) {
        debug!(session.id = %self.handle.id, "session loaded");
        let mut put_off = None;
        loop {
            self.neighbours.update(&self.session, self.shared.instance);
            let wake = match put_off.take() {
                Some(job) => Wake::Job(Some(job)),
                None => self.wake().await,
            };
            match wake {
                Wake::Job(Some(job)) => {
                    put_off = self.turn(Some(job)).await;
                    self.idle_since = Instant::now();
                }
                Wake::Departures => {
                    put_off = self.turn(None).await;
                    self.idle_since = Instant::now();
                }
                Wake::Deadline => put_off = self.turn(None).await,
                Wake::Update(update) => self.follow(update).await,
                Wake::Idle | Wake::Job(None) => break,
            }
            while take(&mut self.has_caught_up) {
                self.insist().await;
            }
        }
        // No new job finds the way here from now on; those that have are done.
        self.shared.sessions.forget(&self.handle);
        self.jobs.close();
        while let Some(job) = self.jobs.recv().await {
            let mut next = Some(job);
            while next.is_some() {
                next = self.turn(next).await;
            }
        }
        debug!(session.id = %self.handle.id, "session unloaded");
    }

    async fn wake(&mut self) -> Wake {
        let next = self.next_alarm();
        tokio::select! {
            job = self.jobs.recv() => Wake::Job(job),
            () = self.departures.arrived() => Wake::Departures,
            update = self.subscription.next() => Wake::Update(update),
            wake = ring(&mut self.alarm, next) => wake,
        }
    }

    /// When the task wakes by itself, and what for.
    fn next_alarm(&self) -> Option<(Instant, Wake)> {
        let now = Instant::now();
        // What is not committed has no deadlines.
        let due = if self.is_ahead {
            Some(now + retry_interval())
        } else {
            let due = next_deadline(&self.session);
            due.map(|at| now + Duration::from_millis(at.since(self.shared.store.now())))
        };
        let idle = self.members.is_empty().then(|| self.idle_since + self.shared.options.idle);
        match (due, idle) {
            (Some(due), Some(idle)) if idle < due => Some((idle, Wake::Idle)),
            (Some(due), _) => Some((due, Wake::Deadline)),
            (None, idle) => idle.map(|idle| (idle, Wake::Idle)),
        }
    }

    /// Does what waits, up to a batch. Returns what was taken from the queue
    /// and has to wait for the next one.
    async fn turn(&mut self, first: Option<Box<Job>>) -> Option<Box<Job>> {
        // People seldom come or go alone, and each who does is told to all.
        let comes_or_goes = first.as_deref().is_none_or(|job| matches!(job, Job::Join { .. }));
        if comes_or_goes || self.had_company || !has_idle_worker() {
            // Whoever is about to ask is heard first: what comes at the same
            // moment is committed together and told together. Where nobody is,
            // this would only wake a thread that has nothing to do.
            yield_now().await;
        }
        let mut batch: Vec<Work> = Vec::new();
        for (socket, manner) in self.departures.take() {
            batch.extend(self.departed(&socket, manner));
        }
        let mut next = first;
        while let Some(job) = next.take() {
            // Who joins at the same moment is seated together.
            let are_joining = batch.last().is_some_and(Work::is_join);
            if are_joining && !matches!(*job, Job::Join { .. }) {
                next = Some(job);
                break;
            }
            let work = self.work(*job).await;
            let is_last = work.as_ref().is_some_and(|work| work.shows_session() && !work.is_join());
            batch.extend(work);
            if is_last || self.shared.options.batch_jobs_max <= batch.len() {
                break;
            }
            next = self.jobs.try_recv().ok();
        }
        self.had_company = 1 < batch.len();
        self.execute(batch).await;
        // Also where nobody came back after all.
        self.overheard = None;
        next
    }

    fn instance(&self) -> InstanceId {
        self.shared.instance
    }
}

async fn ring(alarm: &mut Alarm, next: Option<(Instant, Wake)>) -> Wake {
    match next {
        Some((at, wake)) => {
            alarm.until(at).await;
            wake
        }
        None => pending().await,
    }
}

/// Whether a thread of the runtime sleeps, because there is nothing to do.
fn has_idle_worker() -> bool {
    let metrics = Handle::current().metrics();
    // Counted when it falls asleep and when it wakes.
    (0..metrics.num_workers()).any(|one| metrics.worker_park_unpark_count(one) % 2 == 1)
}

/// Not all sessions at the same moment.
fn retry_interval() -> Duration {
    let jitter_ms = entropy::nonce() % RESYNC_INTERVAL.as_millis() as u64;
    RESYNC_INTERVAL / 2 + Duration::from_millis(jitter_ms)
}
