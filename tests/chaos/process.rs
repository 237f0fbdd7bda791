//! A process that we started, and that ends with us however we end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub(crate) struct Process {
    child: Child,
    pid: Pid,
}

impl Process {
    /// `setpriv` makes the kernel kill it when the thread that called this
    /// ends, which has to be the main one.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
        folder: &Path,
        output: Stdio,
        errors: Stdio,
        input: Stdio,
    ) -> Result<Self, String> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(arguments);
        // What is configured in this shell is no part of the run.
        for (name, _) in std::env::vars().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        command.current_dir(folder).stdin(input).stdout(output).stderr(errors).kill_on_drop(true);
        let child =
            command.spawn().map_err(|error| format!("start {}: {error}", program.display()))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, pid: pid.ok_or("a process without an id")? })
    }

    pub(crate) const fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// SIGKILL, and gone when this returns.
    pub(crate) async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }

    /// SIGTERM; the status with which it ends, if it does in time.
    pub(crate) async fn end(&mut self, limit: Duration) -> Option<i32> {
        let _ = kill_process(self.pid, Signal::TERM);
        match timeout(limit, self.child.wait()).await {
            Ok(Ok(status)) => status.code(),
            _ => None,
        }
    }

    pub(crate) fn pause(&self) {
        let _ = kill_process(self.pid, Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        let _ = kill_process(self.pid, Signal::CONT);
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

fn is_setting(name: &str) -> bool {
    name.starts_with("CARDROOM_") || name == "CLIENT_URL"
}
