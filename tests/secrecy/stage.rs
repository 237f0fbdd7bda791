//! Two instances on one Redis, as real processes, and all that they let out
//! beside what their clients receive: logs, metrics, and what goes from one
//! to the other through Redis.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardroom::api::client_event::EventName;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::secrecy::wire::{Failed, Http};
use crate::store::redis_server::{RedisServer, directory, signal};
use crate::support::ports::free_port;

pub(super) struct Stage {
    pub(super) servers: Arc<[SocketAddr]>,
    instances: Vec<Process>,
    wire_tap: WireTap,
    _redis: RedisServer,
}

struct Process {
    child: Child,
    metrics: SocketAddr,
    log: PathBuf,
    /// Kept open: a server must be able to say what it likes.
    _said: BufReader<ChildStdout>,
}

/// What was let out until the end.
pub(super) struct Remains {
    /// Per instance, series → value.
    pub(super) metrics: Vec<BTreeMap<String, f64>>,
    /// Per instance.
    pub(super) logs: Vec<String>,
    /// Channel → what was published on it, in order.
    pub(super) published: BTreeMap<String, Vec<String>>,
}

impl Stage {
    pub(super) async fn open(settings: &[&str]) -> Result<Self, Failed> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = COUNT.fetch_add(1, Ordering::Relaxed);
        let redis = RedisServer::start();
        let wire_tap = WireTap::on(&redis).await?;
        let open = |index: usize| {
            let log = PathBuf::from(directory())
                .join(format!("secrecy-{}-{name}-{index}.log", std::process::id()));
            Process::start(&redis.url(), settings, log)
        };
        let started: Vec<(Process, SocketAddr)> = (0..2).map(open).collect::<Result<_, _>>()?;
        let (instances, servers): (Vec<_>, Vec<_>) = started.into_iter().unzip();
        // Polls go to either; they have to know each other.
        while redis.ask::<usize>(&["ZCARD", "instances"]).await < instances.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { servers: servers.into(), instances, wire_tap, _redis: redis })
    }

    /// After the last client has gone.
    pub(super) async fn close(self) -> Result<Remains, Failed> {
        let Self { instances, wire_tap, _redis, .. } = self;
        let mut metrics = Vec::new();
        for instance in &instances {
            metrics.push(instance.metrics_at_rest().await?);
        }
        let mut logs = Vec::new();
        for mut instance in instances {
            logs.push(instance.end()?);
        }
        Ok(Remains { metrics, logs, published: wire_tap.end() })
    }
}

impl Process {
    fn start(redis: &str, settings: &[&str], log: PathBuf) -> Result<(Self, SocketAddr), Failed> {
        let metrics = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut all: Vec<String> = [
            "auth.token_keys=[{kid=\"s\", secret=\"secrecy-secrecy-secrecy-secrecy-secrecy\"}]",
            "instances.shared_secret=secrecy-secrecy-secrecy-secrecy-secrecy",
            "log.level=cardroom=trace",
            "server.drain_seconds=0",
            "engine.ping_interval_ms=600000",
            // Nobody posts twice over a connection that is being closed.
            "server.keep_alive_ms=3600000",
            "session.status_debounce_ms=0",
            "session.away_debounce_ms=0",
            "session.host_grace_ms=600000",
            "session.facilitator_grace_ms=600000",
            "limits.failed_joins_max=100000",
            "limits.failed_joins_per_minute_max=1000000",
            "limits.sessions_per_address_hour_max=100000",
            "limits.handshakes_per_second_max=100000",
            "limits.handshakes_per_address_per_second_max=100000",
            "limits.connections_per_address_max=100000",
            "limits.tcp_connections_per_address_max=100000",
            "limits.rejected_events_max=100000",
            // A busy machine is no failure of the store.
            "redis.command_timeout_ms=20000",
            "instances.lease_ms=120000",
        ]
        .map(str::to_owned)
        .into();
        all.push(format!("redis.url={redis}"));
        all.push(format!("metrics.listen={metrics}"));
        let unlimited = |event: &EventName| format!("rate_limits.{}=100000", event.as_str());
        all.extend(EventName::ALL.iter().map(unlimited));
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));

        let written = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardroom"));
        command.args(["--listen", "127.0.0.1:0"]);
        command.args(all.iter().flat_map(|setting| ["--set", setting]));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(written);
        let mut child = command.spawn().map_err(|error| format!("cardroom: {error}"))?;
        let mut said = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut line = String::new();
        let address = loop {
            line.clear();
            if said.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("an instance did not start: {log}"));
            }
            if let Some((_, address)) = line.split_once("http://") {
                break address.trim().parse().map_err(|error| format!("{line}: {error}"))?;
            }
        };
        Ok((Self { child, metrics, log, _said: said }, address))
    }

    /// The page, once nobody is connected any more.
    async fn metrics_at_rest(&self) -> Result<BTreeMap<String, f64>, Failed> {
        let mut http = Http::to(self.metrics);
        let mut last = BTreeMap::new();
        for _ in 0..500 {
            let reply = http.ask("GET", "/metrics", &[], "").await?;
            let samples = reply.body.lines().filter(|line| !line.starts_with('#'));
            let page: BTreeMap<String, f64> = samples
                .filter_map(|line| line.rsplit_once(' '))
                .map(|(series, value)| (series.to_owned(), value.parse().unwrap_or(f64::NAN)))
                .collect();
            let is_empty = ["cardroom_connections{", "cardroom_sockets", "cardroom_seats_online"]
                .iter()
                .all(|name| {
                    page.iter().filter(|(key, _)| key.starts_with(name)).all(|(_, n)| *n == 0.0)
                });
            if is_empty && !page.is_empty() {
                return Ok(page);
            }
            last = page;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        last.retain(|series, value| series.starts_with("cardroom_") && *value != 0.0);
        Err(format!("an instance never came to rest: {last:#?}"))
    }

    /// Its whole log.
    fn end(&mut self) -> Result<String, Failed> {
        signal(&self.child.id().to_string(), "TERM");
        self.child.wait().map_err(|error| error.to_string())?;
        let log = std::fs::read_to_string(&self.log).map_err(|error| error.to_string())?;
        if log.contains("panicked") {
            return Err(format!("an instance panicked: {log}"));
        }
        Ok(log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}

/// Everything that is published in Redis, by MONITOR: also what scripts
/// publish, on sharded channels or others.
struct WireTap {
    published: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    reader: JoinHandle<()>,
}

impl WireTap {
    async fn on(redis: &RedisServer) -> Result<Self, Failed> {
        let mut stream =
            TcpStream::connect(redis.address()).await.map_err(|error| error.to_string())?;
        stream.write_all(b"MONITOR\r\n").await.map_err(|error| error.to_string())?;
        let published = Arc::new(Mutex::new(BTreeMap::<String, Vec<String>>::new()));
        let heard = Arc::clone(&published);
        let reader = tokio::spawn(async move {
            let mut stream = tokio::io::BufReader::with_capacity(1 << 18, stream);
            let mut line = Vec::new();
            while let Ok(1..) = {
                line.clear();
                stream.read_until(b'\n', &mut line).await
            } {
                // `+1700.1 [0 lua] "SPUBLISH" "session:{…}" "b…"`
                let line = String::from_utf8_lossy(&line);
                let Some((_, command)) = line.split_once("] \"") else { continue };
                let Some((verb, words)) = command.split_once("\" \"") else { continue };
                if !verb.to_ascii_lowercase().ends_with("publish") {
                    continue;
                }
                let Some((channel, payload)) = words.split_once("\" \"") else { continue };
                let payload = payload.trim_end().trim_end_matches('"').to_owned();
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.entry(channel.to_owned()).or_default().push(payload);
            }
        });
        Ok(Self { published, reader })
    }

    fn end(self) -> BTreeMap<String, Vec<String>> {
        self.reader.abort();
        std::mem::take(&mut self.published.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
