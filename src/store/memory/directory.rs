//! Who is connected, kept in this process: for one instance, and for tests.

use std::collections::{HashMap, HashSet};

use futures_util::future::{BoxFuture, FutureExt, ready};

use crate::poker::ids::{InstanceId, Millis, PlayerId, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::contract::StoreError;
use crate::store::directory::{
    Announced, ConnectionRecord, Directory, INSTANCES_MAX, InstanceRecord, Lease, RecoveryRecord,
};
use crate::store::memory::MemoryStore;

/// Writes between two looks for what is over, at least; a larger directory
/// waits for as many as it has records, so that a write costs the same in it.
const WRITES_PER_SWEEP_MIN: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Leases {
    instances: HashMap<InstanceId, Leased<InstanceRecord>>,
    asked_to_drain: HashSet<InstanceId>,
    connections: HashMap<SocketId, Leased<ConnectionRecord>>,
    sessions: HashMap<SessionId, HashMap<PlayerId, Sockets>>,
    recoverable: HashMap<PrivateId, Leased<RecoveryRecord>>,
    /// Writes before what is over is looked for again.
    sweep_in: usize,
}

/// The sockets of one player, each on the list of the instance that holds it.
type Sockets = HashMap<(SocketId, InstanceId), Millis>;

#[derive(Debug)]
struct Leased<T> {
    record: T,
    until: Millis,
}

impl<T: Clone> Leased<T> {
    fn at(&self, now: Millis) -> Option<T> {
        (now < self.until).then(|| self.record.clone())
    }
}

impl Leases {
    fn announce(&mut self, instance: InstanceRecord, now: Millis, until: Millis) -> Announced {
        let id = instance.id;
        let before = self.instances.insert(id, Leased { record: instance, until });
        if before.is_some_and(|before| now < before.until) {
            let is_asked_to_drain = self.asked_to_drain.contains(&id);
            return Announced { lease: Lease::Renewed, is_asked_to_drain };
        }
        self.asked_to_drain.remove(&id);
        Announced { lease: Lease::Began, is_asked_to_drain: false }
    }

    fn request_drain(&mut self, id: InstanceId, now: Millis) -> bool {
        let is_alive = self.instances.get(&id).is_some_and(|leased| now < leased.until);
        if is_alive {
            self.asked_to_drain.insert(id);
        }
        is_alive
    }

    fn track(&mut self, records: Vec<ConnectionRecord>, until: Millis) {
        for record in records {
            let players = self.sessions.entry(record.session).or_default();
            let sockets = players.entry(record.player).or_default();
            sockets.insert((record.socket, record.instance), until);
            self.connections.insert(record.socket, Leased { record, until });
        }
    }

    fn untrack(&mut self, records: &[ConnectionRecord]) {
        for record in records {
            let players = self.sessions.get_mut(&record.session);
            if let Some(sockets) = players.and_then(|players| players.get_mut(&record.player)) {
                sockets.remove(&(record.socket, record.instance));
            }
            let written = self.connections.get(&record.socket);
            if written.is_some_and(|written| written.record.instance == record.instance) {
                self.connections.remove(&record.socket);
            }
        }
    }

    fn session_connections(&self, session: SessionId, now: Millis) -> Vec<SocketId> {
        let players = self.sessions.get(&session).into_iter().flatten();
        let listed = players.flat_map(|(_, sockets)| sockets);
        let alive = listed.filter(|(_, until)| now < **until);
        let mut sockets: Vec<SocketId> = alive.map(|((socket, _), _)| *socket).collect();
        sockets.sort_unstable();
        sockets.dedup();
        sockets
    }

    fn is_player_online(&self, session: SessionId, player: PlayerId, now: Millis) -> bool {
        let sockets = self.sessions.get(&session).and_then(|players| players.get(&player));
        sockets.is_some_and(|sockets| sockets.values().any(|until| now < *until))
    }

    fn keep_recoverable(&mut self, records: Vec<RecoveryRecord>, until: Millis) -> Vec<PrivateId> {
        let mut left = Vec::new();
        for record in records {
            let known = self.recoverable.get(&record.id);
            if known.is_some_and(|known| record.claims < known.record.claims) {
                left.push(record.id);
            } else {
                self.recoverable.insert(record.id, Leased { record, until });
            }
        }
        left
    }

    fn claim(&mut self, id: PrivateId, by: InstanceId, now: Millis) -> Option<RecoveryRecord> {
        let known = self.recoverable.get_mut(&id)?;
        let before = known.at(now)?;
        known.record.owner = by;
        known.record.claims = known.record.claims.saturating_add(1);
        Some(before)
    }

    fn sweep_now_and_then(&mut self, now: Millis) {
        if self.sweep_in > 0 {
            self.sweep_in -= 1;
            return;
        }
        self.instances.retain(|_, leased| now < leased.until);
        self.asked_to_drain.retain(|id| self.instances.contains_key(id));
        self.connections.retain(|_, leased| now < leased.until);
        self.recoverable.retain(|_, leased| now < leased.until);
        self.sessions.retain(|_, players| {
            players.retain(|_, sockets| {
                sockets.retain(|_, until| now < *until);
                !sockets.is_empty()
            });
            !players.is_empty()
        });
        let records = self.connections.len() + self.recoverable.len();
        self.sweep_in = records.max(WRITES_PER_SWEEP_MIN);
    }
}

impl MemoryStore {
    fn write<T>(&self, write: impl FnOnce(&mut Leases, Millis) -> T) -> Result<T, StoreError> {
        let now = self.clock.now();
        let mut leases = self.leases();
        leases.sweep_now_and_then(now);
        Ok(write(&mut leases, now))
    }

    fn read<T>(&self, read: impl FnOnce(&Leases, Millis) -> T) -> Result<T, StoreError> {
        Ok(read(&self.leases(), self.clock.now()))
    }
}

impl Directory for MemoryStore {
    fn announce(
        &self,
        instance: InstanceRecord,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<Announced, StoreError>> {
        let announced =
            self.write(|leases, now| leases.announce(instance, now, now.add_ms(lease_ms)));
        ready(announced).boxed()
    }

    fn request_drain(&self, id: InstanceId) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(self.write(|leases, now| leases.request_drain(id, now))).boxed()
    }

    fn retire(&self, id: InstanceId) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(self.write(|leases, _| drop(leases.instances.remove(&id)))).boxed()
    }

    fn instance(
        &self,
        id: InstanceId,
    ) -> BoxFuture<'_, Result<Option<InstanceRecord>, StoreError>> {
        let found = self.read(|leases, now| leases.instances.get(&id)?.at(now));
        ready(found).boxed()
    }

    fn instances(&self) -> BoxFuture<'_, Result<Vec<InstanceRecord>, StoreError>> {
        let found = self.read(|leases, now| {
            let alive = leases.instances.values().filter_map(|leased| leased.at(now));
            let mut records: Vec<InstanceRecord> = alive.collect();
            records.sort_by_key(|record| record.id);
            records.truncate(INSTANCES_MAX);
            records
        });
        ready(found).boxed()
    }

    fn are_alive(&self, ids: Vec<InstanceId>) -> BoxFuture<'_, Result<Vec<bool>, StoreError>> {
        let alive = self.read(|leases, now| {
            let lease = |id| leases.instances.get(id).and_then(|leased| leased.at(now));
            ids.iter().map(|id| lease(id).is_some()).collect()
        });
        ready(alive).boxed()
    }

    fn track(
        &self,
        connections: Vec<ConnectionRecord>,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let tracked = self.write(|leases, now| leases.track(connections, now.add_ms(lease_ms)));
        ready(tracked).boxed()
    }

    fn untrack(&self, connections: Vec<ConnectionRecord>) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(self.write(|leases, _| leases.untrack(&connections))).boxed()
    }

    fn connection(
        &self,
        socket: SocketId,
    ) -> BoxFuture<'_, Result<Option<ConnectionRecord>, StoreError>> {
        ready(self.read(|leases, now| leases.connections.get(&socket)?.at(now))).boxed()
    }

    fn session_connections(
        &self,
        session: SessionId,
    ) -> BoxFuture<'_, Result<Vec<SocketId>, StoreError>> {
        ready(self.read(|leases, now| leases.session_connections(session, now))).boxed()
    }

    fn is_player_online(
        &self,
        session: SessionId,
        player: PlayerId,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(self.read(|leases, now| leases.is_player_online(session, player, now))).boxed()
    }

    fn keep_recoverable(
        &self,
        records: Vec<RecoveryRecord>,
        window_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<PrivateId>, StoreError>> {
        let kept =
            self.write(|leases, now| leases.keep_recoverable(records, now.add_ms(window_ms)));
        ready(kept).boxed()
    }

    fn claim(
        &self,
        id: PrivateId,
        by: InstanceId,
    ) -> BoxFuture<'_, Result<Option<RecoveryRecord>, StoreError>> {
        ready(self.write(|leases, now| leases.claim(id, by, now))).boxed()
    }

    fn forget_recoverable(&self, ids: Vec<PrivateId>) -> BoxFuture<'_, Result<(), StoreError>> {
        let forgotten = self.write(|leases, _| {
            for id in &ids {
                leases.recoverable.remove(id);
            }
        });
        ready(forgotten).boxed()
    }
}
