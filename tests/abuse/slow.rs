//! Clients that stop reading, in rooms shared with good ones.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::figures::median;
use super::net::{POLLING, WEBSOCKET, WebSocket, connect, fetch, head, sid_of, write};
use super::party::{Party, Seen, Size};
use super::server::{Figures, Server};

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
    size: Size { rooms: 20, players: 10, votes: 5, stories: 8 },
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
    quiet: Seen,
    stopped: Seen,
    growths: Vec<f64>,
    /// Of each round: the most that was held, in bytes per slow client.
    outbox: Vec<f64>,
    resident: Vec<f64>,
    /// From the stop to the last one's end, in seconds.
    gone: Vec<f64>,
    pub(crate) still_there: usize,
    /// From the last byte that the kernel took to the end: all within, in seconds.
    took_nothing: f64,
}

/// What a client that stops reading may do first: its kernel's buffer is small.
const RECEIVE_BUFFER: u32 = 4_096;
/// From the stop until the slowest is gone, at the latest; then it counts as
/// still there. The buffers in between have to fill first.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(binary: &Path, plan: Plan) -> Result<Outcome, String> {
    let server = Server::start(binary, &[]).await?;
    let mut party = Party::begin(server.address, plan.size).await?;
    let mut outcome = Outcome { slow: plan.slow_per_room * plan.size.rooms, ..Outcome::default() };
    // Whatever is done for the first time is done now.
    party.play(plan.phase / 2).await?;
    for _ in 0..plan.rounds {
        let quiet = party.play(plan.phase).await?;
        let stopped = with_slow_ones(&server, &mut party, plan, &mut outcome).await?;
        let [before, after] = [&quiet, &stopped].map(|seen| seen.delivered.percentile(99));
        outcome.growths.push((after / before.max(1e-3) - 1.0) * 100.0);
        outcome.quiet.and(&quiet);
        outcome.stopped.and(&stopped);
    }
    outcome.took_nothing = server.figures().await?.all_below("cardroom_slow_consumer_seconds");
    Ok(outcome)
}

async fn with_slow_ones(
    server: &Server,
    party: &mut Party,
    plan: Plan,
    outcome: &mut Outcome,
) -> Result<Seen, String> {
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let mut slow = JoinSet::new();
    let mut number = 0;
    for room in &party.rooms {
        for _ in 0..plan.slow_per_room {
            let (session, stopped) = (room.session.clone(), stopped.clone());
            let address = server.address;
            match number % 4 {
                0 | 2 => slow.spawn(websocket(address, session, number, stopped)),
                1 => slow.spawn(polling(address, session, number, stopped, false)),
                _ => slow.spawn(polling(address, session, number, stopped, true)),
            };
            number += 1;
        }
    }
    let all = (plan.size.rooms * plan.size.players + outcome.slow) as f64;
    let there = server.figures_until(PATIENCE, |figures| all <= figures.connections()).await?;
    if there.connections() < all {
        return Err(format!("{} of {all} connected", there.connections()));
    }
    party.play(Duration::from_secs(2)).await?;

    let before = server.figures().await?;
    let at = Instant::now();
    let _ = stop.send(true);
    let mut watching = Watching { before, outbox: 0.0, resident: 0.0, gone: None };
    let mut seen = Seen::default();
    while at.elapsed() < plan.phase || (watching.gone.is_none() && at.elapsed() < PATIENCE) {
        seen.and(&party.play(Duration::from_millis(200)).await?);
        watching.look(&server.figures().await?, outcome.slow, at);
    }
    let slow_ones = outcome.slow as f64;
    outcome.outbox.push(watching.outbox / slow_ones);
    outcome.resident.push(watching.resident / slow_ones);
    outcome.gone.push(watching.gone.unwrap_or(PATIENCE).as_secs_f64());
    // They look, too: nobody is asked to believe the server's numbers.
    stop.send_replace(false);
    while let Some(ended) = slow.join_next().await {
        let is_gone = ended.map_err(|error| error.to_string())??;
        outcome.still_there += usize::from(!is_gone);
    }
    Ok(seen)
}

struct Watching {
    before: Figures,
    outbox: f64,
    resident: f64,
    gone: Option<Duration>,
}

impl Watching {
    fn look(&mut self, now: &Figures, slow: usize, at: Instant) {
        let before = &self.before;
        self.outbox = self.outbox.max(now.outbox_bytes() - before.outbox_bytes());
        self.resident = self.resident.max(now.resident_bytes() - before.resident_bytes());
        let closed = now.closed("slow consumer") - before.closed("slow consumer");
        if slow as f64 <= closed {
            self.gone = self.gone.or_else(|| Some(at.elapsed()));
        }
    }
}

fn auth(session: &str, number: usize) -> String {
    format!("40{}", json!({"sessionId": session, "playerName": format!("Slow {number}")}))
}

/// Whether the server ended it.
async fn websocket(
    server: SocketAddr,
    session: String,
    number: usize,
    mut stopped: watch::Receiver<bool>,
) -> Result<bool, String> {
    let stream = connect(server, None, Some(RECEIVE_BUFFER)).await?;
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
    session: String,
    number: usize,
    mut stopped: watch::Receiver<bool>,
    goes_on: bool,
) -> Result<bool, String> {
    let mut stream = connect(server, None, Some(RECEIVE_BUFFER)).await?;
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
        let growth = |name: &str, before: f64, after: f64| {
            let percent = (after / before.max(1e-3) - 1.0) * 100.0;
            format!("{name} p99 grows by {percent:+.1} %")
        };
        let [quiet, stopped] = [&self.quiet, &self.stopped];
        let p99 = |seen: &Seen| (seen.acknowledged.percentile(99), seen.delivered.percentile(99));
        let ((quiet_ack, quiet_told), (slow_ack, slow_told)) = (p99(quiet), p99(stopped));
        let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        vec![
            format!(
                "slow clients               {} (half WebSocket, a quarter polls no more, a quarter reads its answer by bytes)",
                self.slow
            ),
            format!("acknowledged, without them {}", quiet.acknowledged.words()),
            format!("acknowledged, with them    {}", stopped.acknowledged.words()),
            format!("delivered, without them    {}", quiet.delivered.words()),
            format!("delivered, with them       {}", stopped.delivered.words()),
            format!(
                "{}; {}; median of {} rounds {:+.1} % (goal: < 10 %)",
                growth("acknowledged", quiet_ack, slow_ack),
                growth("delivered", quiet_told, slow_told),
                self.growths.len(),
                median(self.growths.clone())
            ),
            format!(
                "held for each slow client  {:.1} KiB counted by the server, {:.1} KiB resident (most of any round; median {:.1}; goal: ≤ 64)",
                most(&self.outbox) / 1024.0,
                most(&self.resident) / 1024.0,
                median(self.resident.clone()) / 1024.0
            ),
            format!(
                "all gone                   {:.1} s after they stopped reading (buffers fill first)",
                most(&self.gone)
            ),
            format!(
                "                           ≤ {:.1} s after they last took something (goal: ≤ 10)",
                self.took_nothing
            ),
            format!("still there                {}", self.still_there),
        ]
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if 0 < self.still_there {
            problems.push(format!("{} slow clients are still there", self.still_there));
        }
        if 10.0 < self.took_nothing {
            problems.push(format!("a slow client stayed for {} s", self.took_nothing));
        }
        let held = self.outbox.iter().copied().fold(0.0, f64::max);
        if 65_536.0 < held {
            problems.push(format!("{held} bytes are held for each slow client"));
        }
        problems
    }
}
