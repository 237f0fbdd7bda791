//! Redis as it is deployed: a primary with replicas under Sentinel, and a
//! cluster; all of it started here, on free ports.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::store::redis_server::{RedisServer, directory, free_port};

const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// One primary, two replicas, three sentinels.
pub(super) struct SentinelSite {
    /// The first is the primary, until there was a failover.
    pub(super) servers: Vec<RedisServer>,
    pub(super) sentinels: Vec<RedisServer>,
}

impl SentinelSite {
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<SentinelSite> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(super) fn start() -> Self {
        let primary = Self::server(None);
        let primary_port = primary.port();
        let replicas = (0..2).map(|_| Self::server(Some(primary_port)));
        let mut servers = vec![primary];
        servers.extend(replicas.collect::<Vec<_>>());
        let sentinels = (0..3).map(|_| sentinel(primary_port)).collect();
        let site = Self { servers, sentinels };
        wait_until("replicas and sentinels that know each other", || site.is_whole());
        site
    }

    /// A server of this site: a primary, or the replica of one.
    pub(super) fn server(primary: Option<u16>) -> RedisServer {
        Self::server_at(free_port(), primary)
    }

    /// Where the sentinels know one already, as a rule.
    pub(super) fn server_at(own_port: u16, primary: Option<u16>) -> RedisServer {
        let mut arguments =
            vec!["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
        let port = primary.map(|port| port.to_string());
        if let Some(port) = &port {
            arguments.extend(["--replicaof", "127.0.0.1", port]);
        }
        RedisServer::start_with(own_port, &arguments)
    }

    pub(super) fn url(&self) -> String {
        let hosts: Vec<String> = self.sentinels.iter().map(RedisServer::address).collect();
        format!("redis+sentinel://{}/main", hosts.join(","))
    }

    /// The server that the sentinels name.
    pub(super) fn primary_port(&self) -> u16 {
        let (_, port): (String, u16) =
            self.sentinels[0].ask_now(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
        port
    }

    pub(super) fn replicas_online(&self) -> usize {
        let port = self.primary_port();
        let primary = self.servers.iter().find(|server| server.port() == port);
        primary.map_or(0, online_replicas)
    }

    pub(super) fn is_whole(&self) -> bool {
        let knows_all = |sentinel: &RedisServer| {
            let info: String = sentinel.ask_now(&["INFO", "sentinel"]);
            info.contains("status=ok,") && info.contains("slaves=2,sentinels=3")
        };
        self.sentinels.iter().all(knows_all) && self.replicas_online() == 2
    }
}

fn sentinel(primary_port: u16) -> RedisServer {
    let port = free_port();
    let file = format!("{}/sentinel-{port}.conf", directory());
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\n\
         sentinel monitor main 127.0.0.1 {primary_port} 2\n\
         sentinel down-after-milliseconds main 500\n\
         sentinel failover-timeout main 3000\n",
        directory()
    );
    std::fs::write(&file, text).expect("written");
    RedisServer::run(port, &[&file, "--sentinel"])
}

pub(super) fn online_replicas(primary: &RedisServer) -> usize {
    let info: String = primary.ask_now(&["INFO", "replication"]);
    info.matches("state=online").count()
}

/// Three primaries, each with a replica.
pub(super) struct ClusterSite {
    /// First the primaries, then the replicas, in the same order.
    pub(super) servers: Vec<RedisServer>,
}

impl ClusterSite {
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<ClusterSite> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(super) fn start() -> Self {
        const SHARDS: usize = 3;
        let nodes: Vec<(RedisServer, String)> = (0..2 * SHARDS).map(|_| Self::node()).collect();
        for (index, (node, _)) in nodes.iter().enumerate() {
            let epoch = (index + 1).to_string();
            let () = node.ask_now(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
            if index < SHARDS {
                let first = (16_384 * index / SHARDS).to_string();
                let last = (16_384 * (index + 1) / SHARDS - 1).to_string();
                let () = node.ask_now(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            }
            for (other, bus_port) in &nodes[..index] {
                let port = other.port().to_string();
                let () = node.ask_now(&["CLUSTER", "MEET", "127.0.0.1", &port, bus_port]);
            }
        }
        let servers: Vec<RedisServer> = nodes.into_iter().map(|(node, _)| node).collect();
        let site = Self { servers };
        wait_until("nodes that know each other", || {
            site.servers.iter().all(|node| info(node).contains("cluster_known_nodes:6"))
        });
        for (primary, replica) in site.servers.iter().zip(&site.servers[SHARDS..]) {
            let id: String = primary.ask_now(&["CLUSTER", "MYID"]);
            wait_until("a replica", || {
                replica.try_now::<()>(&["CLUSTER", "REPLICATE", &id]).is_ok()
            });
        }
        wait_until("a cluster that serves", || site.is_whole());
        site
    }

    fn node() -> (RedisServer, String) {
        let (port, bus_port) = (free_port(), free_port().to_string());
        let _ = std::fs::remove_file(format!("{}/nodes-{port}.conf", directory()));
        (Self::node_at(port, &bus_port), bus_port)
    }

    /// One that comes back remembers the others.
    pub(super) fn node_at(port: u16, bus_port: &str) -> RedisServer {
        let file = format!("nodes-{port}.conf");
        RedisServer::start_with(
            port,
            &[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                bus_port,
                "--cluster-config-file",
                &file,
                "--cluster-node-timeout",
                "1000",
                "--repl-diskless-sync-delay",
                "0",
            ],
        )
    }

    /// Two seeds: the others are found.
    pub(super) fn url(&self) -> String {
        format!("redis://{},{}", self.servers[0].address(), self.servers[4].address())
    }

    fn is_whole(&self) -> bool {
        let serves = |node: &RedisServer| {
            let slots: redis::Value = node.ask_now(&["CLUSTER", "SLOTS"]);
            let redis::Value::Array(shards) = slots else { return false };
            info(node).contains("cluster_state:ok")
                && shards.len() == 3
                && shards
                    .iter()
                    .all(|shard| matches!(shard, redis::Value::Array(s) if s.len() == 4))
        };
        self.servers.iter().all(serves)
            && self.servers.iter().take(3).all(|primary| online_replicas(primary) == 1)
    }
}

fn info(node: &RedisServer) -> String {
    node.ask_now(&["CLUSTER", "INFO"])
}

#[allow(clippy::disallowed_methods, reason = "other processes change in real time")]
pub(super) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < READY_TIMEOUT, "no {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
