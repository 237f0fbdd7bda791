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
mod confirm;
mod convoy;
mod directory;
mod doorbell;
mod ears;
mod emission;
mod emitter;
mod keys;
mod link;
mod options;
mod reply;
mod restore;
mod scripts;
mod visit;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use redis::{Cmd, Value, cmd};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::limits::Limit;
use crate::poker::event::{Event, Fact};
use crate::poker::ids::{JoinCode, Millis, SessionId};
use crate::poker::session::{Opening, Session};
use crate::store::attempt::{Attempt, Budget, Charge, Charges, Denied, OutOf, Party, Wanted};
use crate::store::codec::{encode_event, encode_session};
use crate::store::contract::{
    CommitError, Entry, Lifetime, Loaded, Missing, Position, Receipt, SessionStore, StoreError,
    Stored, Subscription,
};
use crate::store::directory::RecoveryRecord;
use crate::store::redis::channels::{Channels, Next};
use crate::store::redis::clock::ServerClock;
use crate::store::redis::confirm::{Confirmer, Replication};
use crate::store::redis::convoy::Convoy;
use crate::store::redis::directory::DirectoryScripts;
use crate::store::redis::ears::{Ears, Heard};
use crate::store::redis::keys::Keys;
use crate::store::redis::link::{Call, Link, LinkOptions, Patience};
use crate::store::redis::reply::{
    CommitReply, Head, Missed, attempt_reply, broken, charge_reply, commit_reply, head_reply,
    load_reply, read_reply, tombstone_word,
};
use crate::store::redis::scripts::Scripts;

pub use check::ConnectError;
pub use emission::Emission;
pub use emitter::EmitterListener;
pub use link::{LinkError, UrlError};
pub use options::{Durability, RedisOptions};

/// Entries that one reply may hold; whoever is further behind loads.
const MISSING_MAX: u64 = 1_024;
/// The snapshot may be this many events behind the tail before the next is
/// asked for.
const SNAPSHOT_EVERY: u64 = 256;
/// After asking in vain, how many events later it is asked for again.
const SNAPSHOT_RETRY_EVERY: u64 = 64;
/// Never trimmed, whatever the snapshot covers; nor is what is younger than
/// the replay window.
const EVENTS_KEPT_MIN: u64 = 256;
/// Entries that go with one snapshot, so that no script runs for long.
const TRIMMED_MAX: u64 = 1_024;
/// A join code is kept this much longer than its session's tombstone, so that
/// it is prolonged once in that time and not with every commit.
const CODE_SLACK_MS: u64 = 60 * 60 * 1_000;
/// Between two attempts to connect at the start.
const CONNECT_PAUSE: Duration = Duration::from_millis(200);
/// The end of the year 9999, as far as Redis' times and Lua's numbers go.
const MILLIS_MAX: u64 = 253_402_300_799_000;
const NONCE_BITS: u32 = 48;
/// What the three bytes of a window can count.
const ATTEMPTS_COUNTED_MAX: u32 = (1 << 24) - 1;

/// See the module. Dropping it ends its subscriptions.
pub struct RedisStore {
    inner: Arc<Inner>,
    /// None for a visitor.
    listener: Option<JoinHandle<()>>,
}

struct Inner {
    link: Link,
    keys: Keys,
    scripts: Scripts,
    directory: DirectoryScripts,
    channels: Channels,
    clock: ServerClock,
    ears: Ears,
    /// Where durability is strict.
    confirmer: Option<Confirmer>,
    /// Records of sockets that wait to be written.
    keeping: Convoy<(RecoveryRecord, u64), Result<bool, StoreError>>,
    /// Who asks whether everybody together has attempts left: each stranger
    /// that joins.
    looking: Convoy<Vec<Budget>, Charged>,
    /// This store among those that ring doorbells; never 0.
    origin: u64,
    options: RedisOptions,
}

type Charged = Result<Result<(), OutOf>, StoreError>;

impl RedisStore {
    /// Connects and checks that sessions are safe there.
    pub async fn connect(options: RedisOptions) -> Result<Self, ConnectError> {
        let link = Self::link(&options).await?;
        let replication = Self::replication(&link, &options).await?;
        let (inner, waiting) = Self::inner(link, replication, options);
        doorbell::ask_time(&inner.link, &inner.clock).await?;
        inner.ears.open().await?;
        let listener = tokio::spawn(doorbell::listen(Arc::clone(&inner), waiting));
        Ok(Self { inner, listener: Some(listener) })
    }

    fn inner(
        link: Link,
        replication: Option<Replication>,
        options: RedisOptions,
    ) -> (Arc<Inner>, mpsc::Receiver<Heard>) {
        let clock = ServerClock::new();
        let keys = Keys::new(options.key_prefix.clone());
        let (ears, waiting) = Ears::new(link.clone(), keys.clone());
        let (scripts, origin) = (Scripts::new(), random().max(1));
        let confirmer = replication.map(|replication| {
            info!(redis.replicas = replication.replicas, "redis: what is committed is in replicas");
            let pair = (scripts.touch.clone(), scripts.confirm.clone());
            Confirmer::new(link.clone(), keys.clone(), pair, replication, origin)
        });
        let inner = Arc::new(Inner {
            link,
            keys,
            scripts,
            directory: DirectoryScripts::new(),
            channels: Channels::default(),
            clock,
            ears,
            confirmer,
            keeping: Convoy::default(),
            looking: Convoy::default(),
            origin,
            options,
        });
        (inner, waiting)
    }

    /// A failover may be under way: what is away is given time to come back.
    async fn link(options: &RedisOptions) -> Result<Link, ConnectError> {
        let until = Instant::now() + options.connect_timeout;
        loop {
            match Self::checked_link(options).await {
                Err(
                    ConnectError::Link(LinkError::Unreachable(_)) | ConnectError::Unreachable(_),
                ) if Instant::now() < until => {
                    sleep(CONNECT_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    async fn checked_link(options: &RedisOptions) -> Result<Link, ConnectError> {
        let patience = Patience {
            connect: options.connect_timeout,
            reply: options.command_timeout,
            call: options.command_timeout,
        };
        let link = Self::unchecked_link(options, patience).await?;
        check::check(&link).await?;
        Ok(link)
    }

    async fn unchecked_link(
        options: &RedisOptions,
        patience: Patience,
    ) -> Result<Link, ConnectError> {
        let ca = match &options.tls_ca_file {
            Some(file) => Some(std::fs::read(file).map_err(ConnectError::Certificates)?),
            None => None,
        };
        let link = Link::connect(LinkOptions {
            url: options.url.expose_secret(),
            sentinel_user: options.sentinel_user.as_deref(),
            sentinel_password: options.sentinel_password.as_ref().map(|p| p.expose_secret()),
            ca,
            patience,
        });
        Ok(link.await?)
    }

    /// `None`: durability is fast.
    async fn replication(
        link: &Link,
        options: &RedisOptions,
    ) -> Result<Option<Replication>, StoreError> {
        let is_strict = match options.durability {
            Durability::Fast => false,
            Durability::Strict => true,
            Durability::Auto => link.fails_over().await?,
        };
        // WAIT is given half of the time, so that it is known why there is no
        // answer.
        let limit = options.command_timeout / 2;
        Ok(is_strict.then_some(Replication { replicas: options.wait_replicas, limit }))
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
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
        attempts: Vec<Attempt>,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<Receipt, CommitError>> {
        let charges = Charges::of(&attempts);
        Arc::clone(&self.inner).commit(id, expected, entries, charges, lifetime).boxed()
    }

    fn keep_snapshot(&self, snapshot: Loaded) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.keep_snapshot(snapshot).boxed()
    }

    fn attempt(
        &self,
        id: SessionId,
        attempts: Vec<Attempt>,
    ) -> BoxFuture<'_, Result<Vec<Denied>, StoreError>> {
        self.inner.attempt(id, Charges::of(&attempts)).boxed()
    }

    fn charge(&self, party: Party, budgets: Vec<Budget>) -> BoxFuture<'_, Charged> {
        let is_look = budgets.iter().all(|budget| budget.charge == Charge::Look);
        match party {
            Party::Everybody if is_look => Arc::clone(&self.inner).look(budgets).boxed(),
            party => async move { self.inner.charge(party, &budgets).await }.boxed(),
        }
    }

    fn read_after(
        &self,
        id: SessionId,
        position: Position,
    ) -> BoxFuture<'_, Result<Missing, StoreError>> {
        self.inner.read_after(id, position).boxed()
    }

    fn restore(
        &self,
        replica: Loaded,
        lifetime: Lifetime,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.restore(replica, lifetime).boxed()
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
        let mut create = self.scripts.create.on(&self.keys.of_session(id));
        create.arg(position.epoch).arg(position.nonce);
        create.arg(encode_event(&opened)).arg(encode_session(&session));
        add_lifetime(&mut create, &lifetime);
        create.arg(code.as_str()).arg(millis(code_until));
        let created = self.link.script("create", &create).await;
        match created {
            Ok(Value::Int(1)) => {
                self.confirm(id, position).await?;
                Ok(Loaded { session, position })
            }
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
        let load = self.scripts.load.on(&self.keys.of_session(id));
        let (stored, confirmed) = load_reply(self.link.script("load", &load).await?)?;
        if let Stored::Live(loaded) = &stored
            && confirmed < loaded.position.version
        {
            self.confirm(id, loaded.position).await?;
        }
        Ok(stored)
    }

    /// Returns when a failover loses nothing up to `position`; at once where
    /// durability is not strict.
    async fn confirm(&self, id: SessionId, position: Position) -> Result<(), StoreError> {
        match &self.confirmer {
            Some(confirmer) => confirmer.confirm(id, position).await,
            None => Ok(()),
        }
    }

    async fn confirmed(&self, id: SessionId, missed: Missed) -> Result<Missing, StoreError> {
        if let Some(tail) = missed.unconfirmed() {
            self.confirm(id, tail).await?;
        }
        if let Missing::Entries(entries) = &missed.missing {
            self.channels.remember(id, entries);
        }
        Ok(missed.missing)
    }

    async fn commit(
        self: Arc<Self>,
        id: SessionId,
        expected: Position,
        entries: Arc<[Entry]>,
        charges: Charges,
        lifetime: Lifetime,
    ) -> Result<Receipt, CommitError> {
        let Some(position) = entries.last().map(|entry| entry.position) else {
            return Ok(Receipt::default());
        };
        let mut own = OwnCommit::begin(&self, id);
        match self.append(id, expected, position, &entries, &charges, &lifetime).await? {
            CommitReply::Accepted { snapshot_version, code_to_prolong } => {
                self.confirm(id, position).await?;
                own.accepted = Some((expected, entries));
                drop(own);
                self.prolong(code_to_prolong, &lifetime);
                let snapshot_is_due = snapshot_is_due(expected, position, snapshot_version);
                Ok(Receipt { snapshot_is_due })
            }
            CommitReply::AcceptedBefore => {
                self.confirm(id, position).await?;
                own.accepted = Some((expected, entries));
                Ok(Receipt::default())
            }
            CommitReply::Missed(missed) => {
                Err(CommitError::Conflict(self.confirmed(id, missed).await?))
            }
            CommitReply::Denied(verdicts) => Err(CommitError::Denied(charges.denied(&verdicts))),
            CommitReply::Restoring(_) => {
                Err(StoreError::Unavailable("the session is being put back".to_owned()).into())
            }
            CommitReply::Gone => Err(StoreError::Gone.into()),
        }
    }

    /// Waits while the session is being put back.
    async fn append(
        &self,
        id: SessionId,
        expected: Position,
        position: Position,
        entries: &[Entry],
        charges: &Charges,
        lifetime: &Lifetime,
    ) -> Result<CommitReply, StoreError> {
        let wanted = charges.wanted();
        let until = Instant::now() + restore::BARRIER * 2;
        loop {
            let commit = self.commit_call(id, expected, position, entries, charges, lifetime);
            match commit_reply(self.link.script("commit", &commit).await?, position, &wanted)? {
                CommitReply::Restoring(left_ms) if Instant::now() < until => {
                    // Not all that wait at the same moment.
                    let left = Duration::from_millis(left_ms).min(restore::BARRIER);
                    sleep(left + restore::BARRIER.mul_f64(jitter() / 10.0)).await;
                }
                reply => return Ok(reply),
            }
        }
    }

    fn commit_call(
        &self,
        id: SessionId,
        expected: Position,
        position: Position,
        entries: &[Entry],
        charges: &Charges,
        lifetime: &Lifetime,
    ) -> Call<'_> {
        let mut commit = self.scripts.commit.on(&self.keys.of_session(id));
        commit.arg(expected.epoch).arg(expected.version).arg(expected.nonce);
        commit.arg(position.version).arg(position.nonce);
        add_lifetime(&mut commit, lifetime);
        commit.arg(millis(lifetime.tombstone_until.add_ms(CODE_SLACK_MS)));
        commit.arg(MISSING_MAX).arg(self.keys.channel(id));
        match self.confirmer {
            Some(_) => commit.arg(""),
            None => commit.arg(doorbell::bell(position, self.origin)),
        };
        commit.arg(u8::from(self.link.counts_subscribers() && self.ears.hears(id)));
        add_charges(&mut commit, charges);
        for Entry { position, event } in entries {
            commit.arg(format!("{}-{}", position.version, position.nonce));
            commit.arg(encode_event(event));
        }
        commit
    }

    async fn attempt(&self, id: SessionId, charges: Charges) -> Result<Vec<Denied>, StoreError> {
        let mut attempt = self.scripts.attempt.on(&[self.keys.meta(id)]);
        add_charges(&mut attempt, &charges);
        let reply = self.link.script("attempt", &attempt).await?;
        Ok(charges.denied(&attempt_reply(reply, &charges.wanted())?))
    }

    /// Whether everybody together has attempts left: many ask at once.
    async fn look(self: Arc<Self>, budgets: Vec<Budget>) -> Charged {
        let inner = Arc::clone(&self);
        let looking = move |asked: Vec<Vec<Budget>>| {
            let inner = Arc::clone(&inner);
            async move {
                let mut answers: Vec<(&[Budget], Charged)> = Vec::new();
                for budgets in &asked {
                    if !answers.iter().any(|(known, _)| known == budgets) {
                        answers.push((budgets, inner.charge(Party::Everybody, budgets).await));
                    }
                }
                let answer = |budgets| answers.iter().find(|(known, _)| known == budgets);
                asked.iter().filter_map(answer).map(|(_, answer)| answer.clone()).collect()
            }
        };
        self.looking.travel(budgets, looking).await.unwrap_or_else(|| Err(unanswered("look")))
    }

    async fn charge(&self, party: Party, budgets: &[Budget]) -> Charged {
        let keys = budgets.iter().map(|budget| self.keys.budget(party, budget.what));
        let mut charge = self.scripts.charge.on(&keys.collect::<Vec<_>>());
        for Budget { limit, charge: kind, .. } in budgets {
            add_limit(&mut charge, *limit);
            charge.arg(u8::from(*kind == Charge::Count));
        }
        charge_reply(self.link.script("charge", &charge).await?)
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

    async fn keep_snapshot(&self, snapshot: Loaded) -> Result<(), StoreError> {
        let Loaded { session, position } = snapshot;
        let [meta, log, key, _] = self.keys.of_session(session.id);
        let mut snapshot = self.scripts.snapshot.on(&[meta, log, key]);
        snapshot.arg(position.epoch).arg(position.version).arg(position.nonce);
        snapshot.arg(encode_session(&session));
        let kept_ms = self.options.replay_window.as_millis() as u64;
        snapshot.arg(EVENTS_KEPT_MIN).arg(kept_ms).arg(TRIMMED_MAX);
        self.link.script("snapshot", &snapshot).await.map(drop)
    }

    async fn read_after(&self, id: SessionId, position: Position) -> Result<Missing, StoreError> {
        let mut read = self.scripts.read.on(&[self.keys.meta(id), self.keys.log(id)]);
        read.arg(position.epoch).arg(position.version).arg(position.nonce).arg(MISSING_MAX);
        let missed = read_reply(self.link.script("read", &read).await?, position)?;
        self.confirmed(id, missed).await
    }

    async fn head(&self, id: SessionId) -> Result<Option<Head>, StoreError> {
        head_reply(self.link.command("head", &self.head_command(id)).await?)
    }

    fn head_command(&self, id: SessionId) -> Cmd {
        let mut head = cmd("HMGET");
        head.arg(self.keys.meta(id)).arg(&["epoch", "version", "nonce", "confirmed"][..]);
        head
    }

    async fn subscribe(&self, id: SessionId) -> Result<Subscription, StoreError> {
        // No channel for what somebody made up.
        if !self.channels.has(id) && self.head(id).await?.is_none() {
            return Err(StoreError::Gone);
        }
        let (updates, is_known) = self.channels.join(id);
        if !is_known {
            self.ears.subscribe(id).await?;
            let head = self.head(id).await?.ok_or(StoreError::Gone)?;
            self.channels.anchor(id, head.position);
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

    /// What the head check found.
    fn compare(self: &Arc<Self>, id: SessionId, head: Option<Head>) {
        if let Some(told) = self.channels.told(id)
            && is_behind(head, told)
        {
            let inner = Arc::clone(self);
            tokio::spawn(async move { inner.suspect_loss(id, told).await });
            return;
        }
        let Some(Head { position, confirmed }) = head else { return };
        if self.confirmer.is_none() || position.version <= confirmed {
            return self.ring(id, position, 0);
        }
        // Whoever committed it may be gone: it rings when it is confirmed.
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            if inner.confirm(id, position).await.is_ok() {
                inner.ring(id, position, 0);
            }
        });
    }

    /// The log seems to end before `told`. The subscribers may have been told
    /// while the head was on its way: one that is read now is beyond doubt.
    async fn suspect_loss(&self, id: SessionId, told: Position) {
        if let Ok(head) = self.head(id).await
            && is_behind(head, told)
        {
            self.channels.broke(id, head.map(|head| head.position));
        }
    }

    /// Somebody put the session back, as of `position`: subscribers who know
    /// of more hear that something is wrong.
    fn put_back(self: &Arc<Self>, id: SessionId, position: Position) {
        let Some(told) = self.channels.told(id) else { return };
        let is_known = told == position;
        let is_ahead = told.epoch == position.epoch && told.version < position.version;
        if is_ahead {
            self.doubt(id);
        } else if !is_known {
            self.channels.broke(id, Some(position));
        }
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
                    self.channels.broke(id, head.map(|head| head.position));
                }
                Err(StoreError::Gone) => self.channels.broke(id, None),
                // The head check comes back to it.
                Err(_) => {}
            }
            if self.channels.end_read(id) == Next::Nothing {
                return;
            }
        }
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

/// Asked of the instance whose commit passes the mark.
const fn snapshot_is_due(before: Position, now: Position, snapshot_version: u64) -> bool {
    let passes_mark = before.version / SNAPSHOT_RETRY_EVERY != now.version / SNAPSHOT_RETRY_EVERY;
    passes_mark && SNAPSHOT_EVERY <= now.version.saturating_sub(snapshot_version)
}

/// Whether the log that `told` was part of does not reach so far, or is lost.
fn is_behind(head: Option<Head>, told: Position) -> bool {
    head.is_none_or(|Head { position, .. }| {
        position.epoch == told.epoch && position.version < told.version
    })
}

fn add_lifetime(script: &mut Call<'_>, lifetime: &Lifetime) {
    script.arg(millis(lifetime.kept_until));
    script.arg(tombstone_word(lifetime.tombstone));
    script.arg(millis(lifetime.tombstone_until));
}

fn add_charges(script: &mut Call<'_>, charges: &Charges) {
    script.arg(charges.budgets.len());
    for Wanted { attempt, attempts } in &charges.budgets {
        script.arg(Keys::seat_budget(attempt));
        add_limit(script, attempt.limit);
        script.arg(attempts);
    }
}

fn add_limit(script: &mut Call<'_>, limit: Limit) {
    script.arg(limit.attempts_max.min(ATTEMPTS_COUNTED_MAX));
    script.arg(limit.window_ms).arg(limit.grain_ms());
}

fn millis(at: Millis) -> u64 {
    at.0.clamp(1, MILLIS_MAX)
}

/// A call of many together came to nothing.
fn unanswered(name: &str) -> StoreError {
    StoreError::Unavailable(format!("{name}: the call has ended"))
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
