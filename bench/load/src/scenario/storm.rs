//! A network that breaks for everybody at once.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::ledger::Ledger;
use crate::scenario::votes::{micros, seats};
use crate::scenario::{Figures, Metric};
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

    let tickets = swarm.drop_all();
    let (cpu, redis_cpu) = (target.cpu(), target.redis_cpu());
    let back = Swarm::new(Ledger::new(rooms, size, counts_votes));
    let arrival = back.connect(&target.addresses, tickets).await?;
    let (cpu, redis_cpu) = (target.cpu() - cpu, target.redis_cpu() - redis_cpu);

    let players = (rooms * size) as f64;
    let mut figures = Figures::new();
    figures.insert(Metric::BackAfter, arrival.took.as_secs_f64());
    figures.insert(Metric::CpuPerConnect, micros(cpu) / players);
    figures.insert(Metric::RecoveredShare, 100.0 * arrival.recovered as f64 / players);
    if target.kind.has_redis() {
        figures.insert(Metric::RedisCpuPerVote, micros(redis_cpu) / players);
    }
    figures.insert(Metric::Wrong, f64::from(back.ended()));
    back.drop_all();
    Ok(figures)
}
