//! The server under abuse: the real program, and what it says of itself.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::net::{connect, fetch};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    metrics: SocketAddr,
    /// Ends with this.
    _child: Child,
}

/// One look at the numbers: series and value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Every seat may do what it likes: most runs are not about rate limits.
const UNLIMITED: [&str; 6] =
    ["session:create", "session:join", "vote:submit", "vote:change", "story:update", "heartbeat"];

impl Server {
    /// `settings` are those of `--set`, beside the embedded store and no rate limits.
    pub(crate) async fn start(binary: &Path, settings: &[String]) -> Result<Self, String> {
        let unlimited = UNLIMITED.map(|event| format!("rate_limits.{event}=100000"));
        Self::start_as_set(binary, &[&unlimited, settings].concat()).await
    }

    /// With the limits that it has if nobody says otherwise.
    pub(crate) async fn start_as_set(binary: &Path, settings: &[String]) -> Result<Self, String> {
        let [address, metrics] = [free_address(), free_address()];
        let own = [format!("metrics.listen={metrics}"), "log.level=warn".to_owned()];
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(binary);
        command.args(["--listen", &address.to_string()]);
        for setting in own.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        // What is configured in this shell is no part of the run.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARDROOM_")) {
            command.env_remove(name);
        }
        command.current_dir(std::env::temp_dir()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("start {}: {error}", binary.display()))?;
        let said = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(said).lines();
        match timeout(START_TIMEOUT, lines.next_line()).await {
            Ok(Ok(Some(_))) => Ok(Self { address, metrics, _child: child }),
            _ => Err("the server did not start".to_owned()),
        }
    }

    pub(crate) async fn figures(&self) -> Result<Figures, String> {
        let mut stream = connect(self.metrics, None, None).await?;
        let answer = fetch(&mut stream, "GET", "/metrics", b"").await?;
        let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        });
        Ok(Figures(samples.collect()))
    }

    /// Looks every 100 ms until `is_such`; the last look, which may not be such.
    pub(crate) async fn figures_until(
        &self,
        patience: Duration,
        is_such: impl Fn(&Figures) -> bool,
    ) -> Result<Figures, String> {
        let looks = patience.as_millis() / LOOK.as_millis();
        for _ in 0..looks {
            let figures = self.figures().await?;
            if is_such(&figures) {
                return Ok(figures);
            }
            tokio::time::sleep(LOOK).await;
        }
        self.figures().await
    }
}

const LOOK: Duration = Duration::from_millis(100);

impl Figures {
    /// All series that begin so, added up.
    pub(crate) fn sum(&self, start: &str) -> f64 {
        let of = |series: &str| {
            series.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        self.0.iter().filter(|(series, _)| of(series)).map(|(_, value)| value).sum()
    }

    /// Why connections were closed, and how many.
    pub(crate) fn closings(&self) -> BTreeMap<String, f64> {
        let start = "cardroom_connections_closed_total{reason=\"";
        let of_reason = self.0.iter().filter_map(|(series, count)| {
            Some((series.strip_prefix(start)?.strip_suffix("\"}")?.to_owned(), *count))
        });
        of_reason.filter(|(_, count)| 0.0 < *count).collect()
    }

    pub(crate) fn connections(&self) -> f64 {
        self.sum("cardroom_connections")
    }

    pub(crate) fn polling_connections(&self) -> f64 {
        self.sum("cardroom_connections{transport=\"polling\"}")
    }

    pub(crate) fn resident_bytes(&self) -> f64 {
        self.sum("process_resident_memory_bytes")
    }

    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.sum("process_cpu_seconds_total")
    }

    pub(crate) fn tasks(&self) -> f64 {
        self.sum("cardroom_tasks")
    }

    pub(crate) fn descriptors(&self) -> f64 {
        self.sum("process_open_fds")
    }

    pub(crate) fn outbox_bytes(&self) -> f64 {
        self.sum("cardroom_outbox_bytes")
    }
}

pub(crate) fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}
