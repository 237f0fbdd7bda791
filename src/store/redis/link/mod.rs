//! The way to Redis, whatever stands behind it: one server, a primary under
//! Sentinel, or a cluster.
//!
//! Every call has a name and a time-out. A call whose connection broke, or
//! that met a server that is not, or no longer, the one to ask, is made again
//! where the answer is to be had, a few times and with jitter: each of them
//! is safe to repeat, a commit because its entries have ids of their own (see
//! `reply::commit_reply`). A reply that is late is not waited for twice.

mod cluster;
mod dial;
mod endpoint;
mod node;
mod script;
mod sentinel;
mod slot;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value, cmd};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use crate::store::contract::StoreError;
use crate::store::redis::jitter;
use crate::store::redis::link::cluster::Cluster;
use crate::store::redis::link::endpoint::{Endpoint, EndpointKind};
use crate::store::redis::link::sentinel::Sentinel;
use crate::store::redis::link::slot::{slot, slot_of_command};

pub use endpoint::UrlError;

pub(crate) use dial::{Dial, Patience};
pub(crate) use endpoint::Address;
pub(crate) use node::Node;
pub(crate) use script::{Call, Script};

/// Attempts at one call; its time-out ends them anyway.
const ATTEMPTS_MAX: u32 = 10;
/// Between two attempts, growing to the second, plus up to as much again.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(20);
const RETRY_DELAY_MAX: Duration = Duration::from_millis(150);
/// Redirections that one attempt follows.
const REDIRECTIONS_MAX: u32 = 4;

/// How often is looked who serves what when nobody has a doubt.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two looks, however many doubts there are; plus up to as much again.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// What of the options is about connections.
pub(super) struct LinkOptions<'a> {
    pub(super) url: &'a str,
    pub(super) sentinel_user: Option<&'a str>,
    pub(super) sentinel_password: Option<&'a str>,
    /// Root certificates in PEM, instead of the system's.
    pub(super) ca: Option<Vec<u8>>,
    pub(super) patience: Patience,
}

/// A clone is the same link.
#[derive(Clone)]
pub(crate) struct Link {
    inner: Arc<Inner>,
    _watcher: Arc<Watcher>,
}

struct Inner {
    dial: Dial,
    topology: Topology,
    /// Somebody met what does not fit the topology as it is known.
    doubts: Arc<Notify>,
    /// Counts the changes of the topology.
    changes: watch::Sender<u64>,
}

enum Topology {
    Single(Arc<Node>),
    Sentinel(Box<Sentinel>),
    Cluster(Box<Cluster>),
}

/// Ends with the last link.
struct Watcher(Option<JoinHandle<()>>);

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("redis.url cannot be read: {0}")]
    Url(#[from] UrlError),
    #[error("the TLS certificates cannot be used: {0}")]
    Tls(#[source] RedisError),
    #[error("{0} is a sentinel: its URL begins with redis+sentinel://")]
    IsSentinel(String),
    #[error("several hosts, or redis+cluster://, but {0} is in no cluster")]
    IsNoCluster(String),
    #[error(transparent)]
    Unreachable(#[from] StoreError),
}

impl Link {
    pub(super) async fn connect(options: LinkOptions<'_>) -> Result<Self, LinkError> {
        let Endpoint { kind, seeds, info } = Endpoint::parse(options.url)?;
        let dial = Dial::new(info, options.ca, options.patience).map_err(LinkError::Tls)?;
        let doubts = Arc::new(Notify::new());
        let topology = match kind {
            EndpointKind::Sentinel { master } => {
                let sentinel_dial =
                    dial.with_login(options.sentinel_user, options.sentinel_password);
                let doubts = Arc::clone(&doubts);
                let dial = dial.clone();
                let sentinel = Sentinel::connect(dial, sentinel_dial, seeds, master, doubts);
                Topology::Sentinel(Box::new(sentinel.await?))
            }
            kind => Self::find_out(&dial, kind, seeds).await?,
        };
        let (changes, _) = watch::channel(0);
        let inner = Arc::new(Inner { dial, topology, doubts, changes });
        let watcher = match inner.topology {
            Topology::Single(_) => None,
            _ => Some(tokio::spawn(Arc::clone(&inner).watch())),
        };
        Ok(Self { inner, _watcher: Arc::new(Watcher(watcher)) })
    }

    /// Asks the first seed that answers what it is.
    async fn find_out(
        dial: &Dial,
        kind: EndpointKind,
        seeds: Vec<Address>,
    ) -> Result<Topology, LinkError> {
        let mut last = StoreError::Unavailable("no host".to_owned());
        for seed in &seeds {
            let node = Node::new(dial, seed.clone())?;
            let mode = match node.ask("INFO", cmd("INFO").arg("server")).await {
                Ok(info) => text_field(&info, "redis_mode").unwrap_or_default(),
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            return match mode.as_str() {
                "cluster" => {
                    let cluster = Cluster::connect(dial.clone(), seeds).await?;
                    Ok(Topology::Cluster(Box::new(cluster)))
                }
                "sentinel" => Err(LinkError::IsSentinel(seed.to_string())),
                _ if kind == EndpointKind::Cluster => Err(LinkError::IsNoCluster(seed.to_string())),
                _ => Ok(Topology::Single(Arc::new(node))),
            };
        }
        Err(last.into())
    }

    /// Runs a script; loads it first where the server does not know it.
    pub(crate) async fn script(
        &self,
        name: &'static str,
        call: &Call<'_>,
    ) -> Result<Value, StoreError> {
        let mut last = None;
        let calling = async {
            let result = self.inner.call(&call.command, &mut last).await;
            let no_script = ErrorKind::Server(ServerErrorKind::NoScript);
            if !matches!(&result, Err(error) if error.kind() == no_script) {
                return result;
            }
            self.inner.call(&call.script.load(), &mut last).await?;
            self.inner.call(&call.command, &mut last).await
        };
        self.inner.within(self.inner.dial.command_timeout(), name, calling).await
    }

    pub(crate) async fn command(
        &self,
        name: &'static str,
        command: &Cmd,
    ) -> Result<Value, StoreError> {
        self.command_within(self.inner.dial.command_timeout(), name, command).await
    }

    pub(crate) async fn command_within(
        &self,
        limit: Duration,
        name: &'static str,
        command: &Cmd,
    ) -> Result<Value, StoreError> {
        let mut last = None;
        let calling = self.inner.call(command, &mut last);
        self.inner.within(limit, name, calling).await
    }

    /// All replies in their order, or the first error.
    pub(crate) async fn pipeline(
        &self,
        name: &'static str,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, StoreError> {
        self.each(name, pipeline).await.into_iter().collect()
    }

    /// The outcome of each command. Those that belong to the same node travel
    /// together, all nodes are asked at once, and one that is away fails only
    /// what belongs to it.
    pub(crate) async fn each(
        &self,
        name: &'static str,
        pipeline: &Pipeline,
    ) -> Vec<Result<Value, StoreError>> {
        let commands: Vec<&Cmd> = pipeline.cmd_iter().collect();
        let limit = self.inner.dial.command_timeout();
        self.inner.each(limit, name, &commands).await
    }

    /// The node that `key` is written to.
    pub(crate) fn owner(&self, key: &str) -> Result<Arc<Node>, StoreError> {
        self.inner.topology.node(Some(slot(key.as_bytes())))
    }

    /// What belongs to keys of many slots, in parts that one script may touch:
    /// in a cluster those of one slot, else any; in each `max` at the most.
    pub(crate) fn parts<T>(
        &self,
        keyed: impl Iterator<Item = (String, T)>,
        max: usize,
    ) -> impl Iterator<Item = Vec<(String, T)>> {
        let mut slots: HashMap<Option<u16>, Vec<Vec<(String, T)>>> = HashMap::new();
        let has_slots = self.has_slots();
        for (key, item) in keyed {
            let parts = slots.entry(has_slots.then(|| slot(key.as_bytes()))).or_default();
            match parts.last_mut().filter(|part| part.len() < max) {
                Some(part) => part.push((key, item)),
                None => parts.push(vec![(key, item)]),
            }
        }
        slots.into_values().flatten()
    }

    /// Whether keys lie on several nodes, each of which may be away by itself.
    pub(crate) fn has_slots(&self) -> bool {
        matches!(self.inner.topology, Topology::Cluster(_))
    }

    /// The nodes that take writes.
    pub(crate) fn primaries(&self) -> Result<Vec<Arc<Node>>, StoreError> {
        match &self.inner.topology {
            Topology::Single(node) => Ok(vec![Arc::clone(node)]),
            Topology::Sentinel(sentinel) => Ok(vec![sentinel.primary()]),
            Topology::Cluster(cluster) => cluster.primaries(),
        }
    }

    /// The nodes that may take over, as far as the topology names them.
    pub(crate) async fn replicas(&self) -> Result<Vec<Arc<Node>>, StoreError> {
        match &self.inner.topology {
            Topology::Single(_) => Ok(Vec::new()),
            Topology::Sentinel(sentinel) => {
                let replicas = sentinel.replicas().await?;
                replicas.into_iter().map(|address| sentinel.node(address).map(Arc::new)).collect()
            }
            Topology::Cluster(cluster) => {
                cluster.replicas().iter().map(|address| cluster.node(address)).collect()
            }
        }
    }

    /// Whether one server sees all who subscribe to a channel. A cluster may
    /// be behind a proxy that subscribes once for many.
    pub(crate) fn counts_subscribers(&self) -> bool {
        !self.has_slots()
    }

    /// Whether a replica may become the primary without being asked.
    pub(crate) async fn fails_over(&self) -> Result<bool, StoreError> {
        match &self.inner.topology {
            Topology::Single(_) => Ok(false),
            Topology::Sentinel(_) => Ok(true),
            Topology::Cluster(_) => Ok(!self.replicas().await?.is_empty()),
        }
    }

    pub(crate) fn dial(&self) -> &Dial {
        &self.inner.dial
    }

    pub(crate) fn command_timeout(&self) -> Duration {
        self.inner.dial.command_timeout()
    }

    /// Hears of every change of the topology.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// Something does not fit: have a look who serves what.
    pub(crate) fn doubt(&self) {
        self.inner.doubts.notify_one();
    }
}

impl Topology {
    fn node(&self, slot: Option<u16>) -> Result<Arc<Node>, StoreError> {
        match self {
            Self::Single(node) => Ok(Arc::clone(node)),
            Self::Sentinel(sentinel) => Ok(sentinel.primary()),
            Self::Cluster(cluster) => match slot {
                Some(slot) => cluster.owner(slot),
                None => {
                    let any = cluster.primaries()?.into_iter().next();
                    any.ok_or_else(|| StoreError::Unavailable("no node".to_owned()))
                }
            },
        }
    }

    /// The node that a MOVED or ASK names.
    fn redirected(&self, error: &RedisError) -> Option<Arc<Node>> {
        let Self::Cluster(cluster) = self else { return None };
        let (address, _) = error.redirect_node()?;
        // Without a host it is the node that was asked: the map will know.
        cluster.node(&Address::parse(address, 0)?).ok()
    }

    async fn look(&self) -> Result<bool, StoreError> {
        match self {
            Self::Single(_) => Ok(false),
            Self::Sentinel(sentinel) => sentinel.look().await,
            Self::Cluster(cluster) => cluster.look().await,
        }
    }
}

impl Inner {
    /// Keeps the topology true; runs until it is aborted.
    async fn watch(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.doubts.notified() => {}
                () = sleep(LOOK_EVERY) => {}
            }
            match self.topology.look().await {
                Ok(true) => self.changes.send_modify(|count| *count += 1),
                Ok(false) => {}
                Err(error) => debug!(%error, "redis: nobody says who serves what"),
            }
            sleep(LOOK_PAUSE + LOOK_PAUSE.mul_f64(jitter())).await;
        }
    }

    /// One command to where its key is; `last` is where it got its answer.
    async fn call(&self, command: &Cmd, last: &mut Option<Arc<Node>>) -> Result<Value, RedisError> {
        let slot = slot_of_command(command);
        let mut attempt = 0;
        loop {
            let node = match (slot, last.as_ref(), self.topology.node(slot)) {
                (None, Some(last), _) => Ok(Arc::clone(last)),
                (_, _, node) => node,
            };
            let result = match node {
                Ok(node) => self.attempt(node, command, last).await,
                Err(error) => Err(no_node(&error)),
            };
            attempt += 1;
            match result {
                Err(error) if self.is_worth_another(&error) && attempt < ATTEMPTS_MAX => {
                    self.pause(attempt).await;
                }
                result => return result,
            }
        }
    }

    /// Follows redirections.
    async fn attempt(
        &self,
        mut node: Arc<Node>,
        command: &Cmd,
        last: &mut Option<Arc<Node>>,
    ) -> Result<Value, RedisError> {
        let mut result = node.send(command).await;
        for _ in 0..REDIRECTIONS_MAX {
            let Err(error) = &result else { break };
            let Some(next) = self.topology.redirected(error) else { break };
            let is_asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
            if !is_asking {
                self.doubts.notify_one();
            }
            node = next;
            result =
                if is_asking { node.send_asking(command).await } else { node.send(command).await };
        }
        *last = Some(node);
        result
    }

    async fn each(
        &self,
        limit: Duration,
        name: &'static str,
        commands: &[&Cmd],
    ) -> Vec<Result<Value, StoreError>> {
        let until = Instant::now() + limit;
        let mut results: Vec<Option<Result<Value, RedisError>>> = vec![None; commands.len()];
        let mut pending: Vec<usize> = (0..commands.len()).collect();
        for attempt in 1..=ATTEMPTS_MAX {
            let calling = self.each_once(commands, &pending);
            let Ok(outcomes) = tokio::time::timeout_at(until, calling).await else {
                self.doubts.notify_one();
                break;
            };
            for (index, outcome) in outcomes {
                if let Some(result) = results.get_mut(index) {
                    *result = Some(outcome);
                }
            }
            pending.retain(|index| {
                let result = results.get(*index).and_then(Option::as_ref);
                matches!(result, Some(Err(error)) if self.is_worth_another(error))
            });
            if pending.is_empty() || until <= Instant::now() {
                break;
            }
            self.pause(attempt).await;
        }
        let outcome = |result: Option<Result<Value, RedisError>>| match result {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(store_error(name, &error)),
            None => Err(late(name, limit)),
        };
        results.into_iter().map(outcome).collect()
    }

    /// Every pending command once, grouped by node.
    async fn each_once(
        &self,
        commands: &[&Cmd],
        pending: &[usize],
    ) -> Vec<(usize, Result<Value, RedisError>)> {
        let mut outcomes = Vec::with_capacity(pending.len());
        let mut groups: HashMap<Address, (Arc<Node>, Vec<usize>)> = HashMap::new();
        for index in pending {
            let Some(command) = commands.get(*index) else { continue };
            match self.topology.node(slot_of_command(command)) {
                Ok(node) => {
                    let group = groups.entry(node.address().clone());
                    group.or_insert_with(|| (node, Vec::new())).1.push(*index);
                }
                Err(error) => outcomes.push((*index, Err(no_node(&error)))),
            }
        }
        let asking = groups.into_values().map(|(node, indices)| async move {
            let mut pipeline = redis::pipe();
            for command in indices.iter().filter_map(|index| commands.get(*index)) {
                pipeline.add_command((*command).clone());
            }
            match node.send_all(&mut pipeline).await {
                Ok(replies) => indices.into_iter().zip(replies).collect::<Vec<_>>(),
                Err(error) => {
                    indices.into_iter().map(|index| (index, Err(error.clone()))).collect()
                }
            }
        });
        for group in join_all(asking).await {
            outcomes.extend(group);
        }
        outcomes
    }

    fn is_worth_another(&self, error: &RedisError) -> bool {
        use ServerErrorKind::{
            Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain,
        };
        let is_worth = match error.kind() {
            ErrorKind::Io => !error.is_timeout(),
            ErrorKind::ClusterConnectionNotFound => true,
            ErrorKind::Server(kind) => matches!(
                kind,
                Ask | BusyLoading | ClusterDown | MasterDown | Moved | ReadOnly | TryAgain
            ),
            _ => false,
        };
        if is_worth || error.is_timeout() {
            self.doubts.notify_one();
        }
        is_worth
    }

    /// Until the next attempt: the first follows at once, the others a little
    /// later, or as soon as somebody else serves.
    async fn pause(&self, attempt: u32) {
        if attempt == 1 && matches!(self.topology, Topology::Single(_)) {
            return;
        }
        let delay = (RETRY_DELAY_MIN * attempt).min(RETRY_DELAY_MAX);
        let mut changes = self.changes.subscribe();
        let delay = delay + delay.mul_f64(jitter());
        let _ = timeout(delay, changes.changed()).await;
    }

    async fn within<T>(
        &self,
        limit: Duration,
        name: &'static str,
        call: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, StoreError> {
        match timeout(limit, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(store_error(name, &error)),
            Err(_) => {
                // A server that is silent may have been replaced.
                self.doubts.notify_one();
                Err(late(name, limit))
            }
        }
    }
}

/// Why no node could be asked, as an error that is worth another attempt.
fn no_node(error: &StoreError) -> RedisError {
    (ErrorKind::ClusterConnectionNotFound, "no node", error.to_string()).into()
}

/// The result of `call`, or why there is none, under its name.
pub(super) async fn within<T>(
    limit: Duration,
    name: &'static str,
    call: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, StoreError> {
    match timeout(limit, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(store_error(name, &error)),
        Err(_) => Err(late(name, limit)),
    }
}

fn late(name: &str, limit: Duration) -> StoreError {
    StoreError::Unavailable(format!("{name}: no reply within {} ms", limit.as_millis()))
}

/// The kind of the error and the server's code; its text might quote what was
/// sent.
pub(super) fn store_error(name: &str, error: &RedisError) -> StoreError {
    match error.code() {
        Some("OOM") => StoreError::Full,
        Some(code) => StoreError::Unavailable(format!("{name}: {code} ({})", error.category())),
        None => StoreError::Unavailable(format!("{name}: {}", error.category())),
    }
}

/// A line `name:value` of an INFO.
pub(super) fn text_field(info: &Value, name: &str) -> Option<String> {
    let text = match info {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::VerbatimString { text, .. } => text.clone(),
        _ => return None,
    };
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
}
