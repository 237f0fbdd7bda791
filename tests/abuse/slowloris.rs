//! Clients that hold a connection open by doing everything slowly, while good
//! ones play on.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use super::figures::{Sorted, Times};
use super::net::{POLLING, WEBSOCKET, WebSocket, connect, fetch, head, sid_of, text_frame, write};
use super::party::{Party, Seen, Size};
use super::server::Server;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) size: Size,
    /// Of each kind.
    pub(crate) attackers: usize,
    pub(crate) rounds: usize,
    pub(crate) limits: Limits,
}

/// As the server is set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    header: Duration,
    body: Duration,
    stall: Duration,
    keep_alive: Duration,
    message: Duration,
    connect: Duration,
}

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const LONG: Plan = Plan {
    size: Size { rooms: 10, players: 10, votes: 10, stories: 1 },
    attackers: 300,
    rounds: 3,
    limits: Limits {
        header: Duration::from_secs(5),
        body: Duration::from_secs(10),
        stall: Duration::from_secs(10),
        keep_alive: Duration::from_secs(15),
        message: Duration::from_secs(5),
        connect: Duration::from_secs(10),
    },
};

pub(crate) const SHORT: Plan = Plan {
    size: Size { rooms: 1, players: 3, votes: 10, stories: 1 },
    attackers: 5,
    rounds: 1,
    limits: Limits {
        header: SECOND,
        body: SECOND,
        stall: SECOND,
        keep_alive: SECOND,
        message: SECOND,
        connect: SECOND,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Header,
    Body,
    ApiBody,
    Message,
    Silence,
    Read,
}

const KINDS: [Kind; 6] =
    [Kind::Header, Kind::Body, Kind::ApiBody, Kind::Message, Kind::Silence, Kind::Read];

#[derive(Debug)]
pub(crate) struct Outcome {
    quiet: Seen,
    attacked: Seen,
    /// By kind: the limit, and how long each was held open.
    held: Vec<(Kind, Duration, Sorted)>,
    attackers: usize,
}

pub(crate) async fn run(binary: &Path, plan: Plan) -> Result<Outcome, String> {
    let limits = plan.limits;
    let ms = |name: &str, limit: Duration| format!("{name}={}", limit.as_millis());
    let settings = [
        ms("server.header_timeout_ms", limits.header),
        ms("server.body_timeout_ms", limits.body),
        ms("server.write_stall_ms", limits.stall),
        ms("server.keep_alive_ms", limits.keep_alive),
        ms("engine.fragment_timeout_ms", limits.message),
        ms("engine.connect_timeout_ms", limits.connect),
    ];
    let server = Server::start(binary, &settings).await?;
    let mut party = Party::begin(server.address, plan.size).await?;
    party.play(SECOND).await?;
    let mut held: Vec<(Kind, Duration, Sorted)> =
        KINDS.iter().map(|kind| (*kind, limits.of(*kind), Sorted::default())).collect();
    let (mut quiet, mut attacked) = (Seen::default(), Seen::default());
    for _ in 0..plan.rounds {
        quiet.and(&party.play(limits.keep_alive).await?);
        let mut attackers = JoinSet::new();
        for (index, kind) in KINDS.iter().enumerate() {
            for _ in 0..plan.attackers {
                let (address, kind) = (server.address, *kind);
                let patience = limits.of(kind) * 4 + 20 * SECOND;
                attackers.spawn(async move {
                    let started = Instant::now();
                    let ended = tokio::time::timeout(patience, attack(address, kind)).await;
                    (index, ended.map(|_| started.elapsed()).unwrap_or(patience))
                });
            }
        }
        let times: Vec<Times> = KINDS.iter().map(|_| Times::default()).collect();
        while !attackers.is_empty() {
            attacked.and(&party.play(SECOND / 4).await?);
            while let Some(ended) = attackers.try_join_next() {
                let (index, time) = ended.map_err(|error| error.to_string())?;
                times[index].add(time);
            }
        }
        for ((_, _, held), times) in held.iter_mut().zip(&times) {
            held.and(&times.take());
        }
    }
    Ok(Outcome { quiet, attacked, held, attackers: plan.attackers })
}

/// Ends when the server ends it.
async fn attack(server: SocketAddr, kind: Kind) -> Result<(), String> {
    const DRIP: Duration = Duration::from_millis(200);
    match kind {
        Kind::Header => {
            let stream = connect(server, None, None).await?;
            drip(stream, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ", DRIP).await
        }
        Kind::Body => {
            let mut stream = connect(server, None, None).await?;
            let open = fetch(&mut stream, "GET", POLLING, b"").await?;
            let target = format!("{POLLING}&sid={}", sid_of(&open.body)?);
            let head = head("POST", &target, "text/plain;charset=UTF-8", 60_000);
            drip(stream, head.as_bytes(), DRIP).await
        }
        Kind::ApiBody => {
            let stream = connect(server, None, None).await?;
            let head = head("POST", "/api/v1/sessions", "application/json", 60_000);
            drip(stream, head.as_bytes(), DRIP).await
        }
        Kind::Message => {
            let stream = connect(server, None, None).await?;
            let mut socket = WebSocket::upgrade(stream, WEBSOCKET).await?;
            socket.say("40").await?;
            let begun = text_frame(&json!(["x".repeat(60_000)]).to_string());
            drip(socket.stream, begun.get(..20).unwrap_or_default(), DRIP).await
        }
        Kind::Silence => {
            let stream = connect(server, None, None).await?;
            let mut socket = WebSocket::upgrade(stream, WEBSOCKET).await?;
            loop {
                socket.hear().await?;
            }
        }
        Kind::Read => {
            // Small enough that an answer does not fit.
            let mut stream = connect(server, None, Some(1_024)).await?;
            for _ in 0..40 {
                let requests = head("GET", "/api/v1/openapi.json", "", 0);
                write(&mut stream, requests.as_bytes()).await?;
            }
            let mut ticks = interval(DRIP);
            // A reset is known before all that came has been read.
            while let (Ok(1), Ok(None)) = (stream.read(&mut [0]).await, stream.take_error()) {
                ticks.tick().await;
            }
            Ok(())
        }
    }
}

/// `start`, then a byte at a time, until the server hangs up.
async fn drip(mut stream: TcpStream, start: &[u8], pause: Duration) -> Result<(), String> {
    write(&mut stream, start).await?;
    let (mut reader, mut writer) = stream.into_split();
    let ended = async move {
        let mut rest = [0; 1_024];
        while let Ok(1..) = reader.read(&mut rest).await {}
    };
    let dripping = async move {
        use tokio::io::AsyncWriteExt as _;
        let mut ticks = interval(pause);
        loop {
            ticks.tick().await;
            if writer.write_all(b"x").await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = ended => {}, () = dripping => {} }
    Ok(())
}

impl Limits {
    fn of(self, kind: Kind) -> Duration {
        match kind {
            Kind::Header => self.header,
            Kind::Body | Kind::ApiBody => self.body,
            Kind::Message => self.message,
            Kind::Silence => self.connect,
            Kind::Read => self.stall.max(self.keep_alive),
        }
    }
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Header => "a head, byte by byte",
            Self::Body => "a POST of polling",
            Self::ApiBody => "a body of the API",
            Self::Message => "a WebSocket message",
            Self::Silence => "a WebSocket, no CONNECT",
            Self::Read => "answers, read by bytes",
        }
    }
}

impl Outcome {
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:<26} {:>8} {:>8} {:>10} {:>10}",
            format!("{} of each at a time", self.attackers),
            "number",
            "limit s",
            "held p50",
            "held max"
        )];
        for (kind, limit, held) in &self.held {
            lines.push(format!(
                "{:<26} {:>8} {:>8.1} {:>10.1} {:>10.1}",
                kind.words(),
                held.len(),
                limit.as_secs_f64(),
                held.percentile(50) / 1e3,
                held.percentile(100) / 1e3
            ));
        }
        for (name, seen) in [("without", &self.quiet), ("under attack", &self.attacked)] {
            lines.push(format!(
                "{:<26} {}",
                format!("acknowledged, {name}"),
                seen.acknowledged.words()
            ));
            lines.push(format!("{:<26} {}", format!("delivered, {name}"), seen.delivered.words()));
        }
        lines
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        // Generous: this is about for ever, not about a busy machine.
        let late = self.held.iter().filter(|(_, limit, held)| {
            (limit.as_secs_f64() * 2.0 + 5.0) * 1e3 < held.percentile(100)
        });
        let late = late.map(|(kind, limit, held)| {
            let held = held.percentile(100) / 1e3;
            format!("{}: held for {held} s, limit {limit:?}", kind.words())
        });
        late.collect()
    }
}
