//! Who joins a session with a past, next to who joins one without.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::{Instant, timeout};

use crate::figures::{Figures, Metric};
use crate::ledger::Ledger;
use crate::scenario::meter::{Meter, micros};
use crate::seat::{Seated, Ticket};
use crate::swarm::Swarm;
use crate::target::Target;
use crate::wrong::{Wrong, Wrongs};

/// Players who stay, in either session.
const SIZE: usize = 10;
/// Guests of either session, one after the other: each joins and leaves.
const GUESTS: usize = 200;
/// Guests in a row; then the other session has its turn.
const TURN: usize = 20;
/// Votes of a player in a round: one, and changes.
const VOTES_PER_ROUND: usize = 5;
/// With the reveal and the reset.
const EVENTS_PER_ROUND: usize = SIZE * VOTES_PER_ROUND + 2;
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn run(target: &Target, events: usize) -> io::Result<Figures> {
    let (Some(home), Some(door)) = (target.addresses.first(), target.addresses.last()) else {
        return Ok(Figures::default());
    };
    let sessions = target.open_sessions(2, SIZE + 1).await?;
    let seat = |player: usize| Ticket::new(&sessions[player / SIZE], player);
    let swarm = Swarm::new(Ledger::new(2, SIZE, true));
    swarm.connect(&[*home], (0..2 * SIZE).map(seat).collect()).await?;
    swarm.settle().await;
    grow_old(&swarm, events).await;

    let [mut aged, mut new] =
        [(0, events), (1, 0)].map(|(index, past)| Visits::new(&sessions[index], past));
    let mut guests = 2 * SIZE..;
    for _ in 0..GUESTS / TURN {
        for visits in [&mut aged, &mut new] {
            let meter = Meter::start(target).await;
            for guest in guests.by_ref().take(TURN) {
                visits.take(*door, guest).await?;
            }
            visits.cpu += meter.used(target).await.cpu;
        }
    }
    swarm.drained(PATIENCE).await;

    let mut wrongs = swarm.wrongs();
    let mut figures = Figures::default();
    use Metric::*;
    aged.report([AgedJoinP50, AgedJoinP99, AgedCpuPerJoin, AgedJoinBytes], &mut figures);
    new.report([NewJoinP50, NewJoinP99, NewCpuPerJoin, NewJoinBytes], &mut figures);
    if home != door {
        figures.insert(AgedFirstJoin, aged.first.as_secs_f64() * 1e3);
        figures.insert(NewFirstJoin, new.first.as_secs_f64() * 1e3);
    }
    wrongs.add(aged.wrongs);
    wrongs.add(new.wrongs);
    swarm.drop_all();
    Ok(figures.judged(wrongs))
}

/// Rounds in the first room until `events` have passed, each vote sent when
/// everybody has heard of the one before.
async fn grow_old(swarm: &Swarm, events: usize) {
    for _ in 0..events.div_ceil(EVENTS_PER_ROUND) {
        for _ in 0..VOTES_PER_ROUND {
            (0..SIZE).for_each(|player| swarm.vote(player, Instant::now()));
            swarm.drained(PATIENCE).await;
        }
        for event in ["cards:reveal", "game:reset"] {
            swarm.command(0, event);
            swarm.drained(PATIENCE).await;
        }
        if 0 < swarm.wrongs().count() {
            return;
        }
    }
}

/// The guests of one session.
struct Visits<'a> {
    session: &'a str,
    /// From the wish for a seat until the answer, in ns.
    joins: Histogram<u64>,
    /// The first of them, for which the instance may have to load the session.
    first: Duration,
    count: usize,
    bytes: usize,
    cpu: Duration,
    /// What the next snapshot has to know, at least.
    sequence: u64,
    wrongs: Wrongs,
}

impl<'a> Visits<'a> {
    fn new(session: &'a str, past: usize) -> Self {
        Self {
            session,
            joins: Histogram::new_with_max(60_000_000_000, 3).expect("sound bounds"),
            first: Duration::ZERO,
            count: 0,
            bytes: 0,
            cpu: Duration::ZERO,
            sequence: past as u64,
            wrongs: Wrongs::default(),
        }
    }

    async fn take(&mut self, server: SocketAddr, guest: usize) -> io::Result<()> {
        let seated =
            timeout(PATIENCE, Seated::take(server, Ticket::new(self.session, guest))).await??;
        let welcome = seated.welcome;
        timeout(PATIENCE, seated.leave()).await??;
        if self.count == 0 {
            self.first = welcome.after;
        }
        let ns = u64::try_from(welcome.after.as_nanos()).unwrap_or(u64::MAX);
        self.joins.saturating_record(ns);
        self.count += 1;
        self.bytes += welcome.bytes;
        if welcome.sequence < self.sequence {
            self.wrongs.note(Wrong::Outdated);
        }
        // The next one knows of this coming and going as well.
        self.sequence = welcome.sequence + 2;
        Ok(())
    }

    fn report(&self, [p50, p99, cpu, kib]: [Metric; 4], figures: &mut Figures) {
        let count = self.count.max(1) as f64;
        figures.insert(p50, self.joins.value_at_quantile(0.5) as f64 / 1e6);
        figures.insert(p99, self.joins.value_at_quantile(0.99) as f64 / 1e6);
        figures.insert(cpu, micros(self.cpu) / count);
        figures.insert(kib, self.bytes as f64 / count / 1_024.0);
    }
}
