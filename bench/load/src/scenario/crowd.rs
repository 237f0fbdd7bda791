//! Many who join and then sit there.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

use crate::figures::{Figures, Metric};
use crate::ledger::Ledger;
use crate::scenario::meter::Meter;
use crate::scenario::votes::seats;
use crate::swarm::Swarm;
use crate::target::{Kind, Target};

/// Until what a join leaves behind is gone: buffers, timers, tasks.
const SETTLE: Duration = Duration::from_secs(5);

pub(super) async fn run(target: &Target, rooms: usize, size: usize) -> io::Result<Figures> {
    let players = rooms * size;
    let tickets = seats(target, rooms, size).await?;
    let (resident, memory) = (target.resident(), target.redis_memory().await);
    let meter = Meter::start(target).await;
    let swarm = Swarm::new(Ledger::new(rooms, size, target.kind != Kind::Floor));
    let arrival = swarm.connect(&target.addresses, tickets).await?;
    let used = meter.used(target).await;
    sleep(SETTLE).await;

    let mut figures = Figures::default();
    used.per_connect(players, &mut figures);
    let players = players as f64;
    let kib = |before: u64, after: u64| after.saturating_sub(before) as f64 / 1_024.0;
    figures.insert(Metric::StartToAnswer, target.start.as_secs_f64() * 1e3);
    figures.insert(Metric::ConnectsPerSecond, players / arrival.took.as_secs_f64());
    let resident = kib(resident, target.resident());
    figures.insert(Metric::ResidentPerConnection, resident / players);
    if target.kind.has_redis() {
        let memory = kib(memory, target.redis_memory().await);
        figures.insert(Metric::RedisPerSession, memory / rooms as f64);
    }
    swarm.drop_all();
    Ok(figures.judged(swarm.broken()))
}
