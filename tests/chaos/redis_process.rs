//! A real `redis-server`, which keeps its port and its files when it is
//! killed and started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};
use tokio::time::{Instant, sleep};

use crate::process::{Process, free_port};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Appended to a file, synced every second.
    Aof,
    /// Only what `SAVE` wrote: a restart goes back to it.
    Saves,
    /// A restart begins empty.
    Nothing,
}

pub(crate) struct RedisProcess {
    pub(crate) port: u16,
    folder: PathBuf,
    persistence: Persistence,
    process: Option<Process>,
    connection: Option<MultiplexedConnection>,
}

const START_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(2);

impl RedisProcess {
    pub(crate) async fn start(folder: &Path, persistence: Persistence) -> Result<Self, String> {
        let mut redis = Self {
            port: free_port(),
            folder: folder.to_owned(),
            persistence,
            process: None,
            connection: None,
        };
        redis.restart().await?;
        Ok(redis)
    }

    /// Returns once it answers.
    pub(crate) async fn restart(&mut self) -> Result<(), String> {
        let mut arguments: Vec<String> = ["--bind", "127.0.0.1", "--save", "", "--dir"]
            .map(str::to_owned)
            .into_iter()
            .chain([self.folder.display().to_string()])
            .collect();
        arguments.extend(["--port".to_owned(), self.port.to_string()]);
        let log = self.folder.join("redis.log").display().to_string();
        arguments.extend(["--logfile".to_owned(), log]);
        let is_aof = self.persistence == Persistence::Aof;
        arguments.extend(["--appendonly".to_owned(), if is_aof { "yes" } else { "no" }.to_owned()]);
        if self.persistence == Persistence::Nothing {
            let _ = std::fs::remove_file(self.folder.join("dump.rdb"));
        }
        let program = Path::new("redis-server");
        let null = Stdio::null;
        self.process =
            Some(Process::start(program, &arguments, &[], &self.folder, null(), null(), null())?);
        let started = Instant::now();
        while self.ask::<String>(&["PING"]).await.is_err() {
            if START_TIMEOUT < started.elapsed() {
                return Err("redis-server does not answer (scripts/install_redis.sh)".to_owned());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    pub(crate) async fn kill(&mut self) {
        self.connection = None;
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    pub(crate) const fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    pub(crate) async fn ask<T: FromRedisValue>(&mut self, words: &[&str]) -> Result<T, String> {
        let result = self.try_ask(words).await;
        if result.is_err() {
            self.connection = None;
        }
        result.map_err(|error| error.to_string())
    }

    async fn try_ask<T: FromRedisValue>(&mut self, words: &[&str]) -> redis::RedisResult<T> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            connection => {
                let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
                connection.insert(client.get_multiplexed_async_connection().await?)
            }
        };
        let mut command = cmd(words.first().copied().unwrap_or_default());
        for word in words.iter().skip(1) {
            command.arg(word);
        }
        command.query_async(connection).await
    }
}
