//! Votes, in an open or in a closed loop.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::figures::{Figures, Metric};
use crate::ledger::{Ledger, Tally};
use crate::pace::Pace;
use crate::scenario::Windows;
use crate::scenario::meter::{Meter, micros};
use crate::seat::Ticket;
use crate::swarm::Swarm;
use crate::target::{Kind, Target};

#[derive(Debug, Clone, Copy)]
pub(super) enum Load {
    /// Everybody votes again as soon as the last vote is acknowledged.
    Closed,
    /// Votes a second, whatever the server does.
    Rate(u32),
}

/// For what is still under way at the end.
const SETTLE: Duration = Duration::from_secs(3);

pub(super) async fn run(
    target: &Target,
    rooms: usize,
    size: usize,
    load: Load,
    windows: Windows,
) -> io::Result<Figures> {
    let swarm = Swarm::new(Ledger::new(rooms, size, target.kind != Kind::Floor));
    let tickets = seats(target, rooms, size).await?;
    swarm.connect(&target.addresses, tickets).await?;
    swarm.settle().await;

    let mut usage = None;
    let begin = Instant::now();
    match load {
        Load::Closed => {
            swarm.close_loop();
            sleep(windows.warm_up).await;
            usage = Some(Usage::begin(target, &swarm).await);
            sleep(windows.window).await;
        }
        Load::Rate(rate) => {
            let mut pace = Pace::new(rate);
            let mut order = Order::new(rooms, size);
            loop {
                let due = pace.due().await;
                let elapsed = begin.elapsed();
                if windows.warm_up <= elapsed && usage.is_none() {
                    usage = Some(Usage::begin(target, &swarm).await);
                }
                if windows.warm_up + windows.window <= elapsed {
                    break;
                }
                swarm.vote(order.next(), due);
            }
        }
    }
    let Some(usage) = usage else { return Ok(Figures::default()) };
    let figures = usage.end(target, &swarm).await;
    swarm.open_loop();
    swarm.drained(SETTLE).await;
    swarm.drop_all();
    Ok(figures.judged(swarm.wrongs()))
}

/// Seats in new sessions, room after room.
pub(super) async fn seats(target: &Target, rooms: usize, size: usize) -> io::Result<Vec<Ticket>> {
    let sessions = target.open_sessions(rooms, size).await?;
    let seat = |player: usize| Ticket::new(&sessions[player / size], player);
    Ok((0..rooms * size).map(seat).collect())
}

/// Who votes next: one of another room each time, everybody equally often.
struct Order {
    rooms: usize,
    size: usize,
    next: usize,
}

impl Order {
    const fn new(rooms: usize, size: usize) -> Self {
        Self { rooms, size, next: 0 }
    }

    const fn next(&mut self) -> usize {
        let (room, place) = (self.next % self.rooms, self.next / self.rooms % self.size);
        self.next += 1;
        room * self.size + place
    }
}

/// A window in which votes are counted, and what the servers use in it.
pub(super) struct Usage(Meter);

impl Usage {
    pub(super) async fn begin(target: &Target, swarm: &Swarm) -> Self {
        let meter = Meter::start(target).await;
        swarm.ledger.borrow_mut().tally = Tally::new();
        Self(meter)
    }

    pub(super) async fn end(self, target: &Target, swarm: &Swarm) -> Figures {
        let used = self.0.used(target).await;
        let mut figures = Figures::default();
        let tally = &swarm.ledger.borrow().tally;
        let deliveries = tally.deliveries as f64;
        figures.insert(Metric::DeliveriesPerSecond, deliveries / used.took.as_secs_f64());
        figures.insert(Metric::CpuPerDelivery, micros(used.cpu) / deliveries.max(1.0));
        let votes = tally.votes.max(1) as f64;
        figures.insert(Metric::WakesPerVote, used.sleeps as f64 / votes);
        let mut quantiles = |histogram: &hdrhistogram::Histogram<u64>, p50, p99| {
            figures.insert(p50, histogram.value_at_quantile(0.5) as f64 / 1e6);
            figures.insert(p99, histogram.value_at_quantile(0.99) as f64 / 1e6);
        };
        quantiles(&tally.acks, Metric::AckP50, Metric::AckP99);
        quantiles(&tally.fan_outs, Metric::FanOutP50, Metric::FanOutP99);
        if let Some(redis) = used.redis {
            figures.insert(Metric::RedisCpuPerVote, micros(redis.cpu) / votes);
            figures.insert(Metric::ScriptsPerVote, redis.scripts as f64 / votes);
        }
        figures
    }
}
