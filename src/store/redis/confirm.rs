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
//! One that is gone is still waited for until it cannot be the one that was
//! promoted: a primary that hung, and comes back, may find another replica
//! that has not heard of it yet. What lies behind `confirmed` may
//! be lost in a failover; a reader that meets it confirms it itself before it
//! is used. If that fails, nothing was seen, and nobody knows whether it will
//! be: the store is unavailable.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use crate::poker::ids::SessionId;
use crate::store::contract::{Position, StoreError};
use crate::store::redis::doorbell::bell;
use crate::store::redis::jitter;
use crate::store::redis::keys::Keys;
use crate::store::redis::link::{Address, Dial, Link, Script, within};

/// Entries that share one WAIT.
const BATCH_MAX: usize = 256;
/// Entries that may wait for it, per node; then those who commit wait.
const WAITING_MAX: usize = 1_024;
/// After so long without work a connection is closed.
const IDLE: Duration = Duration::from_secs(60);
/// When a replica is gone, for so long nothing is confirmed without it: by
/// then Sentinel has told the others whom they follow, if it was promoted.
const GRACE: Duration = Duration::from_secs(3);
/// How often WAIT is asked again because replicas come and go.
const ROUNDS_MAX: u32 = 2;
/// Between two attempts while a node is away, plus up to as much again.
const RETRY_DELAY: Duration = Duration::from_millis(50);
const ATTEMPTS_MAX: u32 = 20;

/// A replica that was silent for longer does not keep up; they say something
/// every second. Nor does one that has more to catch up with: it has just
/// begun to follow.
const LAG_S_MAX: u64 = 2;
const LAG_BYTES_MAX: u64 = 16_777_216;

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
    /// They were as many the time before.
    is_stable: bool,
}

/// How many replicas are waited for. It rises at once, and falls after a
/// while; it outlives the connections to the server.
#[derive(Default)]
struct Bar {
    replicas: u32,
    /// Since when fewer keep up.
    missed_since: Option<Instant>,
}

impl Bar {
    fn wanted(&mut self, keep_up: u32, now: Instant) -> u32 {
        let is_over = self.missed_since.is_some_and(|since| since + GRACE <= now);
        if self.replicas <= keep_up || is_over {
            *self = Self { replicas: keep_up, missed_since: None };
        } else {
            self.missed_since.get_or_insert(now);
        }
        self.replicas
    }
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
        let mut bar = Bar::default();
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
            line = self.serve_batch(&address, line.take(), &mut bar, batch).await;
        }
    }

    /// Returns the line while it is of use.
    async fn serve_batch(
        &self,
        address: &Address,
        line: Option<Line>,
        bar: &mut Bar,
        batch: Vec<Request>,
    ) -> Option<Line> {
        let asked = match line {
            Some(line) => Ok(line),
            None => self.connect(address).await,
        };
        let asked = match asked {
            Ok(mut line) => {
                let waiting = self.wait(&mut line, bar, &batch).await;
                waiting.map(|outcomes| (line, outcomes))
            }
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
                confirms.cmd("EVALSHA").arg(self.confirm.hash()).arg(1).arg(self.keys.meta(id));
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
            within(limit, "load a script", script.load().exec_async(&mut connection)).await?;
        }
        Ok(Line { connection, keep_up: 0, is_stable: false })
    }

    async fn wait(
        &self,
        line: &mut Line,
        bar: &mut Bar,
        batch: &[Request],
    ) -> Result<Vec<Outcome>, StoreError> {
        let least = self.replication.replicas;
        let mut touches = redis::pipe();
        for Request { id, position, .. } in batch {
            let Position { epoch, version, nonce } = *position;
            touches.cmd("EVALSHA").arg(self.touch.hash()).arg(2);
            touches.arg(self.keys.meta(*id)).arg(self.keys.log(*id));
            touches.arg(epoch).arg(version).arg(nonce);
        }
        let (touched, mut have) = self.round(line, touches).await?;
        // What it was told to wait for has to be what is true: a server that
        // hung, and was replaced meanwhile, still counts those who left it.
        for _ in 0..ROUNDS_MAX {
            if line.is_stable {
                break;
            }
            (_, have) = self.round(line, redis::pipe()).await?;
        }
        let wanted = least.max(bar.wanted(line.keep_up, Instant::now()));
        let is_enough = line.is_stable && wanted <= have;
        // Not a primary any more, a script forgotten, a slot moved: anew.
        let outcome = |reply: Result<Value, RedisError>| match reply {
            Ok(Value::BulkString(word)) if word == b"confirmed" => Ok(Outcome::Confirmed),
            Ok(Value::BulkString(word)) if word == b"lost" => Ok(Outcome::Lost),
            Ok(_) if is_enough => Ok(Outcome::Confirmed),
            Ok(_) => Ok(Outcome::TooFew(have, wanted)),
            Err(error) => Err(StoreError::Unavailable(format!(
                "WAIT: {}",
                error.code().unwrap_or("no answer")
            ))),
        };
        touched.into_iter().map(outcome).collect()
    }

    /// The replies to `pipeline`, and how many replicas have all that was
    /// written: at least as many as kept up the last time, if it does not
    /// take too long.
    async fn round(
        &self,
        line: &mut Line,
        mut pipeline: Pipeline,
    ) -> Result<(Vec<Result<Value, RedisError>>, u32), StoreError> {
        let Replication { replicas: least, limit } = self.replication;
        pipeline.ignore_errors();
        pipeline.cmd("INFO").arg("replication");
        pipeline.cmd("WAIT").arg(least.max(line.keep_up)).arg(limit.as_millis() as u64);
        let asking = pipeline.query_async::<Vec<Result<Value, RedisError>>>(&mut line.connection);
        let mut replies = within(limit * 2, "WAIT", asking).await?;
        let have = replies.pop().map_or(0, count);
        let keep_up = match replies.pop() {
            Some(Ok(info)) => keep_up(&info),
            _ => 0,
        };
        line.is_stable = keep_up == line.keep_up;
        line.keep_up = keep_up;
        Ok((replies, have))
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
    let written = text.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
    let written: u64 = written.and_then(|digits| digits.trim().parse().ok()).unwrap_or_default();
    let keeps_up = |line: &&str| {
        let number = |name| {
            let field = line.split(',').find_map(|field| field.trim().strip_prefix(name));
            field.and_then(|digits| digits.parse::<u64>().ok())
        };
        let is_recent = number("lag=").is_some_and(|lag| lag <= LAG_S_MAX);
        let is_near =
            number("offset=").is_some_and(|offset| written.saturating_sub(offset) <= LAG_BYTES_MAX);
        line.starts_with("slave") && line.contains("state=online") && is_recent && is_near
    };
    text.lines().filter(keeps_up).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_is_gone_is_missed_for_a_while() {
        let mut bar = Bar::default();
        let start = Instant::now();
        assert_eq!(bar.wanted(1, start), 1);
        assert_eq!(bar.wanted(2, start), 2);
        assert_eq!(bar.wanted(1, start + GRACE), 2, "it is missed from now on");
        assert_eq!(bar.wanted(1, start + GRACE * 2 - Duration::from_millis(1)), 2);
        assert_eq!(bar.wanted(1, start + GRACE * 2), 1);
        assert_eq!(bar.wanted(0, start + GRACE * 2), 1);
        assert_eq!(bar.wanted(1, start + GRACE * 9), 1, "it came back");
        assert_eq!(bar.wanted(0, start + GRACE * 9), 1);
    }

    #[test]
    fn a_replica_that_hangs_does_not_keep_up() {
        let info = "# Replication\r\nrole:master\r\nconnected_slaves:5\r\n\
            slave0:ip=127.0.0.1,port=1,state=online,offset=20000007,lag=0\r\n\
            slave1:ip=127.0.0.1,port=2,state=online,offset=19000000,lag=2\r\n\
            slave2:ip=127.0.0.1,port=3,state=online,offset=20000003,lag=3\r\n\
            slave3:ip=127.0.0.1,port=4,state=wait_bgsave,offset=20000007,lag=0\r\n\
            slave4:ip=127.0.0.1,port=5,state=online,offset=7,lag=0\r\n\
            master_repl_offset:20000007\r\n";
        assert_eq!(keep_up(&Value::BulkString(info.into())), 2);
        assert_eq!(keep_up(&Value::Nil), 0);
    }
}
