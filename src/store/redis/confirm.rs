//! Strict durability: nothing is seen before the replicas have it.
//!
//! ```text
//! commit script          appends, and does not ring
//! touch, touch, …, WAIT  on a connection of its own: many share one WAIT
//! confirm, confirm, …    `confirmed` moves forward in the hash, and it rings
//! ```
//!
//! WAIT waits for what was written on its own connection, and so for all that
//! the server wrote before: hence the touch. It is told to wait for every
//! replica that keeps up, and for `wait_replicas` at least: Sentinel chooses
//! the next primary by what it last heard of the replicas, which may be
//! seconds ago, so that one replica alone proves nothing where there are two.
//! One that hangs is left out as soon as it is known to hang. What lies behind `confirmed` may
//! be lost in a failover; a reader that meets it confirms it itself before it
//! is used. If that fails, nothing was seen, and nobody knows whether it will
//! be: the store is unavailable.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script, Value, cmd};
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

/// A replica that was silent for longer does not keep up; they say something
/// every second.
const LAG_S_MAX: u32 = 2;

/// How many replicas have to have what is committed at the least, and how long
/// is waited.
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

/// A connection of its own, on which WAIT may block.
struct Line {
    connection: MultiplexedConnection,
    /// Replicas that kept up when it was last asked.
    keep_up: u32,
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
    /// So many replicas have it, of so many that should; or WAIT did not
    /// answer.
    TooFew(u32, u32),
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
                Outcome::TooFew(have, wanted) => {
                    let too_few = format!("WAIT: {have} of {wanted} replicas have it");
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
        let mut line = None;
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
            line = self.serve_batch(&address, line.take(), batch).await;
        }
    }

    /// Returns the line while it is of use.
    async fn serve_batch(
        &self,
        address: &Address,
        line: Option<Line>,
        batch: Vec<Request>,
    ) -> Option<Line> {
        let asked = match line {
            Some(line) => Ok(line),
            None => self.connect(address).await,
        };
        let asked = match asked {
            Ok(mut line) => self.wait(&mut line, &batch).await.map(|outcomes| (line, outcomes)),
            Err(error) => Err(error),
        };
        let (mut line, outcomes) = match asked {
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
            return Some(line);
        }
        let confirming = confirms.query_async::<Vec<Value>>(&mut line.connection);
        match within(self.replication.limit, "confirm", confirming).await {
            Ok(_) => Some(line),
            Err(error) => {
                // Whoever reads it next confirms it.
                debug!(%error, "redis: not said that the replicas have it");
                None
            }
        }
    }

    async fn connect(&self, address: &Address) -> Result<Line, StoreError> {
        let limit = self.replication.limit * 2;
        let mut connection = self.dial.connect(address, limit).await?;
        for script in [&self.touch, &self.confirm] {
            within(limit, "load a script", script.load_async(&mut connection)).await?;
        }
        Ok(Line { connection, keep_up: 0 })
    }

    async fn wait(&self, line: &mut Line, batch: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.ignore_errors();
        for Request { id, position, .. } in batch {
            let Position { epoch, version, nonce } = *position;
            pipeline.cmd("EVALSHA").arg(self.touch.get_hash()).arg(2);
            pipeline.arg(self.keys.meta(*id)).arg(self.keys.log(*id));
            pipeline.arg(epoch).arg(version).arg(nonce);
        }
        let Replication { replicas: least, limit } = self.replication;
        let limit_ms = limit.as_millis() as u64;
        pipeline.cmd("INFO").arg("replication");
        // As many as kept up the last time: that rarely changes.
        let expected = least.max(line.keep_up);
        pipeline.cmd("WAIT").arg(expected).arg(limit_ms);
        let asking = pipeline.query_async::<Vec<Result<Value, RedisError>>>(&mut line.connection);
        let mut replies = within(limit * 2, "WAIT", asking).await?;
        let mut have = replies.pop().map_or(0, count);
        line.keep_up = match replies.pop() {
            Some(Ok(info)) => keep_up(&info),
            _ => 0,
        };
        let wanted = least.max(line.keep_up);
        if expected < wanted {
            let mut wait = cmd("WAIT");
            wait.arg(wanted).arg(limit_ms);
            let waiting = wait.query_async::<Value>(&mut line.connection);
            have = count(Ok(within(limit * 2, "WAIT", waiting).await?));
        }
        // Not a primary any more, a script forgotten, a slot moved: anew.
        let outcome = |reply: Result<Value, RedisError>| match reply {
            Ok(Value::BulkString(word)) if word == b"confirmed" => Ok(Outcome::Confirmed),
            Ok(Value::BulkString(word)) if word == b"lost" => Ok(Outcome::Lost),
            Ok(_) if have < wanted => Ok(Outcome::TooFew(have, wanted)),
            Ok(_) => Ok(Outcome::Confirmed),
            Err(error) => Err(StoreError::Unavailable(format!(
                "WAIT: {}",
                error.code().unwrap_or("no answer")
            ))),
        };
        replies.into_iter().map(outcome).collect()
    }
}

fn count(reply: Result<Value, RedisError>) -> u32 {
    match reply {
        Ok(Value::Int(count)) => u32::try_from(count).unwrap_or_default(),
        _ => 0,
    }
}

/// The replicas that keep up, from `INFO replication`: lines such as
/// `slave0:ip=10.0.0.2,port=6379,state=online,offset=1842,lag=0`.
fn keep_up(info: &Value) -> u32 {
    let text = match info {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::VerbatimString { text, .. } => text.clone(),
        _ => return 0,
    };
    let keeps_up = |line: &&str| {
        let lag = line.split(',').find_map(|field| field.trim().strip_prefix("lag="));
        let is_recent =
            lag.and_then(|lag| lag.parse::<u32>().ok()).is_some_and(|lag| lag <= LAG_S_MAX);
        line.starts_with("slave") && line.contains("state=online") && is_recent
    };
    text.lines().filter(keeps_up).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_hangs_does_not_keep_up() {
        let info = "# Replication\r\nrole:master\r\nconnected_slaves:4\r\n\
            slave0:ip=127.0.0.1,port=1,state=online,offset=7,lag=0\r\n\
            slave1:ip=127.0.0.1,port=2,state=online,offset=7,lag=2\r\n\
            slave2:ip=127.0.0.1,port=3,state=online,offset=3,lag=3\r\n\
            slave3:ip=127.0.0.1,port=4,state=wait_bgsave,offset=0,lag=0\r\n";
        assert_eq!(keep_up(&Value::BulkString(info.into())), 2);
        assert_eq!(keep_up(&Value::Nil), 0);
    }
}
