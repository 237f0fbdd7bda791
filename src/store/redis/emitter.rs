//! Listens to `@socket.io/redis-emitter`: what other services say to rooms.
//!
//! Pub/sub of the classic kind, which every node of a cluster passes on: one
//! connection is enough. What is published while it is away is lost, as the
//! emitter's own documentation has it. The request channels of the adapter
//! are not listened to: whoever counts their subscribers would wait for
//! answers from us.

use std::time::Duration;

use redis::{PushInfo, PushKind, Value, cmd};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use crate::store::contract::StoreError;
use crate::store::redis::check::ConnectError;
use crate::store::redis::emission::Emission;
use crate::store::redis::link::{Link, within};
use crate::store::redis::{RedisOptions, RedisStore, broken, jitter};

/// Of the emitter's default `key`, namespace `/`.
const CHANNELS: &str = "socket.io#/#*";
/// Messages that may wait; more are lost, and it is said.
const WAITING_MAX: usize = 1_024;
/// Between two attempts to connect, plus up to as much again.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// How often is asked whether the connection lives.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Between two complaints about messages that cannot be read.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// A connection of its own to the same Redis.
pub struct EmitterListener {
    link: Link,
    options: RedisOptions,
}

impl EmitterListener {
    pub async fn connect(options: RedisOptions) -> Result<Self, ConnectError> {
        let link = RedisStore::link(&options).await?;
        Ok(Self { link, options })
    }

    /// Hands over what is heard; runs until it is dropped.
    pub async fn run(self, mut heard: impl FnMut(Emission)) {
        loop {
            let error = self.listen(&mut heard).await;
            warn!(%error, "redis: the emitter is not heard");
            sleep(RECONNECT_DELAY + RECONNECT_DELAY.mul_f64(jitter())).await;
        }
    }

    /// Until the connection ends; returns why.
    async fn listen(&self, heard: &mut impl FnMut(Emission)) -> StoreError {
        let (pushes, mut waiting) = mpsc::channel(WAITING_MAX);
        // One that finds no room is lost; pub/sub promises nothing else.
        let listener = move |push: PushInfo| match pushes.try_send(push) {
            Err(mpsc::error::TrySendError::Closed(_)) => Err(()),
            _ => Ok(()),
        };
        let limit = self.options.command_timeout;
        let node = match self.link.primaries().map(|nodes| nodes.into_iter().next()) {
            Ok(Some(node)) => node,
            Ok(None) => return broken("no node"),
            Err(error) => return error,
        };
        let dialing = self.link.dial().connect_for_pushes(node.address(), limit, listener);
        let mut connection = match dialing.await {
            Ok(connection) => connection,
            Err(error) => {
                self.link.doubt();
                return error;
            }
        };
        let mut subscribe = cmd("PSUBSCRIBE");
        subscribe.arg(CHANNELS);
        let subscribing = subscribe.query_async::<Value>(&mut connection);
        if let Err(error) = within(limit, "listen to the emitter", subscribing).await {
            return error;
        }
        info!("redis: the emitter is listened to");
        let ended = || StoreError::Unavailable("the connection ended".to_owned());
        let mut changes = self.link.changes();
        let mut probes = interval(PROBE_EVERY);
        probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut complaints = Complaints::default();
        loop {
            tokio::select! {
                push = waiting.recv() => match push {
                    Some(PushInfo { kind: PushKind::PMessage, data }) => match read(&data) {
                        Some(Ok(emission)) => heard(emission),
                        Some(Err(error)) => complaints.add(&error),
                        None => {}
                    },
                    Some(PushInfo { kind: PushKind::Disconnection, .. }) | None => return ended(),
                    Some(_) => {}
                },
                _ = probes.tick() => {
                    let ping = cmd("PING");
                    let probing = ping.query_async::<Value>(&mut connection);
                    if let Err(error) = within(limit, "PING", probing).await {
                        return error;
                    }
                }
                Ok(()) = changes.changed() => {
                    return StoreError::Unavailable("another node may serve".to_owned());
                }
            }
        }
    }
}

/// Pattern, channel, payload.
fn read(data: &[Value]) -> Option<Result<Emission, String>> {
    let [_, _, Value::BulkString(payload)] = data else { return None };
    Some(Emission::read(payload).map_err(|error| error.to_string()))
}

/// Not one line for each: whoever sends one such message sends many.
#[derive(Default)]
struct Complaints {
    last: Option<tokio::time::Instant>,
    since: u64,
}

impl Complaints {
    fn add(&mut self, error: &str) {
        self.since += 1;
        if self.last.is_none_or(|last| COMPLAIN_EVERY <= last.elapsed()) {
            warn!(error, messages = self.since, "messages of the emitter are passed over");
            (self.last, self.since) = (Some(tokio::time::Instant::now()), 0);
        }
    }
}
