//! One primary that Sentinel watches over; another one after a failover.
//!
//! Of what the sentinels say, the answer with the highest configuration epoch
//! counts: one that was cut off may still name the last primary. And the new
//! one has to call itself a primary before it is used. A `+switch-master` is
//! listened to, so that a failover is known at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value, cmd};
use tokio::sync::Notify;
use tokio::time::timeout;
use tracing::{debug, info};

use crate::store::contract::StoreError;
use crate::store::redis::link::dial::Dial;
use crate::store::redis::link::endpoint::Address;
use crate::store::redis::link::node::Node;
use crate::store::redis::link::within;

/// How long one sentinel may take: the others are asked at the same time.
const SENTINEL_TIMEOUT: Duration = Duration::from_millis(500);

pub(super) struct Sentinel {
    dial: Dial,
    sentinel_dial: Dial,
    sentinels: Vec<Address>,
    master: String,
    primary: Mutex<Arc<Node>>,
    /// To the sentinels; each is subscribed to what it announces.
    connections: Mutex<HashMap<Address, MultiplexedConnection>>,
    doubts: Arc<Notify>,
}

/// What one sentinel says.
struct Opinion {
    address: Address,
    epoch: u64,
}

impl Sentinel {
    pub(super) async fn connect(
        dial: Dial,
        sentinel_dial: Dial,
        sentinels: Vec<Address>,
        master: String,
        doubts: Arc<Notify>,
    ) -> Result<Self, StoreError> {
        // Never used: the first look replaces it, or fails.
        let nobody = Address { host: String::new(), port: 0 };
        let primary = Mutex::new(Arc::new(Node::new(&dial, nobody)?));
        let connections = Mutex::default();
        let sentinel =
            Self { dial, sentinel_dial, sentinels, master, primary, connections, doubts };
        sentinel.look().await?;
        Ok(sentinel)
    }

    pub(super) fn primary(&self) -> Arc<Node> {
        Arc::clone(&self.primary.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks who the primary is; whether it is another one than before.
    pub(super) async fn look(&self) -> Result<bool, StoreError> {
        let opinion = self.opinion().await?;
        if *self.primary().address() == opinion.address {
            return Ok(false);
        }
        let node = Node::new(&self.dial, opinion.address)?;
        if !node.is_primary().await? {
            return Err(StoreError::Unavailable("the new primary is none yet".to_owned()));
        }
        info!(redis.primary = %node.address(), "redis: Sentinel names the primary");
        *self.primary.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(node);
        Ok(true)
    }

    /// The replicas that the sentinels know.
    pub(super) async fn replicas(&self) -> Result<Vec<Address>, StoreError> {
        let mut question = cmd("SENTINEL");
        question.arg("REPLICAS").arg(&self.master);
        let mut last = unreachable();
        for sentinel in &self.sentinels {
            match self.ask(sentinel, &question).await {
                Ok(Value::Array(replicas)) => {
                    return Ok(replicas.into_iter().filter_map(|r| address(&fields(r))).collect());
                }
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn node(&self, address: Address) -> Result<Node, StoreError> {
        Node::new(&self.dial, address)
    }

    /// The answer of a majority, or of all that answer at all.
    async fn opinion(&self) -> Result<Opinion, StoreError> {
        let majority = self.sentinels.len() / 2 + 1;
        let mut asking: FuturesUnordered<_> =
            self.sentinels.iter().map(|sentinel| self.opinion_of(sentinel)).collect();
        let mut best: Option<Opinion> = None;
        let mut answers = 0;
        let mut last = unreachable();
        while let Some(answer) = asking.next().await {
            match answer {
                Ok(opinion) => {
                    answers += 1;
                    if best.as_ref().is_none_or(|best| best.epoch < opinion.epoch) {
                        best = Some(opinion);
                    }
                    if majority <= answers {
                        break;
                    }
                }
                Err(error) => last = error,
            }
        }
        best.ok_or(last)
    }

    async fn opinion_of(&self, sentinel: &Address) -> Result<Opinion, StoreError> {
        let mut question = cmd("SENTINEL");
        question.arg("MASTER").arg(&self.master);
        let fields = fields(self.ask(sentinel, &question).await?);
        let epoch = fields.get("config-epoch").and_then(|digits| digits.parse().ok());
        let opinion = address(&fields).zip(epoch);
        opinion.map(|(address, epoch)| Opinion { address, epoch }).ok_or_else(|| {
            StoreError::Unavailable(format!("{sentinel} is no sentinel that knows the primary"))
        })
    }

    async fn ask(&self, sentinel: &Address, question: &redis::Cmd) -> Result<Value, StoreError> {
        let result = timeout(SENTINEL_TIMEOUT, async {
            let mut connection = self.connection(sentinel).await?;
            within(SENTINEL_TIMEOUT, "ask a sentinel", question.query_async(&mut connection)).await
        });
        let result = result.await.unwrap_or_else(|_| Err(unreachable()));
        if result.is_err() {
            self.connections().remove(sentinel);
        }
        result
    }

    async fn connection(&self, sentinel: &Address) -> Result<MultiplexedConnection, StoreError> {
        if let Some(connection) = self.connections().get(sentinel) {
            return Ok(connection.clone());
        }
        let doubts = Arc::clone(&self.doubts);
        let pushes = move |push: PushInfo| {
            if matches!(push.kind, PushKind::Message | PushKind::Disconnection) {
                doubts.notify_one();
            }
            Ok(())
        };
        let dialing = self.sentinel_dial.connect_for_pushes(sentinel, SENTINEL_TIMEOUT, pushes);
        let mut connection = dialing.await?;
        let mut subscribe = cmd("SUBSCRIBE");
        subscribe.arg("+switch-master");
        let subscribing = subscribe.query_async::<Value>(&mut connection);
        if let Err(error) = within(SENTINEL_TIMEOUT, "listen to a sentinel", subscribing).await {
            // It is asked regularly anyway.
            debug!(%error, "redis: a sentinel announces nothing");
        }
        self.connections().insert(sentinel.clone(), connection.clone());
        Ok(connection)
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, HashMap<Address, MultiplexedConnection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreachable() -> StoreError {
    StoreError::Unavailable("no sentinel answers".to_owned())
}

/// Names and values, of which RESP3 makes a map and RESP2 a list.
fn fields(reply: Value) -> HashMap<String, String> {
    let pairs: Vec<(Value, Value)> = match reply {
        Value::Map(pairs) => pairs,
        Value::Array(items) => {
            let mut items = items.into_iter();
            std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
        }
        _ => Vec::new(),
    };
    let texts = pairs.into_iter().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
    texts.collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn address(fields: &HashMap<String, String>) -> Option<Address> {
    let host = fields.get("ip").filter(|host| !host.is_empty())?;
    let port = fields.get("port")?.parse().ok()?;
    Some(Address { host: host.clone(), port })
}
