//! Clients that connect and go away in the middle of everything.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::net::{
    POLLING, WEBSOCKET, WebSocket, connect, fetch, head, sid_of, text_frame, upgrade_head, write,
};
use super::server::{Figures, Server};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Before the first look, so that what is allocated once has been.
    pub(crate) first: usize,
    pub(crate) connections: usize,
}

pub(crate) const LONG: Plan = Plan { first: 40_000, connections: 200_000 };
pub(crate) const SHORT: Plan = Plan { first: 400, connections: 800 };

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    connections: usize,
    /// Why each of those failed that did not get where it wanted to give up.
    refused: Vec<String>,
    seconds: f64,
    before: Figures,
    after: Figures,
    opened: f64,
}

/// At one time.
const CONCURRENCY: usize = 64;
/// Each has its own ports. 127/8 is all loopback on Linux.
const SOURCES: usize = 32;
/// For those that never join; longer than a busy machine lets anybody wait
/// between two steps.
const CONNECT_TIMEOUT_MS: u64 = 5_000;
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(binary: &Path, plan: Plan) -> Result<Outcome, String> {
    let settings = [
        format!("engine.connect_timeout_ms={CONNECT_TIMEOUT_MS}"),
        format!("engine.close_timeout_ms={CONNECT_TIMEOUT_MS}"),
        "server.connections_max=100000".to_owned(),
    ];
    let server = Server::start(binary, &settings).await?;
    churn(server.address, plan.first).await?;
    let before = settled(&server).await?;
    let started = Instant::now();
    let refused = churn(server.address, plan.connections).await?;
    let seconds = started.elapsed().as_secs_f64();
    let after = settled(&server).await?;
    let name = "cardroom_connections_opened_total";
    Ok(Outcome {
        connections: plan.connections,
        refused,
        seconds,
        opened: after.sum(name) - before.sum(name),
        before,
        after,
    })
}

/// When the server has noticed that they are all gone.
async fn settled(server: &Server) -> Result<Figures, String> {
    let is_empty = |figures: &Figures| figures.connections() == 0.0;
    let empty = server.figures_until(PATIENCE, is_empty).await?;
    let mut last = empty.tasks();
    // Tasks and descriptors end a moment after their connection.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let figures = server.figures().await?;
        if last <= figures.tasks() {
            return Ok(figures);
        }
        last = figures.tasks();
    }
    server.figures().await
}

/// Why those failed that did not even get where they wanted to give up.
async fn churn(server: SocketAddr, connections: usize) -> Result<Vec<String>, String> {
    let places = Arc::new(Semaphore::new(CONCURRENCY));
    let mut tasks = JoinSet::new();
    let mut refused = Vec::new();
    let why = |ended: Result<Result<(), String>, JoinError>| match ended {
        Ok(abandoned) => abandoned.err(),
        Err(error) => Some(error.to_string()),
    };
    for number in 0..connections {
        let place = Arc::clone(&places).acquire_owned().await.map_err(|error| error.to_string())?;
        let source = Ipv4Addr::new(127, 0, 1, 1 + (number % SOURCES) as u8);
        tasks.spawn(async move {
            let _place = place;
            abandon(server, source, number / SOURCES).await
        });
        while let Some(ended) = tasks.try_join_next() {
            refused.extend(why(ended));
        }
    }
    while let Some(ended) = tasks.join_next().await {
        refused.extend(why(ended));
    }
    Ok(refused)
}

/// Every way in, given up somewhere.
async fn abandon(server: SocketAddr, source: Ipv4Addr, number: usize) -> Result<(), String> {
    let mut stream = connect(server, Some(source), None).await?;
    match number % 8 {
        // Polling that is never continued.
        0 => drop(fetch(&mut stream, "GET", POLLING, b"").await?),
        // Half an upgrade, with and without the probe.
        kind @ (1 | 2) => {
            let open = fetch(&mut stream, "GET", POLLING, b"").await?;
            let target = format!("{WEBSOCKET}&sid={}", sid_of(&open.body)?);
            let upgrading = connect(server, Some(source), None).await?;
            let mut socket = WebSocket::upgrade(upgrading, &target).await?;
            if kind == 2 {
                socket.say("2probe").await?;
                socket.hear().await?;
            }
        }
        // A WebSocket that says nothing, and one that nobody waits for.
        3 => drop(WebSocket::upgrade(stream, WEBSOCKET).await?),
        4 => write(&mut stream, upgrade_head(WEBSOCKET).as_bytes()).await?,
        // The middle of a head, of a body, of a frame.
        5 => write(&mut stream, b"GET /socket.io/?EIO=4&tra").await?,
        6 => {
            let open = fetch(&mut stream, "GET", POLLING, b"").await?;
            let target = format!("{POLLING}&sid={}", sid_of(&open.body)?);
            let half = head("POST", &target, "text/plain;charset=UTF-8", 1_000) + "40";
            write(&mut stream, half.as_bytes()).await?;
        }
        _ => {
            let mut socket = WebSocket::upgrade(stream, WEBSOCKET).await?;
            socket.say("40").await?;
            let frame = text_frame(&"x".repeat(1_000));
            write(&mut socket.stream, frame.get(..500).unwrap_or_default()).await?;
            // Neither a close frame nor a FIN.
            let _ = socket.stream.set_zero_linger();
        }
    }
    Ok(())
}

impl Outcome {
    pub(crate) fn lines(&self) -> Vec<String> {
        let row = |name: &str, value: fn(&Figures) -> f64| {
            format!("{name:<26} {:>10.1} {:>10.1}", value(&self.before), value(&self.after))
        };
        vec![
            format!(
                "abandoned                  {} in {:.0} s ({:.0}/s), of which {:.0} had opened a connection; {} failed earlier",
                self.connections,
                self.seconds,
                self.connections as f64 / self.seconds.max(1e-3),
                self.opened,
                self.refused.len()
            ),
            format!("{:<26} {:>10} {:>10}", "", "before", "after"),
            row("connections", Figures::connections),
            row("tasks", Figures::tasks),
            row("file descriptors", Figures::descriptors),
            row("resident, MiB", |figures| figures.resident_bytes() / f64::from(1 << 20)),
        ]
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut is_back = |name: &str, value: fn(&Figures) -> f64, more: f64| {
            let [before, after] = [&self.before, &self.after].map(value);
            if before + more < after {
                problems.push(format!("{name}: {before} before, {after} after"));
            }
        };
        is_back("connections", Figures::connections, 0.0);
        is_back("tasks", Figures::tasks, 2.0);
        is_back("file descriptors", Figures::descriptors, 2.0);
        // A heap that was torn to pieces does not come back to the byte.
        is_back("resident bytes", Figures::resident_bytes, 8.0 * f64::from(1 << 20));
        if self.connections < self.refused.len() * 100 {
            let (refused, all) = (self.refused.len(), self.connections);
            problems
                .push(format!("{refused} of {all} were refused, as {:?}", self.refused.first()));
        }
        problems
    }
}
