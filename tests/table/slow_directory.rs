//! A directory that is slow to learn where a socket sits.

use futures_util::future::{BoxFuture, FutureExt, pending};

use cardroom::poker::ids::{InstanceId, PlayerId, SessionId};
use cardroom::protocol::{PrivateId, SocketId};
use cardroom::store::directory::{
    Announced, ConnectionRecord, Directory, InstanceRecord, RecoveryRecord,
};
use cardroom::store::{MemoryStore, StoreError};

/// Until it has been claimed, no record that names a place gets through.
pub(super) struct SlowDirectory(pub(super) MemoryStore);

impl Directory for SlowDirectory {
    fn keep_recoverable(
        &self,
        records: Vec<RecoveryRecord>,
        window_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<PrivateId>, StoreError>> {
        if records.iter().any(|record| record.place.is_some() && record.claims == 0) {
            return pending().boxed();
        }
        self.0.keep_recoverable(records, window_ms)
    }

    fn claim(
        &self,
        id: PrivateId,
        by: InstanceId,
    ) -> BoxFuture<'_, Result<Option<RecoveryRecord>, StoreError>> {
        self.0.claim(id, by)
    }

    fn forget_recoverable(&self, ids: Vec<PrivateId>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.forget_recoverable(ids)
    }

    fn announce(
        &self,
        instance: InstanceRecord,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<Announced, StoreError>> {
        self.0.announce(instance, lease_ms)
    }

    fn request_drain(&self, id: InstanceId) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.0.request_drain(id)
    }

    fn retire(&self, id: InstanceId) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.retire(id)
    }

    fn instance(
        &self,
        id: InstanceId,
    ) -> BoxFuture<'_, Result<Option<InstanceRecord>, StoreError>> {
        Directory::instance(&self.0, id)
    }

    fn instances(&self) -> BoxFuture<'_, Result<Vec<InstanceRecord>, StoreError>> {
        self.0.instances()
    }

    fn are_alive(&self, ids: Vec<InstanceId>) -> BoxFuture<'_, Result<Vec<bool>, StoreError>> {
        self.0.are_alive(ids)
    }

    fn track(
        &self,
        connections: Vec<ConnectionRecord>,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.track(connections, lease_ms)
    }

    fn untrack(&self, connections: Vec<ConnectionRecord>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.untrack(connections)
    }

    fn connection(
        &self,
        socket: SocketId,
    ) -> BoxFuture<'_, Result<Option<ConnectionRecord>, StoreError>> {
        self.0.connection(socket)
    }

    fn session_connections(
        &self,
        session: SessionId,
    ) -> BoxFuture<'_, Result<Vec<SocketId>, StoreError>> {
        self.0.session_connections(session)
    }

    fn is_player_online(
        &self,
        session: SessionId,
        player: PlayerId,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.0.is_player_online(session, player)
    }
}
