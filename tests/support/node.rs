//! Runs the stories of `tests/clients` in node.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(180);

/// Runs `tests/clients/SCRIPT` with arguments; fails unless it says `done`.
pub(crate) async fn run(script: &str, arguments: &[&str]) {
    install().await;
    let output = Command::new("node")
        .arg(script)
        .args(arguments)
        .current_dir(clients())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, output).await.expect("story ends in time").expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let is_done = output.status.success() && said.trim_end().ends_with("done");
    assert!(is_done, "{script} {arguments:?}\n{said}\n{complained}");
}

/// The packages, at the versions of the lock file, unless they are there.
pub(crate) async fn install() {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED
        .get_or_init(|| async {
            if clients().join("node_modules/.package-lock.json").exists() {
                return;
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(clients());
            let status = npm.stdout(Stdio::null()).status().await.expect("npm runs");
            assert!(status.success(), "failed to install the clients of the tests");
        })
        .await;
}

pub(crate) fn clients() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
}
