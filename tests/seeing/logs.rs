//! The log of a real process at its most talkative: one record per line,
//! whatever names people choose, and no secret in any of them.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::seeing::house::{ADMINISTRATOR, Guest, SCRAPER, get_as, vote};
use crate::support::eio::join_websocket;
use crate::support::http;

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What nobody may write into a terminal or a log.
const HOSTILE: &str = "Eve\r\n{\"level\":\"ERROR\"}\u{1b}[31m\u{202e}\u{0}canary-name";

pub(super) struct Process {
    pub(super) child: Child,
    pub(super) address: SocketAddr,
}

impl Process {
    async fn start(format: &str) -> Self {
        Self::set(format, &[]).await
    }

    /// With settings as on the command line.
    pub(super) async fn set(format: &str, settings: &[&str]) -> Self {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_cardroom"))
            .args(["--listen", "127.0.0.1:0", "--log-level", "trace", "--log-format", format])
            .args(settings)
            .env("CARDROOM_METRICS__TOKEN", SCRAPER)
            .env("CARDROOM_ADMIN__TOKEN", ADMINISTRATOR)
            .env("CARDROOM_INSTANCES__SHARED_SECRET", "canary-what-the-instances-share-0")
            .env(
                "CARDROOM_AUTH__TOKEN_KEYS",
                r#"[{kid="a", secret="canary-key-0123456789abcdef0123456"}]"#,
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("a pipe");
        let line = line.expect("a line that names the address");
        let address = line.rsplit("//").next().and_then(|text| text.trim().parse().ok());
        Self { child, address: address.expect("an address") }
    }

    /// Ends it and returns what it has logged.
    async fn end(mut self) -> String {
        let mut stderr = self.child.stderr.take().expect("a pipe");
        self.child.start_kill().expect("it runs");
        let mut log = String::new();
        timeout(PATIENCE, stderr.read_to_string(&mut log)).await.expect("in time").expect("text");
        log
    }
}

/// Plays with canaries everywhere; returns what must not be in the log.
pub(super) async fn play(server: SocketAddr) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut ann = Guest::new(join_websocket(server).await);
    let create = json!({"name": HOSTILE, "playerName": HOSTILE, "password": "canary-password"});
    let refused = ann.ask("session:create", create).await;
    let create = json!({"name": "canary-session", "playerName": "canary-ann",
        "password": "canary-password"});
    let created = match refused["ok"].as_bool() {
        Some(true) => refused,
        _ => ann.ask("session:create", create).await,
    };
    assert_eq!(created["ok"], true, "{created}");
    let mut bob = Guest::new(join_websocket(server).await);
    let mut join = json!({"sessionId": created["sessionId"], "playerName": "canary-bob",
        "password": "canary-wrong"});
    bob.ask("session:join", join.clone()).await;
    join["password"] = "canary-password".into();
    let joined = bob.ask("session:join", join).await;
    assert_eq!(joined["ok"], true, "{joined}");
    assert_eq!(bob.ask("vote:submit", vote("89")).await["ok"], true);
    bob.ask("vote:submit", vote("canary-vote")).await;
    bob.ask(&format!("no:{HOSTILE}"), json!({"canary-key": HOSTILE})).await;
    ann.ask("story:create", json!({"title": HOSTILE, "description": HOSTILE})).await;
    ann.ask("session:configure", json!({"password": "canary-new-password"})).await;
    for path in ["/canary%0d%0apath", "/api/v1/sessions/canary?canary=1"] {
        http::get(server, path).await;
    }
    let hostile = [("Origin", "https://canary.example"), ("User-Agent", "canary")];
    http::ask(server, "GET", "/socket.io/?EIO=4&transport=polling", &hostile, b"").await;
    get_as(server, "/metrics", "canary-token-that-is-wrong").await;
    assert_eq!(get_as(server, "/metrics", SCRAPER).await.status, 200);
    assert_eq!(get_as(server, "/api/v1/status", ADMINISTRATOR).await.status, 200);

    secrets.extend([SCRAPER, ADMINISTRATOR, "canary"].map(str::to_owned));
    for answer in [&created, &joined] {
        secrets.extend(answer["playerToken"].as_str().map(str::to_owned));
    }
    let votes = ["\"89\"", "value=89", "value\":89"];
    secrets.extend(votes.map(str::to_owned));
    assert!(8 <= secrets.len(), "{secrets:?}");
    secrets
}

fn has_no_secrets(log: &str, secrets: &[String]) {
    for line in log.lines() {
        for secret in secrets {
            assert!(!line.contains(secret.as_str()), "{secret} in\n{line}");
        }
    }
}

#[tokio::test]
async fn a_record_is_one_line_of_json_and_tells_no_secret() {
    let process = Process::start("json").await;
    let secrets = play(process.address).await;
    let log = process.end().await;
    assert!(10 < log.lines().count(), "{log}");
    for line in log.lines() {
        let record: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(record["timestamp"].is_string() && record["level"].is_string(), "{line}");
    }
    // Spans say whose record it is.
    assert!(log.contains("\"name\":\"connection\"") && log.contains("\"name\":\"session\""));
    has_no_secrets(&log, &secrets);
}

#[tokio::test]
async fn a_record_is_one_line_of_text_without_control_characters() {
    let process = Process::start("text").await;
    let secrets = play(process.address).await;
    let log = process.end().await;
    assert!(10 < log.lines().count(), "{log}");
    for line in log.lines() {
        let begins = line.get(..20).unwrap_or_default();
        assert!(begins.starts_with("20") && begins.contains('T'), "no beginning: {line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    has_no_secrets(&log, &secrets);
}
