//! Clients that stop reading, in rooms shared with good ones.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::figures::{Sorted, median, most};
use super::kernel::Sockets;
use super::net::{POLLING, WEBSOCKET, WebSocket, connect, fetch, head, sid_of, write};
use super::party::{Party, Seen, Size};
use super::server::Server;
use super::watching::{Gone, PATIENCE, Watching};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) size: Size,
    /// Half of them over WebSocket.
    pub(crate) slow_per_room: usize,
    pub(crate) rounds: usize,
    /// Without the slow ones, and with them after they stopped.
    pub(crate) phase: Duration,
}

pub(crate) const LONG: Plan = Plan {
    size: Size { rooms: 20, players: 10, votes: 3, stories: 4 },
    slow_per_room: 10,
    rounds: 5,
    phase: Duration::from_secs(20),
};

pub(crate) const SHORT: Plan = Plan {
    size: Size { rooms: 2, players: 3, votes: 5, stories: 20 },
    slow_per_room: 6,
    rounds: 1,
    phase: Duration::from_secs(1),
};

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) slow: usize,
    /// Without the slow ones, while they still read, and from the moment that
    /// they stopped until they were gone.
    quiet: Seen,
    reading: Seen,
    stopped: Seen,
    /// Of each round: what the stop did to the p99 of deliveries, in percent.
    growths: Vec<f64>,
    /// Of each round: the most that was held, in bytes per slow client.
    outbox: Vec<f64>,
    resident: Vec<f64>,
    gone: Vec<Gone>,
    /// Closed while they still read: a busy machine's, or ours.
    lost: f64,
    pub(crate) still_there: usize,
}

/// What a client that stops reading may do first: its kernel's buffer is small.
const RECEIVE_BUFFER: u32 = 4_096;
const LOOK: Duration = Duration::from_millis(100);

pub(crate) async fn run(binary: &Path, plan: Plan) -> Result<Outcome, String> {
    let server = Server::start(binary, &[]).await?;
    let mut party = Party::begin(server.address, plan.size).await?;
    let mut outcome = Outcome { slow: plan.slow_per_room * plan.size.rooms, ..Outcome::default() };
    // Whatever is done for the first time is done now.
    party.play(plan.phase / 2).await?;
    for _ in 0..plan.rounds {
        let quiet = party.play(plan.phase).await?;
        with_slow_ones(&server, &mut party, plan, &mut outcome).await?;
        outcome.quiet.and(&quiet);
    }
    Ok(outcome)
}

async fn with_slow_ones(
    server: &Server,
    party: &mut Party,
    plan: Plan,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let (stop, stopped) = watch::channel(false);
    let mut slow = JoinSet::new();
    let mut ports = Vec::new();
    let rooms = party.rooms.iter().flat_map(|room| vec![room; plan.slow_per_room]);
    for (number, room) in rooms.enumerate() {
        let (address, session, stopped) = (server.address, room.session.clone(), stopped.clone());
        let stream = connect(address, None, Some(RECEIVE_BUFFER)).await?;
        let port = stream.local_addr().map_err(|error| error.to_string())?.port();
        match number % 4 {
            0 | 2 => {
                ports.push(port);
                slow.spawn(websocket(stream, session, number, stopped))
            }
            1 => slow.spawn(polling(address, stream, session, number, stopped, false)),
            _ => slow.spawn(polling(address, stream, session, number, stopped, true)),
        };
    }
    let all = (plan.size.rooms * plan.size.players + outcome.slow) as f64;
    let there = server.figures_until(PATIENCE, |figures| all <= figures.connections()).await?;
    if there.connections() < all {
        return Err(format!("{} of {all} connected", there.connections()));
    }
    party.play(Duration::from_secs(2)).await?; // they join
    let reading = party.play(plan.phase / 2).await?;

    let before = server.figures().await?;
    outcome.lost += all - before.connections();
    let mut watching = Watching::new(before, &ports);
    stop.send_replace(true);
    let mut seen = Seen::default();
    while !watching.all_gone() && watching.is_patient() {
        seen.and(&party.play(LOOK).await?);
        watching.look(&server.figures().await?, &Sockets::of(server.address)?);
    }
    let p99 = |seen: &Seen| seen.delivered.percentile(99);
    outcome.growths.push(growth_percent(p99(&reading), p99(&seen)));
    outcome.reading.and(&reading);
    outcome.stopped.and(&seen);
    let slow_ones = outcome.slow as f64;
    outcome.outbox.push(watching.outbox / slow_ones);
    outcome.resident.push(watching.resident / slow_ones);
    outcome.gone.push(watching.gone());
    // They look, too: nobody is asked to believe the server's numbers.
    stop.send_replace(false);
    while let Some(ended) = slow.join_next().await {
        let is_gone = ended.map_err(|error| error.to_string())??;
        outcome.still_there += usize::from(!is_gone);
    }
    Ok(())
}

fn growth_percent(before: f64, after: f64) -> f64 {
    (after / before.max(1e-3) - 1.0) * 100.0
}

fn auth(session: &str, number: usize) -> String {
    format!("40{}", json!({"sessionId": session, "playerName": format!("Slow {number}")}))
}

/// Whether the server ended it.
async fn websocket(
    stream: TcpStream,
    session: String,
    number: usize,
    mut stopped: watch::Receiver<bool>,
) -> Result<bool, String> {
    let mut socket = WebSocket::upgrade(stream, WEBSOCKET).await?;
    socket.say(&auth(&session, number)).await?;
    loop {
        tokio::select! {
            heard = socket.hear() => { heard?; }
            _ = stopped.wait_for(|stopped| *stopped) => break,
        }
    }
    stopped.wait_for(|stopped| !*stopped).await.map_err(|error| error.to_string())?;
    // A reset is seen without reading; what is not reset can still be read to
    // its end, which must come.
    if matches!(socket.stream.take_error(), Ok(Some(_))) {
        return Ok(true);
    }
    let mut rest = Vec::new();
    let read = socket.stream.read_to_end(&mut rest);
    Ok(tokio::time::timeout(Duration::from_secs(5), read).await.is_ok())
}

/// Stops polling, or goes on and reads its answer byte by byte. Whether its
/// `sid` is unknown afterwards.
async fn polling(
    server: SocketAddr,
    mut stream: TcpStream,
    session: String,
    number: usize,
    mut stopped: watch::Receiver<bool>,
    goes_on: bool,
) -> Result<bool, String> {
    let open = fetch(&mut stream, "GET", POLLING, b"").await?;
    let target = format!("{POLLING}&sid={}", sid_of(&open.body)?);
    fetch(&mut stream, "POST", &target, auth(&session, number).as_bytes()).await?;
    while !*stopped.borrow() {
        fetch(&mut stream, "GET", &target, b"").await?;
    }
    if goes_on {
        sleep(Duration::from_millis(1_500)).await; // something waits by now
        write(&mut stream, head("GET", &target, "", 0).as_bytes()).await?;
        tokio::select! {
            () = drip(&mut stream) => {}
            _ = stopped.wait_for(|stopped| !*stopped) => {}
        }
    }
    let _ = stopped.wait_for(|stopped| !*stopped).await;
    let mut again = connect(server, None, None).await?;
    Ok(fetch(&mut again, "GET", &target, b"").await?.status == 400)
}

async fn drip(stream: &mut TcpStream) {
    while stream.read_u8().await.is_ok() {
        sleep(Duration::from_millis(100)).await;
    }
}

impl Outcome {
    pub(crate) fn lines(&self) -> Vec<String> {
        let gone = |of: fn(&Gone) -> f64| most(self.gone.iter().map(of));
        let mut lines = vec![format!(
            "{:<27}{} (half WebSocket, a quarter polls no more, a quarter reads its answer by bytes)",
            "slow clients", self.slow
        )];
        for (name, of) in KINDS {
            let phases = [&self.quiet, &self.reading, &self.stopped].map(of);
            for (phase, seen) in ["without them", "they read", "they stopped"].iter().zip(phases) {
                lines.push(format!("{:<27}{}", format!("{name}, {phase}"), seen.words()));
            }
            let [quiet, reading, stopped] = phases.map(|seen| seen.percentile(99));
            lines.push(format!(
                "{:<27}{:+.1} % by their stop; {:+.1} % against rooms of half the size, without them",
                "  p99 grows by",
                growth_percent(reading, stopped),
                growth_percent(quiet, stopped)
            ));
        }
        lines.push(format!(
            "{:<27}{:+.1} % by their stop (goal: < 10 %)",
            format!("  delivered, median of {}", self.growths.len()),
            median(self.growths.clone())
        ));
        lines.push(format!(
            "held for each slow client  {:.1} KiB counted by the server, {:.1} KiB resident (most of any round; median {:.1}; goal: ≤ 64); ≤ {:.1} KiB by the kernels",
            most(self.outbox.iter().copied()) / 1024.0,
            most(self.resident.iter().copied()) / 1024.0,
            median(self.resident.clone()) / 1024.0,
            gone(|gone| gone.kernel_bytes as f64) / 1024.0
        ));
        lines.push(format!(
            "all gone                   {:.1} s after they stopped over WebSocket, {:.1} s over polling (goal: ≤ 10)",
            gone(|gone| gone.websocket),
            gone(|gone| gone.polling)
        ));
        lines.push(format!(
            "                           over WebSocket {:.1} s after the last byte that the kernel took",
            gone(|gone| gone.took_nothing)
        ));
        lines.push(format!(
            "still there                {} ({} were lost while they read)",
            self.still_there, self.lost
        ));
        lines
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if 0 < self.still_there {
            problems.push(format!("{} slow clients are still there", self.still_there));
        }
        let last = most(self.gone.iter().map(|gone| gone.websocket.max(gone.polling)));
        if GONE_SECONDS_MAX < last {
            problems.push(format!("a slow client stayed for {last:.1} s"));
        }
        let held = most(self.outbox.iter().copied());
        if HELD_BYTES_MAX < held {
            problems.push(format!("{held} bytes are held for each slow client"));
        }
        let growth = median(self.growths.clone());
        if GROWTH_PERCENT_MAX < growth {
            problems.push(format!("the good ones' p99 grows by {growth:.1} %"));
        }
        problems
    }
}

type Kind = (&'static str, fn(&Seen) -> &Sorted);

const KINDS: [Kind; 2] =
    [("acknowledged", |seen| &seen.acknowledged), ("delivered", |seen| &seen.delivered)];
const GROWTH_PERCENT_MAX: f64 = 10.0;
const GONE_SECONDS_MAX: f64 = 10.0;
const HELD_BYTES_MAX: f64 = 65_536.0;
