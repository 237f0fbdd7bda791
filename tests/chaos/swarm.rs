//! A process of unmodified clients (tests/clients/chaos/swarm.mjs).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::ChildStdout;
use tokio::time::timeout;

use crate::process::Process;

/// What the process is told; its words are those of swarm.mjs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Orders {
    /// In front of every player's name, so that names and commands are unique.
    pub(crate) tag: String,
    pub(crate) seed: u64,
    pub(crate) history: PathBuf,
    pub(crate) urls: Vec<String>,
    pub(crate) transports: Vec<&'static str>,
    pub(crate) sessions: usize,
    pub(crate) players_per_session: usize,
    /// Everybody may reveal, reset and so on.
    pub(crate) is_open: bool,
    /// Between two moves of a player, about.
    pub(crate) think_ms: u64,
    pub(crate) reconnection_delay_ms: u64,
    /// A connection breaks by itself that often; 0 = never.
    pub(crate) drop_every_ms: u64,
    /// How long the end of the game may take.
    pub(crate) settle_ms: u64,
    /// Between the end of the game and the last look.
    pub(crate) quiet_ms: u64,
}

pub(crate) struct Swarm {
    process: Process,
    said: Lines<BufReader<ChildStdout>>,
    settle: Duration,
}

const START_TIMEOUT: Duration = Duration::from_secs(120);
const END_TIMEOUT: Duration = Duration::from_secs(60);

impl Swarm {
    /// Returns once everybody plays.
    pub(crate) async fn start(clients: &Path, orders: &Orders, log: Stdio) -> Result<Self, String> {
        let orders_text = serde_json::to_string(orders).map_err(|error| error.to_string())?;
        let arguments = ["chaos/swarm.mjs".to_owned(), orders_text];
        let (program, piped) = (Path::new("node"), Stdio::piped);
        let mut process = Process::start(program, &arguments, &[], clients, piped(), log, piped())?;
        let said = process.child().stdout.take().ok_or("no standard output")?;
        let said = BufReader::new(said).lines();
        let settle = Duration::from_millis(orders.settle_ms + orders.quiet_ms) + START_TIMEOUT;
        let mut swarm = Self { process, said, settle };
        swarm.hear("ready", START_TIMEOUT).await?;
        Ok(swarm)
    }

    pub(crate) async fn stop(&mut self) -> Result<(), String> {
        self.tell("stop\n").await?;
        self.hear("settled", self.settle).await
    }

    pub(crate) async fn end(&mut self) -> Result<(), String> {
        self.tell("end\n").await?;
        let ended = timeout(END_TIMEOUT, self.process.child().wait()).await;
        ended.map(drop).map_err(|_| "the clients do not end".to_owned())
    }

    async fn tell(&mut self, order: &str) -> Result<(), String> {
        let input = self.process.child().stdin.as_mut().ok_or("no standard input")?;
        input.write_all(order.as_bytes()).await.map_err(|error| format!("the clients: {error}"))
    }

    async fn hear(&mut self, word: &str, limit: Duration) -> Result<(), String> {
        match timeout(limit, self.said.next_line()).await {
            Ok(Ok(Some(line))) if line == word => Ok(()),
            Ok(Ok(Some(line))) => Err(format!("the clients say {line:?}, not {word:?}")),
            Ok(_) => Err(format!("the clients ended before they were {word}")),
            Err(_) => Err(format!("the clients were not {word} in time")),
        }
    }
}
