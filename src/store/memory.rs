//! The embedded store: sessions in this process, for one instance and for
//! tests. Survives nothing but is complete: the contract suite runs on it.

mod directory;
mod windows;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};
use tokio::sync::broadcast;

use crate::clock::Clock;
use crate::poker::event::{Event, Fact};
use crate::poker::evolve::evolve;
use crate::poker::ids::{JoinCode, Millis, SessionId};
use crate::poker::session::{Opening, Session};
use crate::store::attempt::{Attempt, Budget, Charges, Denied, OutOf, Party};
use crate::store::contract::{
    CommitError, Entry, Lifetime, Loaded, Missing, Position, Receipt, SessionStore, StoreError,
    Stored, Subscription, Tombstone, UPDATES_WAITING_MAX, Update,
};
use crate::store::memory::directory::Leases;
use crate::store::memory::windows::{PartyWindows, SeatWindows};

/// Events kept behind the snapshot, for subscribers that catch up. Twice as
/// many lie there at the most, so that trimming is rare.
const EVENTS_KEPT_MIN: usize = 256;

/// Sessions between two looks for those whose time is over.
const CREATES_PER_SWEEP: u32 = 64;

#[derive(Debug)]
pub struct MemoryStore {
    clock: Clock,
    sessions_max: usize,
    shelves: Mutex<Shelves>,
    leases: Mutex<Leases>,
    parties: Mutex<PartyWindows>,
}

#[derive(Debug, Default)]
struct Shelves {
    sessions: HashMap<SessionId, Shelf>,
    codes: HashMap<JoinCode, SessionId>,
    creates: u32,
}

#[derive(Debug)]
enum Shelf {
    Live(Box<Log>),
    Gone { tombstone: Tombstone, until: Millis, code: JoinCode },
}

#[derive(Debug)]
struct Log {
    /// The session as of the entry before the first one in `entries`.
    snapshot: Session,
    snapshot_position: Position,
    entries: VecDeque<Entry>,
    lifetime: Lifetime,
    updates: broadcast::Sender<Update>,
    windows: SeatWindows,
}

impl MemoryStore {
    pub fn new(clock: Clock, sessions_max: usize) -> Self {
        Self {
            clock,
            sessions_max,
            shelves: Mutex::default(),
            leases: Mutex::default(),
            parties: Mutex::default(),
        }
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        // Every change is made in one step at its end, so that a panic
        // elsewhere leaves nothing half done.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create_now(&self, opening: Opening, lifetime: Lifetime) -> Result<Loaded, StoreError> {
        let now = self.clock.now();
        let mut shelves = self.shelves();
        shelves.creates = shelves.creates.wrapping_add(1);
        if shelves.creates.is_multiple_of(CREATES_PER_SWEEP) || self.sessions_max <= shelves.live()
        {
            shelves.sweep(now);
        }
        if self.sessions_max <= shelves.live() {
            return Err(StoreError::Full);
        }
        let is_taken =
            shelves.sessions.contains_key(&opening.id) || shelves.codes.contains_key(&opening.code);
        if is_taken {
            return Err(StoreError::Exists);
        }
        let session = Session::open(&opening, now);
        let position = Position { epoch: random(), version: 1, nonce: random() };
        let log = Log {
            snapshot: session.clone(),
            snapshot_position: position,
            entries: VecDeque::new(),
            lifetime,
            updates: broadcast::Sender::new(UPDATES_WAITING_MAX),
            windows: SeatWindows::default(),
        };
        shelves.codes.insert(opening.code, opening.id);
        shelves.sessions.insert(opening.id, Shelf::Live(Box::new(log)));
        Ok(Loaded { session, position })
    }

    fn load_now(&self, id: SessionId) -> Stored {
        let now = self.clock.now();
        match self.shelves().find(id, now) {
            Some(Shelf::Live(log)) => Stored::Live(Box::new(log.load())),
            Some(Shelf::Gone { tombstone, .. }) => Stored::Gone(*tombstone),
            None => Stored::Unknown,
        }
    }

    fn commit_now(
        &self,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        attempts: &[Attempt],
        lifetime: Lifetime,
    ) -> Result<Receipt, CommitError> {
        let now = self.clock.now();
        let mut shelves = self.shelves();
        let Some(Shelf::Live(log)) = shelves.find(id, now) else {
            return Err(StoreError::Gone.into());
        };
        let previous = log.position();
        if previous != expected {
            return Err(CommitError::Conflict(log.after(expected)));
        }
        let charges = Charges::of(attempts);
        let verdicts = log.windows.room(&charges, now);
        let denied = charges.denied(&verdicts);
        if !denied.is_empty() {
            return Err(CommitError::Denied(denied));
        }
        log.windows.count(&charges, &verdicts, now);
        log.entries.extend(entries.iter().cloned());
        log.lifetime = lifetime;
        log.trim();
        // Nobody listening is no error.
        let _ = log.updates.send(Update::Committed { previous, entries });
        Ok(Receipt::default())
    }

    fn restore_now(&self, replica: Loaded, lifetime: Lifetime) -> Result<(), StoreError> {
        let now = self.clock.now();
        let Loaded { session, position } = replica;
        let (id, code) = (session.id, session.code);
        let mut shelves = self.shelves();
        match shelves.find(id, now) {
            Some(Shelf::Live(_)) => return Ok(()),
            Some(Shelf::Gone { .. }) => return Err(StoreError::Gone),
            None if lifetime.kept_until <= now => return Err(StoreError::Gone),
            None => {}
        }
        let log = Log {
            snapshot: session,
            snapshot_position: position,
            entries: VecDeque::new(),
            lifetime,
            updates: broadcast::Sender::new(UPDATES_WAITING_MAX),
            windows: SeatWindows::default(),
        };
        shelves.codes.entry(code).or_insert(id);
        shelves.sessions.insert(id, Shelf::Live(Box::new(log)));
        Ok(())
    }

    fn with_log<T>(
        &self,
        id: SessionId,
        look: impl FnOnce(&mut Log) -> T,
    ) -> Result<T, StoreError> {
        let now = self.clock.now();
        match self.shelves().find(id, now) {
            Some(Shelf::Live(log)) => Ok(look(log)),
            _ => Err(StoreError::Gone),
        }
    }
}

impl SessionStore for MemoryStore {
    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn create(
        &self,
        opening: Opening,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        ready(self.create_now(opening, lifetime)).boxed()
    }

    fn resolve(&self, code: JoinCode) -> BoxFuture<'_, Result<Option<SessionId>, StoreError>> {
        ready(Ok(self.shelves().codes.get(&code).copied())).boxed()
    }

    fn load(&self, id: SessionId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        ready(Ok(self.load_now(id))).boxed()
    }

    fn commit(
        &self,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        attempts: Vec<Attempt>,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Receipt, CommitError>> {
        ready(self.commit_now(id, expected, entries, &attempts, lifetime)).boxed()
    }

    /// It has its own, which it never asks for.
    fn keep_snapshot(&self, _: Loaded) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Ok(())).boxed()
    }

    fn attempt(
        &self,
        id: SessionId,
        attempts: Vec<Attempt>,
    ) -> BoxFuture<'_, Result<Vec<Denied>, StoreError>> {
        let now = self.clock.now();
        let denied = self.with_log(id, |log| {
            let charges = Charges::of(&attempts);
            let verdicts = log.windows.room(&charges, now);
            log.windows.count(&charges, &verdicts, now);
            charges.denied(&verdicts)
        });
        ready(denied).boxed()
    }

    fn charge(
        &self,
        party: Party,
        budgets: Vec<Budget>,
    ) -> BoxFuture<'_, Result<Result<(), OutOf>, StoreError>> {
        let mut parties = self.parties.lock().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(parties.charge(party, &budgets, self.clock.now()))).boxed()
    }

    fn read_after(
        &self,
        id: SessionId,
        position: Position,
    ) -> BoxFuture<'_, Result<Missing, StoreError>> {
        ready(self.with_log(id, |log| log.after(position))).boxed()
    }

    fn restore(
        &self,
        replica: Loaded,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(self.restore_now(replica, lifetime)).boxed()
    }

    fn subscribe(&self, id: SessionId) -> BoxFuture<'_, Result<Subscription, StoreError>> {
        ready(self.with_log(id, |log| Subscription::new(log.updates.subscribe()))).boxed()
    }

    fn whisper(&self, id: SessionId, event: Event) -> BoxFuture<'_, Result<(), StoreError>> {
        let told = self.with_log(id, |log| {
            let _ = log.updates.send(Update::Whispered(Arc::new(event)));
        });
        ready(told).boxed()
    }

    fn is_ready(&self) -> BoxFuture<'_, bool> {
        ready(true).boxed()
    }
}

impl Shelves {
    fn live(&self) -> usize {
        // Tombstones are small, and bounded by the sweep.
        self.sessions.values().filter(|shelf| matches!(shelf, Shelf::Live(_))).count()
    }

    /// The shelf of `id`, as it is at `now`.
    fn find(&mut self, id: SessionId, now: Millis) -> Option<&mut Shelf> {
        let is_over = self.sessions.get(&id)?.is_over(now);
        if is_over {
            self.age(id, now);
        }
        self.sessions.get_mut(&id)
    }

    fn sweep(&mut self, now: Millis) {
        let over: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, shelf)| shelf.is_over(now))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.age(id, now);
        }
    }

    /// A session becomes a tombstone, a tombstone nothing.
    fn age(&mut self, id: SessionId, now: Millis) {
        let Some(shelf) = self.sessions.remove(&id) else { return };
        let (tombstone, until, code) = match shelf {
            Shelf::Live(log) => {
                (log.lifetime.tombstone, log.lifetime.tombstone_until, log.snapshot.code)
            }
            Shelf::Gone { tombstone, until, code } => (tombstone, until, code),
        };
        if now < until {
            self.sessions.insert(id, Shelf::Gone { tombstone, until, code });
        } else {
            self.codes.remove(&code);
        }
    }
}

impl Shelf {
    fn is_over(&self, now: Millis) -> bool {
        match self {
            Self::Live(log) => log.lifetime.kept_until <= now,
            Self::Gone { until, .. } => *until <= now,
        }
    }
}

impl Log {
    fn position(&self) -> Position {
        self.entries.back().map_or(self.snapshot_position, |entry| entry.position)
    }

    fn load(&self) -> Loaded {
        let mut session = self.snapshot.clone();
        for entry in &self.entries {
            evolve(&mut session, &entry.event);
        }
        Loaded { session, position: self.position() }
    }

    fn after(&self, position: Position) -> Missing {
        let skipped = if position == self.snapshot_position {
            Some(0)
        } else {
            self.entries.iter().position(|entry| entry.position == position).map(|index| index + 1)
        };
        let Some(skipped) = skipped else {
            return Missing::Unreachable;
        };
        Missing::Entries(self.entries.iter().skip(skipped).cloned().collect())
    }

    /// Folds the oldest entries into the snapshot.
    fn trim(&mut self) {
        if self.entries.len() < 2 * EVENTS_KEPT_MIN {
            return;
        }
        while EVENTS_KEPT_MIN < self.entries.len() {
            let Some(Entry { position, event }) = self.entries.pop_front() else { return };
            debug_assert!(!matches!(event.fact, Fact::Opened(_)), "a session opens once");
            evolve(&mut self.snapshot, &event);
            self.snapshot_position = position;
        }
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness, positions are still told apart by their versions.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
