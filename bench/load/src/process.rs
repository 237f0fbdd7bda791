//! A server as the operating system sees it.

use std::fs;
use std::io::{self, Error};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A process that ends with its owner.
pub(crate) struct Process {
    child: Child,
    pid: Pid,
}

const END_TIMEOUT: Duration = Duration::from_secs(10);

impl Process {
    /// Its log goes to `log`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(String, String)],
        log: &Path,
    ) -> io::Result<Self> {
        let (out, err) = (fs::File::create(log)?, fs::OpenOptions::new().append(true).open(log)?);
        let child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::other(format!("{}: {error}", program.display())))?;
        let pid = child.id().ok_or_else(|| Error::other("ended at once"))?;
        Ok(Self { child, pid: Pid::from_raw(pid.cast_signed()) })
    }

    /// Processor time of all its threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        let spent = clock_getcpuclockid(self.pid).and_then(clock_gettime);
        spent.map_or(Duration::ZERO, Duration::from)
    }

    /// How often its threads have gone to sleep so far: what a busy host does
    /// not change.
    pub(crate) fn sleeps(&self) -> u64 {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.pid)) else { return 0 };
        let statuses = threads.flatten().map(|thread| thread.path().join("status"));
        let sleeps = statuses.map(|status| field(&status, "voluntary_ctxt_switches:"));
        sleeps.sum()
    }

    /// Memory that it holds, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        field(Path::new(&format!("/proc/{}/status", self.pid)), "VmRSS:") * 1_024
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) async fn end(mut self) {
        let _ = kill(self.pid, Signal::SIGTERM);
        if timeout(END_TIMEOUT, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// A number in one of the kernel's `status` files; 0 if it is not there.
fn field(status: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    let number = rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}
