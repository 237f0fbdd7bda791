//! Who is connected where, in Redis. The contract is that of [`Directory`].
//!
//! | key | what |
//! |---|---|
//! | `instances` | sorted set of instance ids by end of lease; the dead stay for an hour |
//! | `instance:<id>` | hash `address`, `task`, `started`, `figures` (JSON), `drain`; lives as long as its lease |
//! | `connection:<socketId>` | string, JSON; means something until its `leaseEnd` |
//! | `session:{S}:connections` | sorted set of `player/socket/instance` by end of lease |
//! | `session:{S}:online` | sorted set of players by the end of their longest lease |
//! | `recovery:<SHA-256 of the pid>` | hash `claims`, `owner`, `record` (JSON) |
//!
//! Everything expires by itself. What shares a slot is written by one script;
//! what lies in many goes as many calls of which few are under way at once.

mod records;
mod scripts;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use redis::{Value, cmd};

use crate::poker::ids::{InstanceId, PlayerId, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::contract::StoreError;
use crate::store::directory::{
    Announced, ConnectionRecord, Directory, INSTANCES_MAX, InstanceRecord, RecoveryRecord,
};
use crate::store::redis::link::Call;
use crate::store::redis::{Inner, RedisStore, unanswered};

pub(super) use scripts::DirectoryScripts;

/// How long a key of connections is kept after its last renewal, at least.
const CONNECTIONS_KEPT_MS: u64 = 3_600_000;
/// Commands in one pipeline.
const COMMANDS_PER_PIPELINE: usize = 500;
/// Sockets of one session in one script, so that none runs for long.
const SOCKETS_PER_SCRIPT: usize = 250;
/// Keys of sockets, each on its own, in one script.
const KEYS_PER_SCRIPT: usize = 50;
/// Scripts of one batch that wait for their replies. Commits stand behind them.
const SCRIPTS_UNDER_WAY_MAX: usize = 16;

impl Directory for RedisStore {
    fn announce(
        &self,
        instance: InstanceRecord,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<Announced, StoreError>> {
        self.inner.announce(instance, lease_ms).boxed()
    }

    fn request_drain(&self, id: InstanceId) -> BoxFuture<'_, Result<bool, StoreError>> {
        async move {
            let inner = &self.inner;
            let request_drain = inner.directory.request_drain.on(&[inner.keys.instance(id)]);
            Ok(inner.link.script("request drain", &request_drain).await? == Value::Int(1))
        }
        .boxed()
    }

    fn retire(&self, id: InstanceId) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let inner = &self.inner;
            let mut retire = cmd("DEL");
            retire.arg(inner.keys.instance(id));
            inner.link.command("retire", &retire).await?;
            let mut unlist = cmd("ZREM");
            unlist.arg(inner.keys.instances()).arg(id.to_string());
            inner.link.command("retire", &unlist).await.map(drop)
        }
        .boxed()
    }

    fn instance(
        &self,
        id: InstanceId,
    ) -> BoxFuture<'_, Result<Option<InstanceRecord>, StoreError>> {
        async move {
            let mut find = cmd("HMGET");
            find.arg(self.inner.keys.instance(id)).arg(records::INSTANCE_FIELDS);
            records::instance(id, &self.inner.link.command("instance", &find).await?)
        }
        .boxed()
    }

    fn instances(&self) -> BoxFuture<'_, Result<Vec<InstanceRecord>, StoreError>> {
        self.inner.instances().boxed()
    }

    fn are_alive(&self, ids: Vec<InstanceId>) -> BoxFuture<'_, Result<Vec<bool>, StoreError>> {
        self.inner.are_alive(ids).boxed()
    }

    fn track(
        &self,
        connections: Vec<ConnectionRecord>,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.track(connections, lease_ms).boxed()
    }

    fn untrack(&self, connections: Vec<ConnectionRecord>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.untrack(connections).boxed()
    }

    fn connection(
        &self,
        socket: SocketId,
    ) -> BoxFuture<'_, Result<Option<ConnectionRecord>, StoreError>> {
        async move {
            let mut find = cmd("GET");
            find.arg(self.inner.keys.connection(socket));
            let found = self.inner.link.command("connection", &find).await?;
            records::connection(&found, self.inner.clock.now())
        }
        .boxed()
    }

    fn session_connections(
        &self,
        session: SessionId,
    ) -> BoxFuture<'_, Result<Vec<SocketId>, StoreError>> {
        self.inner.session_connections(session).boxed()
    }

    fn is_player_online(
        &self,
        session: SessionId,
        player: PlayerId,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        async move {
            let mut find = cmd("ZSCORE");
            find.arg(self.inner.keys.online(session)).arg(player.to_string());
            let score = self.inner.link.command("is online", &find).await?;
            let now = self.inner.clock.now().0 as f64;
            Ok(redis::from_redis_value::<f64>(score).is_ok_and(|lease_end| now < lease_end))
        }
        .boxed()
    }

    fn keep_recoverable(
        &self,
        records: Vec<RecoveryRecord>,
        window_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<PrivateId>, StoreError>> {
        Arc::clone(&self.inner).keep_recoverable(records, window_ms).boxed()
    }

    fn claim(
        &self,
        id: PrivateId,
        by: InstanceId,
    ) -> BoxFuture<'_, Result<Option<RecoveryRecord>, StoreError>> {
        async move {
            let inner = &self.inner;
            let mut claim = inner.directory.claim.on(&[inner.keys.recovery(id)]);
            claim.arg(by.to_string());
            records::recovery(id, &inner.link.script("claim", &claim).await?)
        }
        .boxed()
    }

    fn forget_recoverable(&self, ids: Vec<PrivateId>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.forget_recoverable(ids).boxed()
    }
}

impl Inner {
    async fn announce(
        &self,
        instance: InstanceRecord,
        lease_ms: u64,
    ) -> Result<Announced, StoreError> {
        // First the list, which says nothing by itself: it lies in another slot.
        let mut list = self.directory.list.on(&[self.keys.instances()]);
        list.arg(instance.id.to_string()).arg(lease_ms).arg(lease_ms.max(CONNECTIONS_KEPT_MS));
        self.link.script("announce", &list).await?;
        let figures = records::figures_text(&instance.figures);
        let mut announce = self.directory.announce.on(&[self.keys.instance(instance.id)]);
        announce.arg(instance.address).arg(instance.started.0).arg(lease_ms).arg(figures);
        announce.arg(instance.task.unwrap_or_default());
        records::announced(&self.link.script("announce", &announce).await?)
    }

    async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        let mut find = cmd("ZRANGE");
        find.arg(self.keys.instances());
        find.arg(format!("({}", self.clock.now())).arg("+inf").arg("BYSCORE");
        find.arg("LIMIT").arg(0).arg(INSTANCES_MAX);
        let listed = self.link.command("instances", &find).await?;
        let listed: Vec<String> = redis::from_redis_value(listed).unwrap_or_default();
        let mut ids: Vec<InstanceId> = listed.iter().filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable();
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(COMMANDS_PER_PIPELINE) {
            let mut pipeline = redis::pipe();
            for id in chunk {
                pipeline.cmd("HMGET").arg(self.keys.instance(*id)).arg(records::INSTANCE_FIELDS);
            }
            let replies = self.link.pipeline("instances", &pipeline).await?;
            for (id, reply) in chunk.iter().zip(&replies) {
                // One that retired meanwhile is not there.
                found.extend(records::instance(*id, reply)?);
            }
        }
        Ok(found)
    }

    async fn are_alive(&self, ids: Vec<InstanceId>) -> Result<Vec<bool>, StoreError> {
        let mut alive = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(COMMANDS_PER_PIPELINE) {
            let mut pipeline = redis::pipe();
            for id in chunk {
                pipeline.cmd("EXISTS").arg(self.keys.instance(*id));
            }
            let replies = self.link.pipeline("are alive", &pipeline).await?;
            alive.extend(replies.iter().map(|reply| *reply == Value::Int(1)));
        }
        Ok(alive)
    }

    async fn track(
        &self,
        connections: Vec<ConnectionRecord>,
        lease_ms: u64,
    ) -> Result<(), StoreError> {
        let kept_ms = lease_ms.max(CONNECTIONS_KEPT_MS);
        let scripts = by_session(&connections).map(|(session, part)| {
            let mut track = self.directory.track.on(&self.keys.of_connections(session));
            track.arg(lease_ms).arg(kept_ms);
            add_members(&mut track, part);
            track
        });
        self.scripts_each("track", scripts.collect()).await?;
        let lease_end = self.clock.now().add_ms(lease_ms);
        for chunk in connections.chunks(COMMANDS_PER_PIPELINE) {
            let mut pipeline = redis::pipe();
            for record in chunk {
                let set = pipeline.cmd("SET").arg(self.keys.connection(record.socket));
                set.arg(records::connection_text(record, lease_end)).arg("PX").arg(kept_ms);
            }
            self.link.pipeline("track", &pipeline).await?;
        }
        Ok(())
    }

    async fn untrack(&self, connections: Vec<ConnectionRecord>) -> Result<(), StoreError> {
        let scripts = by_session(&connections).map(|(session, part)| {
            let mut untrack = self.directory.untrack.on(&self.keys.of_connections(session));
            add_members(&mut untrack, part);
            untrack
        });
        self.scripts_each("untrack", scripts.collect()).await?;
        let keys = connections.iter().map(|record| self.keys.connection(record.socket));
        let scripts = self.link.parts(keys.zip(&connections), KEYS_PER_SCRIPT).map(|part| {
            let (keys, records): (Vec<String>, Vec<&ConnectionRecord>) = part.into_iter().unzip();
            let mut drop_connections = self.directory.drop_connections.on(&keys);
            for record in records {
                drop_connections.arg(record.instance.to_string());
            }
            drop_connections
        });
        self.scripts_each("untrack", scripts.collect()).await.map(drop)
    }

    async fn session_connections(&self, session: SessionId) -> Result<Vec<SocketId>, StoreError> {
        let mut find = cmd("ZRANGE");
        find.arg(self.keys.connections(session));
        find.arg(format!("({}", self.clock.now())).arg("+inf").arg("BYSCORE");
        let found = self.link.command("session connections", &find).await?;
        let members: Vec<Value> = redis::from_redis_value(found).unwrap_or_default();
        let mut sockets: Vec<SocketId> =
            members.iter().filter_map(records::socket_of_member).collect();
        // One that came back elsewhere may still be on two instances' lists.
        sockets.sort_unstable();
        sockets.dedup();
        Ok(sockets)
    }

    async fn keep_recoverable(
        self: Arc<Self>,
        records: Vec<RecoveryRecord>,
        window_ms: u64,
    ) -> Result<Vec<PrivateId>, StoreError> {
        let ids: Vec<PrivateId> = records.iter().map(|record| record.id).collect();
        let mut records: Vec<_> = records.into_iter().map(|record| (record, window_ms)).collect();
        let kept = match (records.pop(), records.is_empty()) {
            // In a cluster nobody waits for a node that is not his.
            (Some(one), true) if !self.link.has_slots() => {
                vec![Arc::clone(&self).keep_one(one).await?]
            }
            (last, _) => {
                records.extend(last);
                self.keep(&records).await?
            }
        };
        Ok(ids.into_iter().zip(kept).filter(|(_, is_kept)| !is_kept).map(|(id, _)| id).collect())
    }

    /// A socket that connects, sits down or comes back: many do at once.
    async fn keep_one(self: Arc<Self>, one: (RecoveryRecord, u64)) -> Result<bool, StoreError> {
        let inner = Arc::clone(&self);
        let keep = move |records: Vec<_>| {
            let inner = Arc::clone(&inner);
            async move {
                match inner.keep(&records).await {
                    Ok(kept) => kept.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error); records.len()],
                }
            }
        };
        self.keeping.travel(one, keep).await.unwrap_or_else(|| Err(unanswered("keep recoverable")))
    }

    /// Of each record, with its window in ms, whether it was written.
    async fn keep(&self, records: &[(RecoveryRecord, u64)]) -> Result<Vec<bool>, StoreError> {
        let keys = records.iter().map(|(record, _)| self.keys.recovery(record.id));
        let parts: Vec<_> = self.link.parts(keys.zip(0_usize..), KEYS_PER_SCRIPT).collect();
        let scripts = parts.iter().map(|part| {
            let keys: Vec<&String> = part.iter().map(|(key, _)| key).collect();
            let mut keep = self.directory.keep.on(&keys);
            for (record, window_ms) in part.iter().filter_map(|(_, at)| records.get(*at)) {
                keep.arg(record.claims).arg(record.owner.to_string());
                keep.arg(records::recovery_text(record)).arg(window_ms);
            }
            keep
        });
        let replies = self.scripts_each("keep recoverable", scripts.collect()).await?;
        let mut kept = vec![true; records.len()];
        for (part, reply) in parts.iter().zip(&replies) {
            for (_, at) in records::positions(reply)?.filter_map(|position| part.get(position)) {
                if let Some(is_kept) = kept.get_mut(*at) {
                    *is_kept = false;
                }
            }
        }
        Ok(kept)
    }

    async fn forget_recoverable(&self, ids: Vec<PrivateId>) -> Result<(), StoreError> {
        for chunk in ids.chunks(COMMANDS_PER_PIPELINE) {
            let mut pipeline = redis::pipe();
            for id in chunk {
                pipeline.cmd("DEL").arg(self.keys.recovery(*id));
            }
            self.link.pipeline("forget recoverable", &pipeline).await?;
        }
        Ok(())
    }

    /// The replies in the order of the calls, or the first error.
    async fn scripts_each(
        &self,
        name: &'static str,
        calls: Vec<Call<'_>>,
    ) -> Result<Vec<Value>, StoreError> {
        let calls: Vec<_> = calls
            .into_iter()
            .map(|call| async move { self.link.script(name, &call).await })
            .collect();
        stream::iter(calls).buffered(SCRIPTS_UNDER_WAY_MAX).try_collect().await
    }
}

/// The records of each session, in parts that one script takes.
fn by_session(
    connections: &[ConnectionRecord],
) -> impl Iterator<Item = (SessionId, Vec<&ConnectionRecord>)> {
    let mut sessions: HashMap<SessionId, Vec<&ConnectionRecord>> = HashMap::new();
    for record in connections {
        sessions.entry(record.session).or_default().push(record);
    }
    sessions.into_iter().flat_map(|(session, records)| {
        let parts: Vec<Vec<_>> = records.chunks(SOCKETS_PER_SCRIPT).map(<[_]>::to_vec).collect();
        parts.into_iter().map(move |part| (session, part))
    })
}

fn add_members(script: &mut Call<'_>, connections: Vec<&ConnectionRecord>) {
    for record in connections {
        script.arg(record.player.to_string());
        script.arg(format!("{}/{}", record.socket, record.instance));
    }
}
