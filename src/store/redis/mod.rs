//! Sessions in Redis: every instance finds them, and they outlive them all.
//!
//! A session is a stream of its events, a snapshot that moves behind the
//! tail, and a hash that says where the tail is ([`keys`]). Each operation is
//! one script, so that it happens whole or not at all; a commit is one round
//! trip. What `commit` has accepted survives as much as the Redis behind it
//! does: its own persistence and replication.

mod channels;
mod check;
mod clock;
mod doorbell;
mod keys;
mod link;
mod options;
mod reply;
mod scripts;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, IntoConnectionInfo, ProtocolVersion, ScriptInvocation, Value, cmd};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::warn;

use crate::poker::event::{Event, Fact};
use crate::poker::ids::{JoinCode, Millis, SessionId};
use crate::poker::session::{Opening, Session};
use crate::store::codec::{encode_event, encode_session};
use crate::store::contract::{
    CommitError, Entry, Lifetime, Loaded, Missing, Position, SessionStore, StoreError, Stored,
    Subscription,
};
use crate::store::redis::channels::{Channels, Next};
use crate::store::redis::clock::ServerClock;
use crate::store::redis::keys::Keys;
use crate::store::redis::link::Link;
use crate::store::redis::reply::{
    CommitReply, broken, commit_reply, head_reply, load_reply, read_reply, tombstone_word,
};
use crate::store::redis::scripts::Scripts;

pub use check::ConnectError;
pub use options::RedisOptions;

/// Entries that one reply may hold; whoever is further behind loads.
const MISSING_MAX: u64 = 1_024;
/// The snapshot may be this many events behind the tail before it is moved.
const SNAPSHOT_EVERY: u64 = 256;
/// After a snapshot failed, how many events later it is tried again.
const SNAPSHOT_RETRY_EVERY: u64 = 64;
/// Never trimmed, whatever the snapshot covers; nor is what is younger than
/// the replay window.
const EVENTS_KEPT_MIN: u64 = 256;
/// Entries that go with one snapshot, so that no script runs for long.
const TRIMMED_MAX: u64 = 1_024;
/// A join code is kept this much longer than its session's tombstone, so that
/// it is prolonged once in that time and not with every commit.
const CODE_SLACK_MS: u64 = 60 * 60 * 1_000;
/// The end of the year 9999, as far as Redis' times and Lua's numbers go.
const MILLIS_MAX: u64 = 253_402_300_799_000;
const NONCE_BITS: u32 = 48;

/// See the module. Dropping it ends its subscriptions.
pub struct RedisStore {
    inner: Arc<Inner>,
    listener: JoinHandle<()>,
}

struct Inner {
    link: Link,
    keys: Keys,
    scripts: Scripts,
    channels: Channels,
    clock: ServerClock,
    pubsub: Mutex<Option<MultiplexedConnection>>,
    /// This store among those that ring doorbells; never 0.
    origin: u64,
    options: RedisOptions,
}

impl RedisStore {
    /// Connects and checks that sessions are safe there.
    pub async fn connect(options: RedisOptions) -> Result<Self, ConnectError> {
        let url = options.url.expose_secret();
        let info = url.into_connection_info().map_err(ConnectError::Url)?;
        let for_pubsub = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let for_pubsub = info.clone().set_redis_settings(for_pubsub);
        let client = Client::open(info).map_err(ConnectError::Url)?;
        let pubsub_client = Client::open(for_pubsub).map_err(ConnectError::Url)?;

        let link = Link::connect(client, options.connect_timeout, options.command_timeout).await?;
        check::check(&link).await?;
        let clock = ServerClock::new();
        let asked = Instant::now();
        let time = link.command("TIME", &cmd("TIME")).await?;
        let time = doorbell::time(&time).ok_or_else(|| broken("no time"))?;
        clock.hear(time, asked.elapsed());

        let inner = Arc::new(Inner {
            link,
            keys: Keys::new(options.key_prefix.clone()),
            scripts: Scripts::new(),
            channels: Channels::default(),
            clock,
            pubsub: Mutex::new(None),
            origin: random().max(1),
            options,
        });
        let (ready, is_ready) = oneshot::channel();
        let listener = tokio::spawn(doorbell::listen(Arc::clone(&inner), pubsub_client, ready));
        let store = Self { inner, listener };
        is_ready
            .await
            .map_err(|_| StoreError::Unavailable("pub/sub: not started".to_owned()))??;
        Ok(store)
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl SessionStore for RedisStore {
    fn now(&self) -> Millis {
        self.inner.clock.now()
    }

    fn create(
        &self,
        opening: Opening,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        self.inner.create(opening, lifetime).boxed()
    }

    fn resolve(&self, code: JoinCode) -> BoxFuture<'_, Result<Option<SessionId>, StoreError>> {
        self.inner.resolve(code).boxed()
    }

    fn load(&self, id: SessionId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        self.inner.load(id).boxed()
    }

    fn commit(
        &self,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<(), CommitError>> {
        Arc::clone(&self.inner).commit(id, expected, entries, lifetime).boxed()
    }

    fn read_after(
        &self,
        id: SessionId,
        position: Position,
    ) -> BoxFuture<'_, Result<Missing, StoreError>> {
        self.inner.read_after(id, position).boxed()
    }

    fn subscribe(&self, id: SessionId) -> BoxFuture<'_, Result<Subscription, StoreError>> {
        self.inner.subscribe(id).boxed()
    }

    fn whisper(&self, id: SessionId, event: Event) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.whisper(id, event).boxed()
    }

    fn is_ready(&self) -> BoxFuture<'_, bool> {
        let inner = &self.inner;
        async move {
            let limit = inner.options.ready_timeout;
            inner.link.command_within(limit, "PING", &cmd("PING")).await.is_ok()
        }
        .boxed()
    }
}

impl Inner {
    async fn create(&self, opening: Opening, lifetime: Lifetime) -> Result<Loaded, StoreError> {
        let now = self.clock.now();
        let session = Session::open(&opening, now);
        let (id, code) = (opening.id, opening.code);
        let position = Position { epoch: random(), version: 1, nonce: random() };
        let opened = Event {
            at: now,
            seq: session.seq,
            by: None,
            request: None,
            fact: Fact::Opened(Box::new(opening)),
        };

        // The code first, in a slot of its own: what nobody can find by it is
        // never created.
        let code_until = lifetime.tombstone_until.add_ms(CODE_SLACK_MS);
        let mut take_code = cmd("SET");
        take_code.arg(self.keys.code_of(code)).arg(id.as_str());
        take_code.arg("NX").arg("PXAT").arg(millis(code_until));
        if self.link.command("take the join code", &take_code).await? == Value::Nil {
            return Err(StoreError::Exists);
        }
        let mut create = self.scripts.create.prepare_invoke();
        create.key(&self.keys.of_session(id)[..]);
        create.arg(position.epoch).arg(position.nonce);
        create.arg(encode_event(&opened)).arg(encode_session(&session));
        add_lifetime(&mut create, &lifetime);
        create.arg(code.as_str()).arg(millis(code_until));
        let created = self.link.script("create", &create).await;
        match created {
            Ok(Value::Int(1)) => Ok(Loaded { session, position }),
            // Somebody else's session has the id: the code is free again. Where
            // the outcome is unknown, the code goes when its time is over.
            Ok(_) => {
                let mut free_code = cmd("DEL");
                free_code.arg(self.keys.code_of(code));
                self.link.command("free the join code", &free_code).await?;
                Err(StoreError::Exists)
            }
            Err(error) => Err(error),
        }
    }

    async fn resolve(&self, code: JoinCode) -> Result<Option<SessionId>, StoreError> {
        let found = self.link.command("resolve", cmd("GET").arg(self.keys.code_of(code))).await?;
        let Value::BulkString(id) = found else { return Ok(None) };
        let id = str::from_utf8(&id).ok().and_then(|id| id.parse().ok());
        let id: SessionId = id.ok_or_else(|| broken("no session id"))?;
        // Codes are kept a little longer than what they stand for.
        let mut exist = cmd("EXISTS");
        exist.arg(self.keys.meta(id)).arg(self.keys.tombstone(id));
        let exist = self.link.command("resolve", &exist).await?;
        Ok((exist != Value::Int(0)).then_some(id))
    }

    async fn load(&self, id: SessionId) -> Result<Stored, StoreError> {
        let mut load = self.scripts.load.prepare_invoke();
        load.key(&self.keys.of_session(id)[..]);
        load_reply(self.link.script("load", &load).await?)
    }

    async fn commit(
        self: Arc<Self>,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        lifetime: Lifetime,
    ) -> Result<(), CommitError> {
        let Some(position) = entries.last().map(|entry| entry.position) else { return Ok(()) };
        let mut own = OwnCommit::begin(&self, id);
        let commit = self.commit_call(id, expected, position, &entries, &lifetime);
        let reply = self.link.script("commit", &commit).await?;
        match commit_reply(reply, position)? {
            CommitReply::Accepted { snapshot_version, code_to_prolong } => {
                own.accepted = Some((expected, entries));
                drop(own);
                self.prolong(code_to_prolong, &lifetime);
                self.move_snapshot_if_due(id, expected, position, snapshot_version);
                Ok(())
            }
            CommitReply::AcceptedBefore => {
                own.accepted = Some((expected, entries));
                Ok(())
            }
            CommitReply::Missed(missing) => Err(CommitError::Conflict(missing)),
            CommitReply::Gone => Err(StoreError::Gone.into()),
        }
    }

    fn commit_call(
        &self,
        id: SessionId,
        expected: Position,
        position: Position,
        entries: &[Entry],
        lifetime: &Lifetime,
    ) -> ScriptInvocation<'_> {
        let mut commit = self.scripts.commit.prepare_invoke();
        commit.key(&self.keys.of_session(id)[..]);
        commit.arg(expected.epoch).arg(expected.version).arg(expected.nonce);
        commit.arg(position.version).arg(position.nonce);
        add_lifetime(&mut commit, lifetime);
        commit.arg(millis(lifetime.tombstone_until.add_ms(CODE_SLACK_MS)));
        commit.arg(MISSING_MAX).arg(self.keys.channel(id));
        commit.arg(doorbell::bell(position, self.origin));
        for Entry { position, event } in entries {
            commit.arg(format!("{}-{}", position.version, position.nonce));
            commit.arg(encode_event(event));
        }
        commit
    }

    /// In the background: if it fails, the code still outlives the session by
    /// the time of its tombstone, and the next commit after that asks again.
    fn prolong(self: &Arc<Self>, code: Option<String>, lifetime: &Lifetime) {
        let Some(code) = code else { return };
        let until = millis(lifetime.tombstone_until.add_ms(CODE_SLACK_MS));
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            let mut prolong = cmd("PEXPIREAT");
            prolong.arg(inner.keys.code(&code)).arg(until);
            if let Err(error) = inner.link.command("prolong the join code", &prolong).await {
                warn!(%error, "a join code was not prolonged");
            }
        });
    }

    /// In the background, by the instance whose commit passes the mark.
    fn move_snapshot_if_due(
        self: &Arc<Self>,
        id: SessionId,
        before: Position,
        now: Position,
        snapshot_version: u64,
    ) {
        let is_due = SNAPSHOT_EVERY <= now.version.saturating_sub(snapshot_version);
        let passes_mark =
            before.version / SNAPSHOT_RETRY_EVERY != now.version / SNAPSHOT_RETRY_EVERY;
        if !is_due || !passes_mark {
            return;
        }
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = inner.move_snapshot(id).await {
                warn!(session.id = %id, %error, "the snapshot stays behind");
            }
        });
    }

    async fn move_snapshot(&self, id: SessionId) -> Result<(), StoreError> {
        let Stored::Live(loaded) = self.load(id).await? else { return Ok(()) };
        let Loaded { session, position } = *loaded;
        let mut snapshot = self.scripts.snapshot.prepare_invoke();
        let [meta, log, key, _] = self.keys.of_session(id);
        snapshot.key(meta).key(log).key(key);
        snapshot.arg(position.epoch).arg(position.version).arg(position.nonce);
        snapshot.arg(encode_session(&session));
        let kept_ms = self.options.replay_window.as_millis() as u64;
        snapshot.arg(EVENTS_KEPT_MIN).arg(kept_ms).arg(TRIMMED_MAX);
        self.link.script("snapshot", &snapshot).await.map(drop)
    }

    async fn read_after(&self, id: SessionId, position: Position) -> Result<Missing, StoreError> {
        let mut read = self.scripts.read.prepare_invoke();
        read.key(self.keys.meta(id)).key(self.keys.log(id));
        read.arg(position.epoch).arg(position.version).arg(position.nonce).arg(MISSING_MAX);
        read_reply(self.link.script("read", &read).await?, position)
    }

    async fn head(&self, id: SessionId) -> Result<Option<Position>, StoreError> {
        head_reply(self.link.command("head", &self.head_command(id)).await?)
    }

    fn head_command(&self, id: SessionId) -> Cmd {
        let mut head = cmd("HMGET");
        head.arg(self.keys.meta(id)).arg(&["epoch", "version", "nonce"][..]);
        head
    }

    async fn subscribe(&self, id: SessionId) -> Result<Subscription, StoreError> {
        // No channel for what somebody made up.
        if !self.channels.has(id) && self.head(id).await?.is_none() {
            return Err(StoreError::Gone);
        }
        let (updates, is_known) = self.channels.join(id);
        if !is_known {
            let connection = self
                .pubsub()
                .ok_or_else(|| StoreError::Unavailable("pub/sub: not connected".to_owned()))?;
            doorbell::subscribe(self, &connection, id).await?;
            let head = self.head(id).await?.ok_or(StoreError::Gone)?;
            self.channels.anchor(id, head);
        }
        Ok(Subscription::new(updates))
    }

    async fn whisper(&self, id: SessionId, event: Event) -> Result<(), StoreError> {
        let mut publish = cmd("SPUBLISH");
        publish.arg(self.keys.channel(id)).arg(doorbell::whisper(&event));
        self.link.command("whisper", &publish).await.map(drop)
    }

    /// A log reaches up to `position`; `origin` brought it there.
    fn ring(self: &Arc<Self>, id: SessionId, position: Position, origin: u64) {
        let next = self.channels.ring(id, position, origin == self.origin);
        self.read_if(id, next);
    }

    fn doubt(self: &Arc<Self>, id: SessionId) {
        self.read_if(id, self.channels.doubt(id));
    }

    fn read_if(self: &Arc<Self>, id: SessionId, next: Next) {
        // A commit may be dropped with its runtime: then nobody listens either.
        if next == Next::Read
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(Arc::clone(self).catch_up(id));
        }
    }

    /// Tells the subscribers here what lies behind the last they were told.
    async fn catch_up(self: Arc<Self>, id: SessionId) {
        loop {
            let Some(told) = self.channels.begin_read(id) else { return };
            match self.read_after(id, told).await {
                Ok(Missing::Entries(entries)) => self.channels.heard(id, told, entries),
                Ok(Missing::Unreachable) => {
                    let head = self.head(id).await.ok().flatten();
                    self.channels.broke(id, head);
                }
                // The head check comes back to it.
                Err(_) => {}
            }
            if self.channels.end_read(id) == Next::Nothing {
                return;
            }
        }
    }

    fn pubsub(&self) -> Option<MultiplexedConnection> {
        self.pubsub.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_pubsub(&self, connection: Option<MultiplexedConnection>) {
        *self.pubsub.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

/// A commit on its way: ends when it is dropped, also by a caller that stops
/// waiting, after which its doorbell counts like a foreign one.
struct OwnCommit<'a> {
    inner: &'a Arc<Inner>,
    id: SessionId,
    accepted: Option<(Position, Arc<[Entry]>)>,
}

impl<'a> OwnCommit<'a> {
    fn begin(inner: &'a Arc<Inner>, id: SessionId) -> Self {
        inner.channels.begin_commit(id);
        Self { inner, id, accepted: None }
    }
}

impl Drop for OwnCommit<'_> {
    fn drop(&mut self) {
        let next = self.inner.channels.end_commit(self.id, self.accepted.take());
        self.inner.read_if(self.id, next);
    }
}

fn add_lifetime(script: &mut ScriptInvocation<'_>, lifetime: &Lifetime) {
    script.arg(millis(lifetime.kept_until));
    script.arg(tombstone_word(lifetime.tombstone));
    script.arg(millis(lifetime.tombstone_until));
}

fn millis(at: Millis) -> u64 {
    at.0.clamp(1, MILLIS_MAX)
}

/// From 0 to 1.
fn jitter() -> f64 {
    (random() % 1_000) as f64 / 1_000.0
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness, positions are still told apart by their versions.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes) >> (u64::BITS - NONCE_BITS)
}
