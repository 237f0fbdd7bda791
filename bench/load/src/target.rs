//! The servers that are measured, each as it would be run.

use std::fmt::Write as _;
use std::io::{self, Error};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::process::Process;

/// What stands in a column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    /// `bench/floor`: the libraries without a game.
    Floor,
    /// cardroom on its embedded store.
    Embedded,
    /// cardroom on Redis.
    Redis,
    /// Two instances of cardroom on one Redis.
    Pair,
    /// `bench/peers/node`: the same contract on socket.io and Redis.
    Node,
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) cardroom: PathBuf,
    pub(crate) settings: PathBuf,
    pub(crate) floor: PathBuf,
    pub(crate) node_peer: PathBuf,
    /// Where the servers' logs go.
    pub(crate) logs: PathBuf,
}

pub(crate) struct Target {
    pub(crate) kind: Kind,
    servers: Vec<Process>,
    redis: Option<(Process, SocketAddr)>,
    pub(crate) addresses: Vec<SocketAddr>,
    /// From the start of the (first) server until it answered.
    pub(crate) start: Duration,
}

static ROOMS: AtomicU64 = AtomicU64::new(0);

/// In front of a reason.
const CLOSED_TOTAL: &str = "cardroom_connections_closed_total{reason=\"";
/// As in `bench/load/cardroom.toml`.
const METRICS_TOKEN: &str = "not-a-secret-for-benches-on-one-machine";

const START_TIMEOUT: Duration = Duration::from_secs(20);

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Embedded => "cardroom",
            Self::Redis => "cardroom + Redis",
            Self::Pair => "2 × cardroom + Redis",
            Self::Node => "socket.io + Redis",
        }
    }

    pub(crate) const fn has_redis(self) -> bool {
        matches!(self, Self::Redis | Self::Pair | Self::Node)
    }

    pub(crate) const fn is_cardroom(self) -> bool {
        matches!(self, Self::Embedded | Self::Redis | Self::Pair)
    }

    const fn instances(self) -> usize {
        if matches!(self, Self::Pair) { 2 } else { 1 }
    }
}

impl Target {
    pub(crate) async fn start(kind: Kind, programs: &Programs) -> io::Result<Self> {
        let log = |name: &str| programs.logs.join(format!("{kind:?}-{name}.log").to_lowercase());
        let redis = if kind.has_redis() { Some(start_redis(&log("redis")).await?) } else { None };
        let (mut servers, mut addresses) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        let mut start = Duration::ZERO;
        for number in 0..kind.instances() {
            let address = free_address()?;
            let redis = redis.as_ref().map(|(_, address)| *address);
            let mut server =
                start_server(kind, programs, address, redis, &log(&number.to_string()))?;
            wait_for(address, &mut server).await?;
            if number == 0 {
                start = begin.elapsed();
            }
            servers.push(server);
            addresses.push(address);
        }
        Ok(Self { kind, servers, redis, addresses, start })
    }

    /// Processor time of all its instances.
    pub(crate) fn cpu(&self) -> Duration {
        self.servers.iter().map(Process::cpu).sum()
    }

    /// How often threads of its instances have gone to sleep.
    pub(crate) fn sleeps(&self) -> u64 {
        self.servers.iter().map(Process::sleeps).sum()
    }

    pub(crate) fn resident(&self) -> u64 {
        self.servers.iter().map(Process::resident).sum()
    }

    pub(crate) fn redis_cpu(&self) -> Duration {
        self.redis.as_ref().map_or(Duration::ZERO, |(redis, _)| redis.cpu())
    }

    /// Memory that its Redis uses for data, in bytes.
    pub(crate) async fn redis_memory(&self) -> u64 {
        self.redis_info("memory", "used_memory:").await
    }

    /// Scripts that its Redis has run: commits, for cardroom.
    pub(crate) async fn redis_scripts(&self) -> u64 {
        self.redis_info("commandstats", "cmdstat_evalsha:calls=").await
    }

    /// Why its connections ended so far, by its own account.
    pub(crate) async fn close_reasons(&self) -> String {
        let mut reasons = String::new();
        for server in self.addresses.iter().filter(|_| self.kind.is_cardroom()) {
            let page = metrics(*server).await.unwrap_or_default();
            let counts = page.lines().filter_map(|line| line.strip_prefix(CLOSED_TOTAL));
            for count in counts.filter(|count| !count.ends_with(" 0")) {
                let count = count.replace("\"} ", ": ");
                let _ = write!(reasons, "; the server's count of {count}");
            }
        }
        reasons
    }

    async fn redis_info(&self, section: &str, field: &str) -> u64 {
        let Some((_, address)) = &self.redis else { return 0 };
        let info = info(*address, section).await.unwrap_or_default();
        let value = info.lines().find_map(|line| line.strip_prefix(field));
        value.map_or(0, |value| crate::wire::number(value.as_bytes()))
    }

    /// Opens sessions for `players` each; their ids.
    pub(crate) async fn open_sessions(
        &self,
        count: usize,
        players: usize,
    ) -> io::Result<Vec<String>> {
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            ids.push(if self.kind.is_cardroom() {
                open_session(self.addresses[0], players).await?
            } else {
                // Any new name is a room to those who have no sessions.
                format!("room-{}", ROOMS.fetch_add(1, Ordering::Relaxed))
            });
        }
        Ok(ids)
    }

    pub(crate) async fn end(self) {
        for server in self.servers {
            server.end().await;
        }
        if let Some((redis, _)) = self.redis {
            redis.end().await;
        }
    }
}

fn start_server(
    kind: Kind,
    programs: &Programs,
    address: SocketAddr,
    redis: Option<SocketAddr>,
    log: &Path,
) -> io::Result<Process> {
    let text = |text: &str| text.to_owned();
    let redis = redis.map(|redis| format!("redis://{redis}"));
    match kind {
        Kind::Floor => {
            let arguments = [text("--listen"), address.to_string()];
            Process::start(&programs.floor, &arguments, &[], log)
        }
        Kind::Node => {
            let script = programs.node_peer.to_string_lossy().into_owned();
            let environment = [
                (text("PORT"), address.port().to_string()),
                (text("REDIS_URL"), redis.unwrap_or_default()),
            ];
            Process::start(Path::new("node"), &[script], &environment, log)
        }
        Kind::Embedded | Kind::Redis | Kind::Pair => {
            let settings = programs.settings.to_string_lossy().into_owned();
            let arguments = [text("--config"), settings, text("--listen"), address.to_string()];
            let environment = redis.map(|redis| (text("CARDROOM_REDIS__URL"), redis));
            Process::start(&programs.cardroom, &arguments, environment.as_slice(), log)
        }
    }
}

/// Without persistence: it is the servers that are compared.
async fn start_redis(log: &Path) -> io::Result<(Process, SocketAddr)> {
    let address = free_address()?;
    let arguments = [
        "--port",
        &address.port().to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--maxmemory-policy",
        "noeviction",
    ];
    let arguments: Vec<String> = arguments.map(str::to_owned).into();
    let mut redis = Process::start(Path::new("redis-server"), &arguments, &[], log)?;
    wait_for(address, &mut redis).await?;
    Ok((redis, address))
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

async fn wait_for(address: SocketAddr, process: &mut Process) -> io::Result<()> {
    let begin = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if process.has_ended() || START_TIMEOUT < begin.elapsed() {
            return Err(Error::other("a server does not start; see its log"));
        }
        sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

async fn open_session(server: SocketAddr, players: usize) -> io::Result<String> {
    // One more for the host's seat, which nobody takes.
    let body = format!("{{\"name\":\"Bench\",\"settings\":{{\"maxPlayers\":{}}}}}", players + 1);
    let head = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let json = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let opened: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    match opened["sessionId"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err(Error::other(format!("no session: {json}"))),
    }
}

async fn metrics(server: SocketAddr) -> io::Result<String> {
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {METRICS_TOKEN}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn info(redis: SocketAddr, section: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(redis).await?;
    stream.write_all(format!("INFO {section}\r\nQUIT\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.replace('\r', ""))
}
