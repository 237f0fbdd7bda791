//! A server process on a port of its own, which it keeps when it is killed
//! and started again.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::ports::free_port;
use crate::process::Process;

pub(crate) struct Instance {
    pub(crate) port: u16,
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    process: Option<Process>,
}

const START_TIMEOUT: Duration = Duration::from_secs(20);

impl Instance {
    /// `settings` are those of `--set`.
    pub(crate) fn new(
        binary: &Path,
        settings: &[String],
        environment: Vec<(&'static str, String)>,
        log: PathBuf,
    ) -> Self {
        let port = free_port();
        let arguments = ["--listen".to_owned(), format!("127.0.0.1:{port}")]
            .into_iter()
            .chain(settings.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]))
            .collect();
        Self { port, binary: binary.to_owned(), arguments, environment, log, process: None }
    }

    /// Returns once it listens.
    pub(crate) async fn start(&mut self) -> Result<(), String> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(|error| format!("open {}: {error}", self.log.display()))?;
        // Not the project's folder, so that no cardroom.toml is read by chance.
        let folder = self.log.parent().unwrap_or_else(|| Path::new("."));
        let (binary, arguments) = (&self.binary, &self.arguments);
        let environment = &self.environment;
        let (out, errors) = (Stdio::piped(), Stdio::from(log));
        let mut process =
            Process::start(binary, arguments, environment, folder, out, errors, Stdio::null())?;
        let said = process.child().stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(said).lines();
        let heard = timeout(START_TIMEOUT, lines.next_line()).await;
        if !matches!(heard, Ok(Ok(Some(_)))) {
            return Err(format!("an instance did not start, see {}", self.log.display()));
        }
        self.process = Some(process);
        Ok(())
    }

    pub(crate) async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    /// As a scheduler ends it; its exit status.
    pub(crate) async fn end(&mut self, limit: Duration) -> Option<i32> {
        self.process.take()?.end(limit).await
    }

    pub(crate) const fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Ended by itself, which it never should.
    pub(crate) fn has_crashed(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::has_ended)
    }
}
