//! A real `redis-server`, which keeps its port and its files when it is
//! killed and started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};
use tokio::time::{Instant, sleep, timeout};

use crate::ports::free_port;
use crate::process::Process;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Appended to a file before it is acknowledged. (With `everysec` Redis
    /// acknowledges for up to two seconds what it has not even written, while
    /// the disk is slow: `aof_delayed_fsync` in its INFO.)
    Aof,
    /// Only what `SAVE` wrote: a restart goes back to it.
    Saves,
    /// A restart begins empty.
    Nothing,
}

pub(crate) struct RedisProcess {
    pub(crate) port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    forgets: bool,
    process: Option<Process>,
    connection: Option<MultiplexedConnection>,
}

const START_TIMEOUT: Duration = Duration::from_secs(20);
const ASK_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(2);

impl RedisProcess {
    pub(crate) fn server(folder: &Path, persistence: Persistence) -> Self {
        let port = free_port();
        let folder = folder.join(format!("redis-{port}"));
        let is_aof = persistence == Persistence::Aof;
        let mut arguments = words(&["--save", "", "--appendfsync", "always", "--appendonly"]);
        arguments.push(if is_aof { "yes" } else { "no" }.to_owned());
        Self::new(port, folder, arguments, persistence == Persistence::Nothing)
    }

    /// Watches over `main`, whose primary is at `primary_port` now.
    pub(crate) fn sentinel(folder: &Path, primary_port: u16) -> Result<Self, String> {
        let port = free_port();
        let folder = folder.join(format!("sentinel-{port}"));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let file = folder.join("sentinel.conf");
        let text = format!(
            "sentinel monitor main 127.0.0.1 {primary_port} 2\n\
             sentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 3000\n"
        );
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        Ok(Self::new(port, folder, arguments, false))
    }

    fn new(port: u16, folder: PathBuf, mut arguments: Vec<String>, forgets: bool) -> Self {
        let log = folder.join("log").display().to_string();
        let directory = folder.display().to_string();
        arguments.extend(words(&["--bind", "127.0.0.1", "--port", &port.to_string()]));
        arguments.extend(words(&["--dir", &directory, "--logfile", &log]));
        Self { port, folder, arguments, forgets, process: None, connection: None }
    }

    pub(crate) fn add_arguments(&mut self, more: &[&str]) {
        self.arguments.extend(words(more));
    }

    /// Returns once it answers.
    pub(crate) async fn start(&mut self) -> Result<(), String> {
        if self.forgets {
            let _ = std::fs::remove_file(self.folder.join("dump.rdb"));
        }
        std::fs::create_dir_all(&self.folder).map_err(|error| error.to_string())?;
        let program = Path::new("redis-server");
        let null = Stdio::null;
        let (arguments, folder) = (&self.arguments, &self.folder);
        self.process =
            Some(Process::start(program, arguments, &[], folder, null(), null(), null())?);
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
        let result = timeout(ASK_TIMEOUT, self.try_ask(words)).await;
        let result = result.map_err(|_| "no answer from Redis".to_owned());
        let result = result.and_then(|answer| answer.map_err(|error| error.to_string()));
        if result.is_err() {
            self.connection = None;
        }
        result
    }

    /// Several commands that are sent at once.
    pub(crate) async fn ask_together(&mut self, commands: &[&[&str]]) -> Result<(), String> {
        self.ask::<()>(&["PING"]).await?;
        let connection = self.connection.as_mut().ok_or("no connection")?;
        let mut pipeline = redis::pipe();
        for words in commands {
            let mut words = words.iter();
            let command = pipeline.cmd(words.next().copied().unwrap_or_default());
            words.for_each(|word| {
                command.arg(word);
            });
        }
        let answered = pipeline.query_async::<redis::Value>(connection).await;
        answered.map(drop).map_err(|error| error.to_string())
    }

    async fn try_ask<T: FromRedisValue>(&mut self, words: &[&str]) -> redis::RedisResult<T> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            connection => {
                let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
                let config =
                    redis::AsyncConnectionConfig::new().set_response_timeout(Some(ASK_TIMEOUT));
                let connecting = client.get_multiplexed_async_connection_with_config(&config);
                connection.insert(connecting.await?)
            }
        };
        let mut command = cmd(words.first().copied().unwrap_or_default());
        for word in words.iter().skip(1) {
            command.arg(word);
        }
        command.query_async(connection).await
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
