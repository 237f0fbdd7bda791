//! Both stores, with a session to write to.

#[path = "../../tests/store/redis_server.rs"]
mod redis_server;

use std::process::{Command, Stdio};
use std::sync::Arc;

use cardroom::clock::Clock;
use cardroom::limits::Limit;
use cardroom::poker::event::Event;
use cardroom::poker::ids::SessionId;
use cardroom::store::{
    Attempt, Entry, Lifetime, MemoryStore, Missing, Position, SessionStore, Stored, Tombstone,
};

use crate::support::table;
use redis_server::RedisServer;

pub(crate) fn memory() -> Arc<dyn SessionStore> {
    Arc::new(MemoryStore::new(Clock::system(), 1_000))
}

/// On a server of its own, which ends with it; `None`, and a line that says
/// so, on a machine without one.
#[allow(clippy::print_stderr, reason = "the line")]
pub(crate) async fn redis() -> Option<(Arc<dyn SessionStore>, RedisServer)> {
    let mut version = Command::new("redis-server");
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if version.status().is_err() {
        eprintln!("skipped on Redis: no redis-server (scripts/install_redis.sh installs it)");
        return None;
    }
    let server = RedisServer::start();
    let store: Arc<dyn SessionStore> = Arc::new(server.store().await);
    Some((store, server))
}

/// Somebody who writes to one session, as its task does.
pub(crate) struct Writer {
    store: Arc<dyn SessionStore>,
    id: SessionId,
    position: Position,
    lifetime: Lifetime,
    nonce: u64,
}

impl Writer {
    /// Of a new session of this number.
    pub(crate) async fn new(store: &Arc<dyn SessionStore>, number: u8) -> Self {
        let kept_until = store.now().add_ms(3_600_000);
        let lifetime =
            Lifetime { kept_until, tombstone: Tombstone::Expired, tombstone_until: kept_until };
        let created = store.create(table::opening(number, 10), lifetime).await.expect("a session");
        let id = created.session.id;
        Self { store: Arc::clone(store), id, position: created.position, lifetime, nonce: 0 }
    }

    /// One commit of all of `events`, with an attempt for each.
    pub(crate) async fn commit(&mut self, events: &[Event]) {
        self.nonce += 1;
        let entries = Entry::behind(self.position, self.nonce, events.iter().cloned());
        let end = entries.last().expect("an event").position;
        let limit = Limit::per_minute(1_000_000_000);
        let attempt = |event: &Event| Attempt {
            player: event.by.expect("a player"),
            event: "vote:submit",
            limit,
        };
        let attempts = events.iter().map(attempt).collect();
        let committed = self.store.commit(self.id, self.position, entries, attempts, self.lifetime);
        let receipt = committed.await.expect("nobody else writes");
        self.position = end;
        if receipt.snapshot_is_due
            && let Ok(Stored::Live(loaded)) = self.store.load(self.id).await
        {
            self.store.keep_snapshot(*loaded).await.expect("kept");
        }
    }

    /// Behind what was committed last.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    pub(crate) async fn read_after(&self, position: Position) -> Vec<Entry> {
        match self.store.read_after(self.id, position).await {
            Ok(Missing::Entries(entries)) => entries,
            other => panic!("the log does not reach back: {other:?}"),
        }
    }
}
