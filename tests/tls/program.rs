//! The server as a process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::tls::PATIENCE;

pub(super) struct Program {
    pub(super) url: String,
    pub(super) address: SocketAddr,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// With the certificate and the key that lie in `folder`.
    pub(super) async fn start(folder: &Path, settings: &[&str]) -> Self {
        let mut child = spawn(folder, &[&files(folder)[..], &owned(settings)[..]].concat());
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                written.lock().expect("no panic").push_str(&(line + "\n"));
            }
        });
        let mut said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = timeout(PATIENCE, said.next_line()).await.expect("it starts").expect("text");
        let line = line.unwrap_or_else(|| panic!("{}", log.lock().expect("no panic")));
        let url = line.rsplit(' ').next().expect("words").to_owned();
        let address = url.rsplit('/').next().expect("an address").parse().expect("an address");
        Self { url, address, child, log }
    }

    /// The log of one that does not start.
    pub(super) async fn fails(settings: &[&str]) -> String {
        Self::refused(spawn(&std::env::temp_dir(), &owned(settings))).await
    }

    pub(super) async fn fails_in(folder: &Path, settings: &[&str]) -> String {
        Self::refused(spawn(folder, &[&files(folder)[..], &owned(settings)[..]].concat())).await
    }

    async fn refused(child: Child) -> String {
        let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends");
        let output = output.expect("a process");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub(super) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Waits until the log says so, once more than before.
    pub(super) async fn logs(&self, what: &str) {
        for _ in 0..500 {
            if self.log.lock().expect("no panic").contains(what) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("no {what:?} in\n{}", self.log.lock().expect("no panic"));
    }

    /// The status with which it ends when it is told to.
    pub(super) async fn end(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("a process").code()
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).expect("it runs");
        kill_process(id, signal).expect("it is ours");
    }
}

fn files(folder: &Path) -> [String; 2] {
    let file = |name| folder.join(name).display().to_string();
    [
        format!("server.tls_certificate_file={}", file("certificate.pem")),
        format!("server.tls_key_file={}", file("key.pem")),
    ]
}

fn owned(settings: &[&str]) -> Vec<String> {
    settings.iter().map(|setting| (*setting).to_owned()).collect()
}

/// In a folder of its own, so that no cardroom.toml is read by chance.
fn spawn(folder: &Path, settings: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardroom"));
    command.args(["--listen", "127.0.0.1:0", "--set", "server.drain_seconds=1"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program")
}
