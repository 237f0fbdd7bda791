//! The server as a process of its own: what it logs, and what it takes.

use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::seeing::house::{SCRAPER, Samples, get_as};

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Program {
    pub(super) address: SocketAddr,
    child: Child,
    log: JoinHandle<String>,
}

impl Program {
    pub(super) async fn start(settings: &[&str]) -> Self {
        let mut command = command(settings);
        command.args(["--listen", "127.0.0.1:0"]);
        let mut child = command.spawn().expect("the server starts");
        let mut stderr = child.stderr.take().expect("a pipe");
        let log = tokio::spawn(async move {
            let mut log = Vec::new();
            let _ = stderr.read_to_end(&mut log).await;
            String::from_utf8_lossy(&log).into_owned()
        });
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("a pipe");
        let line = line.expect("a line that names the address");
        let address = line.rsplit("//").next().and_then(|text| text.trim().parse().ok());
        Self { address: address.expect("an address"), child, log }
    }

    /// What it says when it is only asked something, or cannot start.
    pub(super) async fn says(settings: &[&str], arguments: &[&str]) -> Output {
        let mut command = command(settings);
        let output = command.args(arguments).output();
        timeout(PATIENCE, output).await.expect("it ends").expect("the program")
    }

    pub(super) async fn resident_bytes(&self) -> f64 {
        let page = get_as(self.address, "/metrics", SCRAPER).await;
        Samples::read(page.body()).get("process_resident_memory_bytes")
    }

    /// Ends it, and returns what it has logged.
    pub(super) async fn end(mut self) -> String {
        self.child.start_kill().expect("it runs");
        timeout(PATIENCE, self.log).await.expect("in time").expect("no panic")
    }
}

/// In a folder where no cardroom.toml is read by chance.
fn command(settings: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardroom"));
    command.env("CARDROOM_METRICS__TOKEN", SCRAPER);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.current_dir(std::env::temp_dir()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
