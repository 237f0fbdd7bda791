//! The embedded store behind a line that breaks.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, FutureExt, ready};

use cardroom::clock::Clock;
use cardroom::poker::event::Event;
use cardroom::poker::ids::{JoinCode, Millis, SessionId};
use cardroom::poker::session::Opening;
use cardroom::store::{
    Attempt, Budget, CommitError, Denied, Entry, Lifetime, Loaded, MemoryStore, Missing, OutOf,
    Party, Position, Receipt, SessionStore, StoreError, Stored, Subscription,
};

pub(super) struct FaultyStore {
    inner: MemoryStore,
    fault: Mutex<Fault>,
    /// Commits and attempts that it was asked to count.
    asked: AtomicU32,
    commits: AtomicU32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    None,
    /// Nothing gets through.
    Away,
    /// Commits are made, and nobody hears of it.
    LosesReplies,
    /// A defect of ours.
    Panics,
    /// So many commits find that somebody was faster.
    Conflicts(u32),
}

impl FaultyStore {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            inner: MemoryStore::new(clock, 8),
            fault: Mutex::new(Fault::None),
            asked: AtomicU32::new(0),
            commits: AtomicU32::new(0),
        }
    }

    pub(super) fn set(&self, fault: Fault) {
        *self.fault.lock().expect("no test panics in here") = fault;
    }

    pub(super) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn commits(&self) -> u32 {
        self.commits.load(Ordering::Relaxed)
    }

    fn fault(&self) -> Fault {
        *self.fault.lock().expect("no test panics in here")
    }

    fn unless_away<'a, T: Send + 'a>(
        &self,
        reply: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        match self.fault() {
            Fault::Away => ready(Err(away())).boxed(),
            _ => reply,
        }
    }
}

fn away() -> StoreError {
    StoreError::Unavailable("cut".to_owned())
}

impl SessionStore for FaultyStore {
    fn now(&self) -> Millis {
        self.inner.now()
    }

    fn create(
        &self,
        opening: Opening,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        self.unless_away(self.inner.create(opening, lifetime))
    }

    fn resolve(&self, code: JoinCode) -> BoxFuture<'_, Result<Option<SessionId>, StoreError>> {
        self.unless_away(self.inner.resolve(code))
    }

    fn load(&self, id: SessionId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        self.unless_away(self.inner.load(id))
    }

    fn commit(
        &self,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        attempts: Vec<Attempt>,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Receipt, CommitError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        match self.fault() {
            Fault::Away => ready(Err(away().into())).boxed(),
            Fault::LosesReplies => async move {
                self.inner.commit(id, expected, entries, attempts, lifetime).await?;
                Err(away().into())
            }
            .boxed(),
            Fault::Panics => panic!("planted"),
            Fault::Conflicts(left @ 1..) => {
                self.set(Fault::Conflicts(left - 1));
                let nothing = Missing::Entries(Vec::new());
                ready(Err(CommitError::Conflict(nothing))).boxed()
            }
            Fault::Conflicts(0) | Fault::None => {
                self.inner.commit(id, expected, entries, attempts, lifetime)
            }
        }
    }

    fn keep_snapshot(&self, snapshot: Loaded) -> BoxFuture<'_, Result<(), StoreError>> {
        self.unless_away(self.inner.keep_snapshot(snapshot))
    }

    fn attempt(
        &self,
        id: SessionId,
        attempts: Vec<Attempt>,
    ) -> BoxFuture<'_, Result<Vec<Denied>, StoreError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.unless_away(self.inner.attempt(id, attempts))
    }

    fn charge(
        &self,
        party: Party,
        budgets: Vec<Budget>,
    ) -> BoxFuture<'_, Result<Result<(), OutOf>, StoreError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.unless_away(self.inner.charge(party, budgets))
    }

    fn read_after(
        &self,
        id: SessionId,
        position: Position,
    ) -> BoxFuture<'_, Result<Missing, StoreError>> {
        self.unless_away(self.inner.read_after(id, position))
    }

    fn restore(
        &self,
        replica: Loaded,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.unless_away(self.inner.restore(replica, lifetime))
    }

    fn subscribe(&self, id: SessionId) -> BoxFuture<'_, Result<Subscription, StoreError>> {
        self.unless_away(self.inner.subscribe(id))
    }

    fn whisper(&self, id: SessionId, event: Event) -> BoxFuture<'_, Result<(), StoreError>> {
        self.unless_away(self.inner.whisper(id, event))
    }

    fn is_ready(&self) -> BoxFuture<'_, bool> {
        ready(!matches!(self.fault(), Fault::Away)).boxed()
    }
}
