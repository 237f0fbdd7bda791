//! The contract of a session store, in words and in types.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio::sync::broadcast;

use crate::poker::event::Event;
use crate::poker::ids::{JoinCode, Millis, SessionId};
use crate::poker::session::{Opening, Session};
use crate::store::attempt::{Attempt, Budget, Denied, OutOf, Party};

/// A place in the log of one session.
///
/// The epoch changes when a log begins anew; the nonce is random per entry,
/// so that a place in a history that was lost (a failover) is never taken for
/// the place of the same number in the history that replaced it. Two
/// positions are the same only if all three parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    pub epoch: u64,
    /// The number of events up to here; the opening is number 1.
    pub version: u64,
    pub nonce: u64,
}

impl Position {
    /// The place behind this one, in the same history.
    pub const fn next(self, nonce: u64) -> Self {
        Self { version: self.version.saturating_add(1), nonce, ..self }
    }
}

/// An event and the place it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub position: Position,
    pub event: Event,
}

impl Entry {
    /// Entries for events that are to follow `expected`, in order. The nonce
    /// is drawn for them alone; they share it, and differ in their versions.
    pub fn behind(
        expected: Position,
        nonce: u64,
        events: impl IntoIterator<Item = Event>,
    ) -> Arc<[Self]> {
        let mut position = expected;
        let numbered = events.into_iter().map(|event| {
            position = position.next(nonce);
            Self { position, event }
        });
        numbered.collect()
    }
}

/// Keeps sessions as logs of events.
///
/// * **Order.** The events of one session are totally ordered. [`commit`]
///   appends all of its events or none, and only behind exactly the position
///   that the caller expects: of two commits that expect the same position
///   one wins and the other learns what it missed.
/// * **Durability.** What `commit` has accepted is returned by every later
///   [`load`] and [`read_after`]; an implementation says how much it survives.
/// * **Repetition.** A commit whose outcome is unknown (a time-out) may be
///   tried again: if it had been accepted, the repetition is a conflict whose
///   missing entries are the caller's own. Its attempts are counted once.
/// * **Attempts.** In any window a budget counts at most as many attempts as
///   its limit allows, whichever instance they come through; beyond
///   [`Limit::STAMPS_MAX`] a place may become free a little late. Attempts
///   that are denied count nothing. Those of a commit are counted with it, in
///   the same step, or not at all. A budget is forgotten when nothing in it
///   counts any more, one more window later at the latest while the session
///   is played in, and with the session in any case.
/// * **Subscription.** A subscriber gets every update that is committed after
///   [`subscribe`] returned, in order, or notices that it missed some:
///   updates name the position before them. So: subscribe, then load.
///   Whispers are volatile; they may be lost and have no position.
/// * **Life.** A session is kept until its [`Lifetime`] ends; then its events
///   are gone and a tombstone says what it was, for as long as asked.
/// * **Loss.** A store that loses what it kept (a restart without
///   persistence) knows neither the session nor a tombstone of it. Whoever
///   serves the session notices when a call fails with [`StoreError::Gone`],
///   or when its subscription ends, and puts it back with [`restore`]: of
///   several replicas the most recent wins. New commits wait until everybody
///   had time to say so.
///
/// Nobody but the store serialises: callers may commit concurrently.
///
/// [`Limit::STAMPS_MAX`]: crate::limits::Limit::STAMPS_MAX
/// [`commit`]: SessionStore::commit
/// [`load`]: SessionStore::load
/// [`read_after`]: SessionStore::read_after
/// [`subscribe`]: SessionStore::subscribe
/// [`restore`]: SessionStore::restore
pub trait SessionStore: Send + Sync + 'static {
    /// The store's clock, which all instances share.
    fn now(&self) -> Millis;

    /// Begins a session with its opening as the first event.
    fn create(
        &self,
        opening: Opening,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Loaded, StoreError>>;

    /// The session that a join code stands for.
    fn resolve(&self, code: JoinCode) -> BoxFuture<'_, Result<Option<SessionId>, StoreError>>;

    fn load(&self, id: SessionId) -> BoxFuture<'_, Result<Stored, StoreError>>;

    /// Appends `entries`, which follow each other behind `expected`
    /// ([`Entry::behind`]), counts the attempts that led to them, and tells
    /// the subscribers. If an attempt finds no room nothing of all that
    /// happens: [`CommitError::Denied`]. Now and then asks for a
    /// [snapshot](Self::keep_snapshot).
    fn commit(
        &self,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        attempts: Vec<Attempt>,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Receipt, CommitError>>;

    /// Takes a session as of a position that was committed, by whoever has it
    /// in memory: loading begins there, and older entries may be trimmed.
    /// Nothing happens where there is a later one, or if the position is of
    /// another history. A store that asks in vain asks again.
    fn keep_snapshot(&self, snapshot: Loaded) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Counts attempts that lead to no commit; returns those that find no
    /// room, in order, which are not counted. One call is one step. A call
    /// that was repeated because its reply was lost may count twice: then it
    /// errs on the strict side.
    fn attempt(
        &self,
        id: SessionId,
        attempts: Vec<Attempt>,
    ) -> BoxFuture<'_, Result<Vec<Denied>, StoreError>>;

    /// Asks budgets of a party in one step. All that are to be counted are, or
    /// none: then it is known for how long. Repetition as with `attempt`.
    fn charge(
        &self,
        party: Party,
        budgets: Vec<Budget>,
    ) -> BoxFuture<'_, Result<Result<(), OutOf>, StoreError>>;

    /// The entries behind `position`.
    fn read_after(
        &self,
        id: SessionId,
        position: Position,
    ) -> BoxFuture<'_, Result<Missing, StoreError>>;

    /// Puts a session back that was lost, as of a position that was committed.
    /// Nothing happens where it lives at the same or a later position, or in
    /// another epoch: load to know. Where it lives at an earlier position of
    /// the same history, a store may put the end back that it remembers. It is [`StoreError::Gone`] if its time is
    /// over. What subscribers here have heard of it recently is put back too,
    /// so that [`read_after`](SessionStore::read_after) reaches back as far.
    fn restore(&self, replica: Loaded, lifetime: Lifetime)
    -> BoxFuture<'_, Result<(), StoreError>>;

    fn subscribe(&self, id: SessionId) -> BoxFuture<'_, Result<Subscription, StoreError>>;

    /// Tells the subscribers something that is not kept.
    fn whisper(&self, id: SessionId, event: Event) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Whether commands would be accepted now.
    fn is_ready(&self) -> BoxFuture<'_, bool>;
}

/// How long a session is kept, and what remains of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Until then every event is kept; a store may prolong a life in steps, and
    /// be up to ten seconds behind.
    pub kept_until: Millis,
    /// What the tombstone says afterwards.
    pub tombstone: Tombstone,
    pub tombstone_until: Millis,
}

/// What a session was that is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tombstone {
    Ended,
    Expired,
}

/// A session and the position it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub session: Session,
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    Live(Box<Loaded>),
    Gone(Tombstone),
    Unknown,
}

/// What was accepted, and what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The store would [keep](SessionStore::keep_snapshot) the session as it
    /// is now.
    pub snapshot_is_due: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommitError {
    /// Somebody was faster.
    #[error("another commit came first")]
    Conflict(Missing),
    /// By the attempts that found no room, in order; never empty. Nothing was
    /// appended and nothing counted.
    #[error("{} attempts found no room", .0.len())]
    Denied(Vec<Denied>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What lies behind a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// In order; empty if nothing was missed.
    Entries(Vec<Entry>),
    /// The log no longer reaches back so far, or began anew: load.
    Unreachable,
}

/// What a subscriber hears.
#[derive(Debug, Clone)]
pub enum Update {
    /// What follows `previous`, in order; never empty.
    Committed {
        previous: Position,
        entries: Arc<[Entry]>,
    },
    Whispered(Arc<Event>),
}

/// Updates of a session that may wait for a subscriber before it is told that
/// it missed some. Each has its place from the beginning on, so that a
/// session which nobody plays in pays for all of them.
pub(super) const UPDATES_WAITING_MAX: usize = 64;

/// The updates of one session; ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    updates: broadcast::Receiver<Update>,
}

impl Subscription {
    pub const fn new(updates: broadcast::Receiver<Update>) -> Self {
        Self { updates }
    }

    /// The next update; `None` when some were missed, or when the source of
    /// them is gone: read what is behind the last known position. Cancel-safe.
    pub async fn next(&mut self) -> Option<Update> {
        self.updates.recv().await.ok()
    }
}

/// Ours, and worth another try.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// As many sessions as there may be.
    #[error("the store is full")]
    Full,
    /// The id or the code is taken: draw another one.
    #[error("the session exists already")]
    Exists,
    #[error("the session is gone")]
    Gone,
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// What is kept cannot be read: damaged, or written by a newer version.
    #[error("the session cannot be read: {0}")]
    Broken(String),
}
