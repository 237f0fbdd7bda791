//! Redis as it is deployed: a primary with replicas under Sentinel, and a
//! cluster; all of it started here, on free ports.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::store::redis_server::{RedisServer, directory};
use crate::support::ports::free_port;

const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a server may be silent until it counts as gone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Patience {
    /// Where servers are killed: as short as a failover may begin.
    Short,
    /// Where nobody is: longer than a busy machine holds anybody up.
    Long,
}

impl Patience {
    const fn sentinel_ms(self) -> u32 {
        match self {
            Self::Short => 500,
            Self::Long => 10_000,
        }
    }

    const fn cluster_ms(self) -> u32 {
        match self {
            Self::Short => 1_000,
            Self::Long => 5_000,
        }
    }
}

/// One primary, two replicas, three sentinels.
pub(super) struct SentinelSite {
    /// The first is the primary, until there was a failover.
    pub(super) servers: Vec<RedisServer>,
    pub(super) sentinels: Vec<RedisServer>,
}

impl SentinelSite {
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<SentinelSite> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Patience::Long))
    }

    pub(super) fn start(patience: Patience) -> Self {
        let primary = Self::server(None);
        let primary_port = primary.port();
        let replicas = (0..2).map(|_| Self::server(Some(primary_port)));
        let mut servers = vec![primary];
        servers.extend(replicas.collect::<Vec<_>>());
        let sentinels = (0..3).map(|_| sentinel(primary_port, patience)).collect();
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

    /// The server that the sentinels name; of those who disagree, the first.
    pub(super) fn primary_port(&self) -> u16 {
        self.opinions().first().copied().unwrap_or_default()
    }

    /// Whether all sentinels name another server than that one. Before, an
    /// empty server that appears there may be taken for the primary.
    pub(super) fn has_left(&self, port: u16) -> bool {
        self.opinions().iter().all(|named| *named != port)
    }

    fn opinions(&self) -> Vec<u16> {
        let opinion = |sentinel: &RedisServer| {
            let (_, port): (String, u16) =
                sentinel.ask_now(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
            port
        };
        self.sentinels.iter().map(opinion).collect()
    }

    pub(super) fn replicas_online(&self) -> usize {
        let port = self.primary_port();
        let primary = self.servers.iter().find(|server| server.port() == port);
        primary.map_or(0, online_replicas)
    }

    /// Waits until both replicas have what is written by now. One that lags is
    /// chosen now and then, with all that only the other one had.
    pub(super) fn wait_for_replicas(&self) {
        let written = self.offsets().0;
        wait_until("replicas that have it all", || {
            self.offsets().1.iter().filter(|offset| written <= **offset).count() == 2
        });
    }

    /// How far the primary has written, and how far each replica has read.
    fn offsets(&self) -> (u64, Vec<u64>) {
        let port = self.primary_port();
        let primary = self.servers.iter().find(|server| server.port() == port).expect("ours");
        let info: String = primary.ask_now(&["INFO", "replication"]);
        let after = |line: &str, name: &str| {
            let rest = line.split_once(name)?.1;
            rest.split([',', '\r']).next()?.parse().ok()
        };
        let written = info.lines().find_map(|line| after(line, "master_repl_offset:"));
        let read = info.lines().filter_map(|line| after(line, "state=online,offset="));
        (written.expect("a primary"), read.collect())
    }

    pub(super) fn is_whole(&self) -> bool {
        let knows_all = |sentinel: &RedisServer| {
            let info: String = sentinel.ask_now(&["INFO", "sentinel"]);
            info.contains("status=ok,") && info.contains("slaves=2,sentinels=3")
        };
        self.sentinels.iter().all(knows_all) && self.replicas_online() == 2
    }
}

fn sentinel(primary_port: u16, patience: Patience) -> RedisServer {
    let port = free_port();
    let file = format!("{}/sentinel-{port}.conf", directory());
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\n\
         sentinel monitor main 127.0.0.1 {primary_port} 2\n\
         sentinel down-after-milliseconds main {}\n\
         sentinel failover-timeout main 3000\n",
        directory(),
        patience.sentinel_ms()
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
        SHARED.get_or_init(|| Self::start(Patience::Long))
    }

    pub(super) fn start(patience: Patience) -> Self {
        const SHARDS: usize = 3;
        let nodes: Vec<(RedisServer, String)> =
            (0..2 * SHARDS).map(|_| Self::node(patience)).collect();
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

    fn node(patience: Patience) -> (RedisServer, String) {
        let (port, bus_port) = (free_port(), free_port().to_string());
        let _ = std::fs::remove_file(format!("{}/nodes-{port}.conf", directory()));
        (Self::node_at(port, &bus_port, patience), bus_port)
    }

    /// One that comes back remembers the others.
    pub(super) fn node_at(port: u16, bus_port: &str, patience: Patience) -> RedisServer {
        let file = format!("nodes-{port}.conf");
        let silence_ms = patience.cluster_ms().to_string();
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
                &silence_ms,
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
