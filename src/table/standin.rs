use crate::poker::ids::{InstanceId, PlayerId, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::StoreError;
use crate::store::directory::*;
use futures_util::future::{BoxFuture, FutureExt, ready};
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
pub(super) struct StandIn(Mutex<HashMap<PrivateId, RecoveryRecord>>);

impl Directory for StandIn {
    fn announce(&self, _: InstanceRecord, _: u64) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Ok(())).boxed()
    }
    fn retire(&self, _: InstanceId) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Ok(())).boxed()
    }
    fn instance(&self, _: InstanceId) -> BoxFuture<'_, Result<Option<InstanceRecord>, StoreError>> {
        ready(Ok(None)).boxed()
    }
    fn are_alive(&self, _: Vec<InstanceId>) -> BoxFuture<'_, Result<Vec<bool>, StoreError>> {
        ready(Ok(vec![])).boxed()
    }
    fn track(&self, _: Vec<ConnectionRecord>, _: u64) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Ok(())).boxed()
    }
    fn untrack(&self, _: Vec<ConnectionRecord>) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Ok(())).boxed()
    }
    fn connection(
        &self,
        _: SocketId,
    ) -> BoxFuture<'_, Result<Option<ConnectionRecord>, StoreError>> {
        ready(Ok(None)).boxed()
    }
    fn session_connections(
        &self,
        _: SessionId,
    ) -> BoxFuture<'_, Result<Vec<SocketId>, StoreError>> {
        ready(Ok(vec![])).boxed()
    }
    fn is_player_online(
        &self,
        _: SessionId,
        _: PlayerId,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(Ok(false)).boxed()
    }
    fn keep_recoverable(
        &self,
        records: Vec<RecoveryRecord>,
        _: u64,
    ) -> BoxFuture<'_, Result<Vec<PrivateId>, StoreError>> {
        let mut map = self.0.lock().unwrap();
        for r in records {
            if map.get(&r.id).is_none_or(|k| k.claims <= r.claims) {
                map.insert(r.id, r);
            }
        }
        ready(Ok(Vec::new())).boxed()
    }
    fn claim(
        &self,
        id: PrivateId,
        by: InstanceId,
    ) -> BoxFuture<'_, Result<Option<RecoveryRecord>, StoreError>> {
        let mut map = self.0.lock().unwrap();
        let before = map.get(&id).cloned();
        if let Some(r) = map.get_mut(&id) {
            r.claims += 1;
            r.owner = by;
        }
        ready(Ok(before)).boxed()
    }
    fn forget_recoverable(&self, ids: Vec<PrivateId>) -> BoxFuture<'_, Result<(), StoreError>> {
        let mut map = self.0.lock().unwrap();
        for id in ids {
            map.remove(&id);
        }
        ready(Ok(())).boxed()
    }
}
