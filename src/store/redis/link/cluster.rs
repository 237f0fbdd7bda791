//! The nodes of a Redis Cluster, and which slots they serve.
//!
//! The map is asked for regularly, and whenever somebody has reason to doubt
//! it. A few nodes are asked at once; those that know of the highest epoch
//! are believed (a node that was cut off has an old map), and among them the
//! map that most of them have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use redis::{RedisError, Value, cmd};
use tokio::time::timeout;
use tracing::info;

use crate::store::contract::StoreError;
use crate::store::redis::link::dial::Dial;
use crate::store::redis::link::endpoint::Address;
use crate::store::redis::link::node::Node;

/// Nodes that are asked for the map at once.
const ASKED_MAX: usize = 5;
const MAP_TIMEOUT: Duration = Duration::from_millis(500);

pub(super) struct Cluster {
    dial: Dial,
    seeds: Vec<Address>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    map: Map,
    nodes: HashMap<Address, Arc<Node>>,
    /// Where the next look begins, so that all nodes are asked in turn.
    turn: usize,
}

/// Who serves which slots.
#[derive(Default, PartialEq, Eq, Clone, Debug)]
struct Map {
    epoch: u64,
    /// In order, without overlaps: first and last slot, and the primary.
    ranges: Vec<(u16, u16, Address)>,
    replicas: Vec<Address>,
}

impl Cluster {
    pub(super) async fn connect(dial: Dial, seeds: Vec<Address>) -> Result<Self, StoreError> {
        let cluster = Self { dial, seeds, state: Mutex::default() };
        cluster.look().await?;
        Ok(cluster)
    }

    /// The node that serves `slot`.
    pub(super) fn owner(&self, slot: u16) -> Result<Arc<Node>, StoreError> {
        let address = self.state().map.owner(slot).cloned();
        let nobody = || StoreError::Unavailable(format!("no node serves slot {slot}"));
        self.node(&address.ok_or_else(nobody)?)
    }

    pub(super) fn primaries(&self) -> Result<Vec<Arc<Node>>, StoreError> {
        let mut addresses: Vec<Address> = Vec::new();
        for (_, _, address) in &self.state().map.ranges {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        addresses.iter().map(|address| self.node(address)).collect()
    }

    pub(super) fn replicas(&self) -> Vec<Address> {
        self.state().map.replicas.clone()
    }

    pub(super) fn node(&self, address: &Address) -> Result<Arc<Node>, StoreError> {
        let mut state = self.state();
        if let Some(node) = state.nodes.get(address) {
            return Ok(Arc::clone(node));
        }
        let node = Arc::new(Node::new(&self.dial, address.clone())?);
        state.nodes.insert(address.clone(), Arc::clone(&node));
        Ok(node)
    }

    /// Asks for the map; whether it is another one than before.
    pub(super) async fn look(&self) -> Result<bool, StoreError> {
        let asked = self.next_asked();
        let maps = join_all(asked.iter().map(|address| self.map_of(address))).await;
        let mut last = StoreError::Unavailable("no node of the cluster answers".to_owned());
        let mut answers: Vec<Map> = Vec::new();
        for map in maps {
            match map {
                Ok(map) => answers.push(map),
                Err(error) => last = error,
            }
        }
        let votes = |map: &Map| answers.iter().filter(|other| other.ranges == map.ranges).count();
        let best = answers.iter().max_by_key(|map| (map.epoch, votes(map)));
        let map = best.cloned().ok_or(last)?;
        let mut state = self.state();
        let is_news = state.map.ranges != map.ranges;
        if map.epoch < state.map.epoch {
            return Ok(false);
        }
        state.nodes.retain(|address, _| map.names(address));
        state.map = map;
        if is_news {
            info!(redis.ranges = state.map.ranges.len(), "redis: the map of the cluster changed");
        }
        Ok(is_news)
    }

    /// A few of the nodes that are known, and of the seeds.
    fn next_asked(&self) -> Vec<Address> {
        let mut state = self.state();
        let mut all: Vec<Address> = Vec::new();
        let primaries = state.map.ranges.iter().map(|(_, _, address)| address);
        for address in primaries.chain(&state.map.replicas).chain(&self.seeds) {
            if !all.contains(address) {
                all.push(address.clone());
            }
        }
        let count = all.len().max(1);
        all.rotate_left(state.turn % count);
        state.turn = state.turn.wrapping_add(ASKED_MAX);
        all.truncate(ASKED_MAX);
        all
    }

    async fn map_of(&self, address: &Address) -> Result<Map, StoreError> {
        let node = self.node(address)?;
        let mut info = cmd("CLUSTER");
        info.arg("INFO");
        let mut slots = cmd("CLUSTER");
        slots.arg("SLOTS");
        let mut pipeline = redis::pipe();
        pipeline.add_command(info).add_command(slots);
        let no_map = || StoreError::Unavailable(format!("{address} has no map of the cluster"));
        let asking = node.send_all(&mut pipeline);
        let replies: Vec<Result<Value, RedisError>> = match timeout(MAP_TIMEOUT, asking).await {
            Ok(Ok(replies)) => replies,
            Ok(Err(error)) => return Err(super::store_error("CLUSTER SLOTS", &error)),
            Err(_) => return Err(no_map()),
        };
        let mut replies = replies.into_iter();
        let (Some(Ok(info)), Some(Ok(slots))) = (replies.next(), replies.next()) else {
            return Err(no_map());
        };
        Map::read(&info, &slots, address).filter(|map| !map.ranges.is_empty()).ok_or_else(no_map)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    fn owner(&self, slot: u16) -> Option<&Address> {
        let after = self.ranges.partition_point(|(first, _, _)| *first <= slot);
        let (_, last, address) = self.ranges.get(after.checked_sub(1)?)?;
        (slot <= *last).then_some(address)
    }

    fn names(&self, address: &Address) -> bool {
        self.ranges.iter().any(|(_, _, primary)| primary == address)
            || self.replicas.contains(address)
    }

    /// The replies to CLUSTER INFO and CLUSTER SLOTS of the node `from`.
    fn read(info: &Value, slots: &Value, from: &Address) -> Option<Self> {
        let info = match info {
            Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Value::VerbatimString { text, .. } => text.clone(),
            _ => return None,
        };
        let epoch = info.lines().find_map(|line| line.strip_prefix("cluster_current_epoch:"));
        let epoch = epoch.and_then(|digits| digits.trim().parse().ok())?;
        let Value::Array(slots) = slots else { return None };
        let mut map = Self { epoch, ..Self::default() };
        for range in slots {
            let Value::Array(range) = range else { return None };
            let [Value::Int(first), Value::Int(last), primary, replicas @ ..] = range.as_slice()
            else {
                return None;
            };
            let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
            map.ranges.push((first, last, node_address(primary, from)?));
            for replica in replicas.iter().filter_map(|replica| node_address(replica, from)) {
                if !map.replicas.contains(&replica) {
                    map.replicas.push(replica);
                }
            }
        }
        map.ranges.sort_unstable_by_key(|(first, _, _)| *first);
        Some(map)
    }
}

/// Host, port, …; without a host it is that of the node that was asked.
fn node_address(node: &Value, from: &Address) -> Option<Address> {
    let Value::Array(node) = node else { return None };
    let [host, Value::Int(port), ..] = node.as_slice() else { return None };
    let host = match host {
        Value::BulkString(bytes) if !bytes.is_empty() && bytes != b"?" => {
            String::from_utf8(bytes.clone()).ok()?
        }
        _ => from.host.clone(),
    };
    Some(Address { host, port: u16::try_from(*port).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: &str, port: i64) -> Value {
        Value::Array(vec![Value::BulkString(host.into()), Value::Int(port)])
    }

    #[test]
    fn reads_who_serves_which_slot() {
        let from = Address { host: "seed".to_owned(), port: 1 };
        let range = |first, last, nodes: Vec<Value>| {
            Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat())
        };
        let slots = Value::Array(vec![
            range(8_192, 16_383, vec![node("b", 7), node("c", 8)]),
            range(0, 8_000, vec![node("", 6)]),
        ]);
        let info = Value::BulkString(b"cluster_state:ok\r\ncluster_current_epoch:9\r\n".to_vec());
        let map = Map::read(&info, &slots, &from).unwrap();
        assert_eq!(map.epoch, 9);
        assert_eq!(map.owner(0).unwrap().to_string(), "seed:6");
        assert_eq!(map.owner(16_383).unwrap().to_string(), "b:7");
        assert_eq!(map.owner(8_100), None, "a slot that nobody serves");
        assert!(map.replicas.iter().any(|replica| replica.to_string() == "c:8"));
        for strange in [Value::Nil, Value::Array(vec![Value::Nil]), range(-1, 70_000, vec![])] {
            assert_eq!(Map::read(&info, &Value::Array(vec![strange]), &from), None);
        }
    }
}
