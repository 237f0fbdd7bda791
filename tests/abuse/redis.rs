//! A Redis of the run: on a free port, without persistence, gone with it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::server::free_address;

pub(crate) struct Redis {
    address: SocketAddr,
    /// Ends with this.
    _child: Child,
}

const START_TIMEOUT: Duration = Duration::from_secs(30);

impl Redis {
    pub(crate) async fn start() -> Result<Self, String> {
        let address = free_address();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "redis-server"]);
        command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no"]);
        command.current_dir(std::env::temp_dir()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().map_err(|error| format!("start redis-server: {error}"))?;
        let started = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if START_TIMEOUT < started.elapsed() {
                return Err("no redis-server (scripts/install_redis.sh installs it)".to_owned());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { address, _child: child })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Scripts that were called, since it started: the servers call nothing
    /// else for what a client does.
    pub(crate) async fn script_calls(&self) -> Result<f64, String> {
        let info = self.info().await.map_err(|error| error.to_string())?;
        let calls = |line: &str| {
            let rest = line.strip_prefix("cmdstat_evalsha:calls=")?;
            rest.split(',').next()?.parse::<f64>().ok()
        };
        Ok(info.lines().find_map(calls).unwrap_or_default())
    }

    async fn info(&self) -> Result<String, redis::RedisError> {
        let mut connection =
            redis::Client::open(self.url())?.get_multiplexed_async_connection().await?;
        redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await
    }
}
