//! Strict durability: nothing is seen before the replicas have it.
//!
//! ```text
//! commit script          appends, and does not ring
//! touch, touch, …, WAIT  on a connection of its own: many share one WAIT
//! confirm, confirm, …    `confirmed` moves forward in the hash, and it rings
//! ```
//!
//! WAIT waits for what was written on its own connection, and so for all that
//! the server wrote before: hence the touch. What lies behind `confirmed` may
//! be lost in a failover; a reader that meets it confirms it itself before it
//! is used. If that fails, nothing was seen, and nobody knows whether it will
//! be: the store is unavailable.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::poker::ids::SessionId;
use crate::store::contract::{Position, StoreError};
use crate::store::redis::doorbell::bell;
use crate::store::redis::jitter;
use crate::store::redis::keys::Keys;
use crate::store::redis::link::{Address, Dial, Link, within};

/// Entries that share one WAIT.
const BATCH_MAX: usize = 256;
/// Entries that may wait for it, per node; then those who commit wait.
const WAITING_MAX: usize = 1_024;
/// After so long without work a connection is closed.
const IDLE: Duration = Duration::from_secs(60);
/// Between two attempts while a node is away, plus up to as much again.
const RETRY_DELAY: Duration = Duration::from_millis(50);
const ATTEMPTS_MAX: u32 = 20;

/// How many replicas have to have what is committed, and how long is waited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replication {
    pub(super) replicas: u32,
    pub(super) limit: Duration,
}

pub(super) struct Confirmer {
    link: Link,
    clerk: Clerk,
    queues: Mutex<HashMap<Address, mpsc::Sender<Request>>>,
}

/// What the tasks share.
#[derive(Clone)]
struct Clerk {
    keys: Keys,
    touch: Script,
    confirm: Script,
    replication: Replication,
    origin: u64,
    dial: Dial,
}

struct Request {
    id: SessionId,
    position: Position,
    done: oneshot::Sender<Outcome>,
}

enum Outcome {
    Confirmed,
    /// The entry is not in the log.
    Lost,
    /// As many replicas have it; or WAIT did not answer.
    TooFew(u32),
    /// The node could not be asked: another one may serve now.
    Away(StoreError),
}

impl Confirmer {
    pub(super) fn new(
        link: Link,
        keys: Keys,
        (touch, confirm): (Script, Script),
        replication: Replication,
        origin: u64,
    ) -> Self {
        let dial = link.dial().clone();
        let clerk = Clerk { keys, touch, confirm, replication, origin, dial };
        Self { link, clerk, queues: Mutex::default() }
    }

    /// Returns when the replicas have the log of `id` up to `position`, and
    /// everybody may know.
    pub(super) async fn confirm(
        &self,
        id: SessionId,
        position: Position,
    ) -> Result<(), StoreError> {
        let limit = self.link.command_timeout();
        let late =
            || StoreError::Unavailable(format!("WAIT: no answer in {} ms", limit.as_millis()));
        timeout(limit, self.try_confirm(id, position)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn try_confirm(&self, id: SessionId, position: Position) -> Result<(), StoreError> {
        let mut last = StoreError::Unavailable("WAIT: no node".to_owned());
        for _ in 0..ATTEMPTS_MAX {
            match self.ask(id, position).await {
                Outcome::Confirmed => return Ok(()),
                Outcome::Lost => {
                    let lost = "WAIT: a failover lost it before the replicas had it";
                    return Err(StoreError::Unavailable(lost.to_owned()));
                }
                Outcome::TooFew(replicas) => {
                    let wanted = self.clerk.replication.replicas;
                    let too_few = format!("WAIT: {replicas} of {wanted} replicas have it");
                    return Err(StoreError::Unavailable(too_few));
                }
                Outcome::Away(error) => last = error,
            }
            self.link.doubt();
            sleep(RETRY_DELAY + RETRY_DELAY.mul_f64(jitter())).await;
        }
        Err(last)
    }

    async fn ask(&self, id: SessionId, position: Position) -> Outcome {
        let address = match self.link.owner(&self.clerk.keys.meta(id)) {
            Ok(node) => node.address().clone(),
            Err(error) => return Outcome::Away(error),
        };
        let (done, outcome) = oneshot::channel();
        let queue = self.queue(address);
        let ended = || Outcome::Away(StoreError::Unavailable("WAIT: not asked".to_owned()));
        if queue.send(Request { id, position, done }).await.is_err() {
            return ended();
        }
        outcome.await.unwrap_or_else(|_| ended())
    }

    fn queue(&self, address: Address) -> mpsc::Sender<Request> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|_, queue| !queue.is_closed());
        let queue = queues.entry(address.clone()).or_insert_with(|| {
            let (sender, requests) = mpsc::channel(WAITING_MAX);
            tokio::spawn(self.clerk.clone().serve(address, requests));
            sender
        });
        queue.clone()
    }
}

impl Clerk {
    /// Takes all that wait, confirms them together, and so on.
    async fn serve(self, address: Address, mut requests: mpsc::Receiver<Request>) {
        let mut connection = None;
        while let Ok(Some(first)) = timeout(IDLE, requests.recv()).await {
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(next) = requests.try_recv()
            {
                batch.push(next);
            }
            // Whoever has stopped waiting needs no answer.
            batch.retain(|request| !request.done.is_closed());
            if batch.is_empty() {
                continue;
            }
            connection = self.serve_batch(&address, connection.take(), batch).await;
        }
    }

    /// Returns the connection while it is of use.
    async fn serve_batch(
        &self,
        address: &Address,
        connection: Option<MultiplexedConnection>,
        batch: Vec<Request>,
    ) -> Option<MultiplexedConnection> {
        let asked = match connection {
            Some(connection) => Ok(connection),
            None => self.connect(address).await,
        };
        let asked = match asked {
            Ok(mut connection) => match self.wait(&mut connection, &batch).await {
                Ok(outcomes) => Ok((connection, outcomes)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let (mut connection, outcomes) = match asked {
            Ok(asked) => asked,
            Err(error) => {
                for request in batch {
                    let _ = request.done.send(Outcome::Away(error.clone()));
                }
                return None;
            }
        };
        let mut confirms = redis::pipe();
        for (request, outcome) in batch.into_iter().zip(outcomes) {
            let Request { id, position, done } = request;
            if matches!(outcome, Outcome::Confirmed) {
                let Position { epoch, version, .. } = position;
                confirms.cmd("EVALSHA").arg(self.confirm.get_hash()).arg(1).arg(self.keys.meta(id));
                confirms.arg(epoch).arg(version).arg(self.keys.channel(id));
                confirms.arg(bell(position, self.origin));
            }
            let _ = done.send(outcome);
        }
        if confirms.is_empty() {
            return Some(connection);
        }
        let confirming = confirms.query_async::<Vec<Value>>(&mut connection);
        match within(self.replication.limit, "confirm", confirming).await {
            Ok(_) => Some(connection),
            Err(error) => {
                // Whoever reads it next confirms it.
                debug!(%error, "redis: not said that the replicas have it");
                None
            }
        }
    }

    async fn connect(&self, address: &Address) -> Result<MultiplexedConnection, StoreError> {
        let limit = self.replication.limit * 2;
        let mut connection = self.dial.connect(address, limit).await?;
        for script in [&self.touch, &self.confirm] {
            within(limit, "load a script", script.load_async(&mut connection)).await?;
        }
        Ok(connection)
    }

    async fn wait(
        &self,
        connection: &mut MultiplexedConnection,
        batch: &[Request],
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.ignore_errors();
        for Request { id, position, .. } in batch {
            let Position { epoch, version, nonce } = *position;
            pipeline.cmd("EVALSHA").arg(self.touch.get_hash()).arg(2);
            pipeline.arg(self.keys.meta(*id)).arg(self.keys.log(*id));
            pipeline.arg(epoch).arg(version).arg(nonce);
        }
        let Replication { replicas, limit } = self.replication;
        pipeline.cmd("WAIT").arg(replicas).arg(limit.as_millis() as u64);
        let asking = pipeline.query_async::<Vec<Result<Value, RedisError>>>(connection);
        let mut replies = within(limit * 2, "WAIT", asking).await?;
        let have = match replies.pop() {
            Some(Ok(Value::Int(have))) => u32::try_from(have).unwrap_or_default(),
            _ => 0,
        };
        // Not a primary any more, a script forgotten, a slot moved: anew.
        let outcome = |reply: Result<Value, RedisError>| match reply {
            Ok(Value::BulkString(word)) if word == b"confirmed" => Ok(Outcome::Confirmed),
            Ok(Value::BulkString(word)) if word == b"lost" => Ok(Outcome::Lost),
            Ok(_) if have < replicas => Ok(Outcome::TooFew(have)),
            Ok(_) => Ok(Outcome::Confirmed),
            Err(error) => Err(StoreError::Unavailable(format!(
                "WAIT: {}",
                error.code().unwrap_or("no answer")
            ))),
        };
        replies.into_iter().map(outcome).collect()
    }
}
