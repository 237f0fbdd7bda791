//! A store that counts what it is asked. The contracts are those of the store
//! within.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::Instant;

use crate::metrics::registry::Metrics;
use crate::metrics::store::{Call, CallOutcome};
use crate::poker::event::Event;
use crate::poker::ids::{InstanceId, JoinCode, Millis, PlayerId, SessionId};
use crate::poker::session::Opening;
use crate::protocol::{PrivateId, SocketId};
use crate::store::directory::{
    Announced, ConnectionRecord, Directory, InstanceRecord, RecoveryRecord,
};
use crate::store::{
    Attempt, Budget, CommitError, Denied, Entry, Lifetime, Loaded, Missing, OutOf, Party, Position,
    Receipt, SessionStore, StoreError, Stored, Subscription,
};

pub struct Observed<S: ?Sized> {
    within: Arc<S>,
    metrics: Arc<Metrics>,
}

impl<S: ?Sized> Observed<S> {
    pub fn new(within: Arc<S>, metrics: Arc<Metrics>) -> Self {
        Self { within, metrics }
    }
}

impl SessionStore for Observed<dyn SessionStore> {
    fn now(&self) -> Millis {
        self.within.now()
    }

    fn create(
        &self,
        opening: Opening,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        count(&self.metrics, Call::Create, self.within.create(opening, lifetime))
    }

    fn resolve(&self, code: JoinCode) -> BoxFuture<'_, Result<Option<SessionId>, StoreError>> {
        count(&self.metrics, Call::Resolve, self.within.resolve(code))
    }

    fn load(&self, id: SessionId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        count(&self.metrics, Call::Load, self.within.load(id))
    }

    fn commit(
        &self,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        attempts: Vec<Attempt>,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Receipt, CommitError>> {
        let (asked, events) = (Instant::now(), entries.len());
        self.within
            .commit(id, expected, entries, attempts, lifetime)
            .inspect(move |answer| {
                let calls = &self.metrics.store;
                calls.answered(Call::Commit, CallOutcome::of_commit(answer), asked.elapsed());
                if answer.is_ok() {
                    calls.committed(events);
                }
            })
            .boxed()
    }

    fn keep_snapshot(&self, snapshot: Loaded) -> BoxFuture<'_, Result<(), StoreError>> {
        count(&self.metrics, Call::KeepSnapshot, self.within.keep_snapshot(snapshot))
    }

    fn attempt(
        &self,
        id: SessionId,
        attempts: Vec<Attempt>,
    ) -> BoxFuture<'_, Result<Vec<Denied>, StoreError>> {
        let asked = Instant::now();
        let answer = self.within.attempt(id, attempts);
        let count = move |answer: &Result<Vec<Denied>, StoreError>| {
            let outcome = match answer {
                Ok(denied) if !denied.is_empty() => CallOutcome::Denied,
                answer => CallOutcome::of(answer),
            };
            self.metrics.store.answered(Call::Attempt, outcome, asked.elapsed());
        };
        answer.inspect(count).boxed()
    }

    fn charge(
        &self,
        party: Party,
        budgets: Vec<Budget>,
    ) -> BoxFuture<'_, Result<Result<(), OutOf>, StoreError>> {
        let asked = Instant::now();
        let answer = self.within.charge(party, budgets);
        let count = move |answer: &Result<Result<(), OutOf>, StoreError>| {
            let outcome = match answer {
                Ok(Err(_)) => CallOutcome::Denied,
                answer => CallOutcome::of(answer),
            };
            self.metrics.store.answered(Call::Attempt, outcome, asked.elapsed());
        };
        answer.inspect(count).boxed()
    }

    fn read_after(
        &self,
        id: SessionId,
        position: Position,
    ) -> BoxFuture<'_, Result<Missing, StoreError>> {
        count(&self.metrics, Call::ReadAfter, self.within.read_after(id, position))
    }

    fn restore(
        &self,
        replica: Loaded,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        count(&self.metrics, Call::Restore, self.within.restore(replica, lifetime))
    }

    fn subscribe(&self, id: SessionId) -> BoxFuture<'_, Result<Subscription, StoreError>> {
        count(&self.metrics, Call::Subscribe, self.within.subscribe(id))
    }

    fn whisper(&self, id: SessionId, event: Event) -> BoxFuture<'_, Result<(), StoreError>> {
        count(&self.metrics, Call::Whisper, self.within.whisper(id, event))
    }

    fn is_ready(&self) -> BoxFuture<'_, bool> {
        let asked = Instant::now();
        self.within
            .is_ready()
            .inspect(move |is_ready| {
                let outcome = if *is_ready { CallOutcome::Ok } else { CallOutcome::Failed };
                self.metrics.store.answered(Call::Ready, outcome, asked.elapsed());
            })
            .boxed()
    }
}

impl Directory for Observed<dyn Directory> {
    fn announce(
        &self,
        instance: InstanceRecord,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<Announced, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.announce(instance, lease_ms))
    }

    fn request_drain(&self, id: InstanceId) -> BoxFuture<'_, Result<bool, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.request_drain(id))
    }

    fn retire(&self, id: InstanceId) -> BoxFuture<'_, Result<(), StoreError>> {
        count(&self.metrics, Call::Directory, self.within.retire(id))
    }

    fn instance(
        &self,
        id: InstanceId,
    ) -> BoxFuture<'_, Result<Option<InstanceRecord>, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.instance(id))
    }

    fn instances(&self) -> BoxFuture<'_, Result<Vec<InstanceRecord>, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.instances())
    }

    fn are_alive(&self, ids: Vec<InstanceId>) -> BoxFuture<'_, Result<Vec<bool>, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.are_alive(ids))
    }

    fn track(
        &self,
        connections: Vec<ConnectionRecord>,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        count(&self.metrics, Call::Directory, self.within.track(connections, lease_ms))
    }

    fn untrack(&self, connections: Vec<ConnectionRecord>) -> BoxFuture<'_, Result<(), StoreError>> {
        count(&self.metrics, Call::Directory, self.within.untrack(connections))
    }

    fn connection(
        &self,
        socket: SocketId,
    ) -> BoxFuture<'_, Result<Option<ConnectionRecord>, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.connection(socket))
    }

    fn session_connections(
        &self,
        session: SessionId,
    ) -> BoxFuture<'_, Result<Vec<SocketId>, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.session_connections(session))
    }

    fn is_player_online(
        &self,
        session: SessionId,
        player: PlayerId,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.is_player_online(session, player))
    }

    fn keep_recoverable(
        &self,
        records: Vec<RecoveryRecord>,
        window_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<PrivateId>, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.keep_recoverable(records, window_ms))
    }

    fn claim(
        &self,
        id: PrivateId,
        by: InstanceId,
    ) -> BoxFuture<'_, Result<Option<RecoveryRecord>, StoreError>> {
        count(&self.metrics, Call::Directory, self.within.claim(id, by))
    }

    fn forget_recoverable(&self, ids: Vec<PrivateId>) -> BoxFuture<'_, Result<(), StoreError>> {
        count(&self.metrics, Call::Directory, self.within.forget_recoverable(ids))
    }
}

fn count<'a, T: 'a>(
    metrics: &'a Metrics,
    call: Call,
    answer: BoxFuture<'a, Result<T, StoreError>>,
) -> BoxFuture<'a, Result<T, StoreError>> {
    let asked = Instant::now();
    answer
        .inspect(move |answer| {
            metrics.store.answered(call, CallOutcome::of(answer), asked.elapsed());
        })
        .boxed()
}
