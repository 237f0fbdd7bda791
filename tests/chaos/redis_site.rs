//! The Redis of a world: one server, or a primary with two replicas and three
//! sentinels. Every server of the latter is reached by a proxy, by everybody,
//! so that it can be cut off alive.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::fault_proxy::FaultProxy;
use crate::process::Process;
use crate::redis_process::{Persistence, RedisProcess};

pub(crate) struct RedisSite {
    servers: Vec<RedisProcess>,
    /// In front of each server; none where there is only one.
    proxies: Vec<FaultProxy>,
    sentinels: Vec<RedisProcess>,
    primary: usize,
}

const REPLICAS: usize = 2;
const SENTINELS: usize = 3;
const READY_TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

impl RedisSite {
    pub(crate) async fn single(folder: &Path, persistence: Persistence) -> Result<Self, String> {
        let mut server = RedisProcess::server(folder, persistence);
        server.start().await?;
        Ok(Self { servers: vec![server], proxies: Vec::new(), sentinels: Vec::new(), primary: 0 })
    }

    pub(crate) async fn sentinel(folder: &Path, persistence: Persistence) -> Result<Self, String> {
        let mut site =
            Self { servers: Vec::new(), proxies: Vec::new(), sentinels: Vec::new(), primary: 0 };
        for index in 0..=REPLICAS {
            // The proxy has to be there first, and the server's port before it.
            let mut server = RedisProcess::server(folder, persistence);
            let proxy = FaultProxy::start(server.port).await?;
            let port = proxy.port.to_string();
            server.add_arguments(&["--replica-announce-ip", "127.0.0.1"]);
            server.add_arguments(&["--replica-announce-port", &port]);
            server.add_arguments(&["--repl-diskless-sync-delay", "0"]);
            if let Some(primary) = site.proxies.first().filter(|_| 0 < index) {
                server.add_arguments(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]);
            }
            server.start().await?;
            site.servers.push(server);
            site.proxies.push(proxy);
        }
        let primary_port = site.proxies.first().map_or(0, |proxy| proxy.port);
        for _ in 0..SENTINELS {
            let mut sentinel = RedisProcess::sentinel(folder, primary_port)?;
            sentinel.start().await?;
            site.sentinels.push(sentinel);
        }
        site.wait_until_whole().await?;
        Ok(site)
    }

    /// Where the instances find it; `None` where each has a link of its own.
    pub(crate) fn url(&self) -> Option<String> {
        let hosts: Vec<String> =
            self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        (!hosts.is_empty()).then(|| format!("redis+sentinel://{}/main", hosts.join(",")))
    }

    pub(crate) fn port(&self) -> u16 {
        self.servers.first().map_or(0, |server| server.port)
    }

    /// The server that takes writes, as far as we know.
    pub(crate) fn primary(&mut self) -> &mut RedisProcess {
        let primary = self.primary;
        self.servers.get_mut(primary).expect("a primary is one of the servers")
    }

    pub(crate) fn primary_process(&self) -> Option<&Process> {
        self.servers.get(self.primary).and_then(RedisProcess::process)
    }

    pub(crate) fn primary_proxy(&self) -> Option<&FaultProxy> {
        self.proxies.get(self.primary)
    }

    /// Waits until the sentinels name another primary.
    pub(crate) async fn failed_over(&mut self) -> Result<(), String> {
        let before = self.primary;
        let started = Instant::now();
        while self.primary == before {
            if READY_TIMEOUT < started.elapsed() {
                return Err("the sentinels have found no other primary".to_owned());
            }
            sleep(POLL).await;
            self.find_primary().await;
        }
        Ok(())
    }

    async fn find_primary(&mut self) {
        let Some(sentinel) = self.sentinels.first_mut() else { return };
        let asked = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]).await;
        let address: Vec<String> = asked.unwrap_or_default();
        let port = address.get(1).and_then(|port| port.parse().ok());
        let named = self.proxies.iter().position(|proxy| Some(proxy.port) == port);
        self.primary = named.unwrap_or(self.primary);
    }

    /// Everybody who was killed is started, everybody who was paused goes on.
    pub(crate) async fn heal(&mut self) -> Result<(), String> {
        for proxy in &self.proxies {
            proxy.set(crate::fault_proxy::Mode::Pass);
        }
        for server in &mut self.servers {
            match server.process() {
                Some(process) => process.resume(),
                None => server.start().await?,
            }
        }
        Ok(())
    }

    /// Until all know each other, and the replicas follow.
    pub(crate) async fn wait_until_whole(&mut self) -> Result<(), String> {
        let started = Instant::now();
        while !self.is_whole().await {
            if READY_TIMEOUT < started.elapsed() {
                return Err("the sentinels do not agree".to_owned());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn is_whole(&mut self) -> bool {
        if self.sentinels.is_empty() {
            return true;
        }
        self.find_primary().await;
        for sentinel in &mut self.sentinels {
            let info: String = sentinel.ask(&["INFO", "sentinel"]).await.unwrap_or_default();
            if !info.contains("status=ok,") || !info.contains("slaves=2,sentinels=3") {
                return false;
            }
        }
        let info: String = self.primary().ask(&["INFO", "replication"]).await.unwrap_or_default();
        info.contains("role:master") && info.matches("state=online").count() == REPLICAS
    }

    pub(crate) async fn end(&mut self) {
        for process in self.sentinels.iter_mut().chain(&mut self.servers) {
            process.kill().await;
        }
    }
}
