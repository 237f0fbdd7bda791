//! A network that breaks for everybody at once.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::figures::{Figures, Metric};
use crate::ledger::Ledger;
use crate::scenario::meter::Meter;
use crate::scenario::votes::seats;
use crate::swarm::Swarm;
use crate::target::{Kind, Target};

const QUIET: Duration = Duration::from_secs(2);

pub(super) async fn run(target: &Target, rooms: usize, size: usize) -> io::Result<Figures> {
    let counts_votes = target.kind != Kind::Floor;
    let swarm = Swarm::new(Ledger::new(rooms, size, counts_votes));
    swarm.connect(&target.addresses, seats(target, rooms, size).await?).await?;
    swarm.settle().await;
    // Something to have missed nothing of.
    (0..rooms).for_each(|room| swarm.vote(room * size, Instant::now()));
    sleep(QUIET).await;

    let mut wrongs = swarm.wrongs();
    let tickets = swarm.drop_all();
    let meter = Meter::start(target).await;
    let back = Swarm::new(Ledger::new(rooms, size, counts_votes));
    let arrival = back.connect(&target.addresses, tickets).await?;
    let used = meter.used(target).await;

    let players = rooms * size;
    let mut figures = Figures::default();
    figures.insert(Metric::BackAfter, arrival.took.as_secs_f64());
    used.per_connect(players, &mut figures);
    figures.insert(Metric::RecoveredShare, 100.0 * arrival.recovered as f64 / players as f64);
    if let Some(redis) = &used.redis {
        figures.insert(Metric::RedisBusy, redis.cpu.as_secs_f64() * 1e3);
    }
    wrongs.add(back.broken());
    back.drop_all();
    Ok(figures.judged(wrongs))
}
