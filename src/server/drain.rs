//! How an instance lets its clients go.
//!
//! ```text
//!  wish ── notice ──┬────────────── spread ──────────────┬── reserve ──▶ end
//!   │               │ each connection at its own moment: │
//!   │ /readyz fails │ goodbye, and shortly after close   │ stragglers;
//!   │ handshakes    │ of the engine                      │ requests finish
//!   │ get 503       │ relayed WebSockets likewise        │
//! ```
//!
//! The port stays open all the time: polls of the connections that are left,
//! and of those that other instances have, may come over new TCP connections.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::info;

use crate::connection::Connections;
use crate::protocol::CloseReason;
use crate::table::Table;
use crate::transport::relay::Relay;

/// From the goodbye to the close. A polling client that learns of both in one
/// answer takes the close first and hears nothing else.
const GOODBYE: Duration = Duration::from_millis(250);
/// Connections of so much time are closed together.
const BATCH: Duration = Duration::from_millis(50);
/// For stragglers, at the most.
const RESERVE_MAX: Duration = Duration::from_secs(10);
/// Even an instance that drains for no time lets its requests finish.
const FINISH_MIN: Duration = Duration::from_millis(250);
/// A few connections are not spread over minutes: one for each of these.
const SPREAD_PER_CONNECTION_MAX: Duration = Duration::from_secs(1);
/// The spread, or else the wait that clients are asked for, is so long.
const RETURN_SECONDS: u32 = 5;

/// How the time of a drain is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DrainPlan {
    /// Until load balancers have noticed that `/readyz` fails: nobody is sent
    /// away before, who might be sent back here.
    notice: Duration,
    spread: Duration,
    reserve: Duration,
}

impl DrainPlan {
    pub(super) fn new(total: Duration, notice: Duration) -> Self {
        let notice = notice.min(total / 4);
        let reserve = RESERVE_MAX.min(total / 4);
        Self { notice, spread: total - notice - reserve, reserve }
    }

    /// What is left for the requests in flight when nobody is connected.
    pub(super) fn finish(&self) -> Duration {
        FINISH_MIN.max(self.reserve / 2)
    }

    fn spread_of(&self, count: usize) -> Duration {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.spread.min(SPREAD_PER_CONNECTION_MAX.saturating_mul(count))
    }
}

pub(super) struct Drain {
    pub(super) connections: Connections,
    pub(super) relay: Option<Relay>,
    pub(super) table: Table,
    pub(super) plan: DrainPlan,
}

impl Drain {
    /// Returns when nobody is connected, or the time is over.
    pub(super) async fn run(&self) {
        let begun = Instant::now();
        self.connections.turn_away();
        if !self.is_empty() {
            sleep(self.plan.notice).await;
            self.send_away().await;
            // Who slipped in, who does not listen.
            self.connections.close_all(CloseReason::ServerShuttingDown);
            let patience = Instant::now() + self.plan.reserve / 2;
            while !self.is_empty() && Instant::now() < patience {
                sleep(BATCH).await;
            }
        }
        let duration_ms = begun.elapsed().as_millis() as u64;
        info!(untold = self.connections.len(), duration_ms, "drained");
    }

    /// Closes the connections one after the other, all over the spread.
    async fn send_away(&self) {
        let connections = self.connections.all();
        let relayed = self.relay.as_ref().map_or(0, Relay::in_flight);
        let spread = self.plan.spread_of(connections.len() + relayed);
        if let Some(relay) = &self.relay {
            relay.leave_within(spread);
        }
        info!(
            connections = connections.len(),
            relayed,
            spread_ms = spread.as_millis() as u64,
            "closing the connections"
        );
        let goodbyes = Table::goodbyes(RETURN_SECONDS.saturating_sub(spread.as_secs() as u32));
        let moments = moments(connections.len(), spread);
        let (mut told, mut closed) = (0, 0);
        let begun = Instant::now();
        while closed < connections.len() {
            sleep(BATCH).await;
            let elapsed = begun.elapsed();
            let (was_told, was_closed) = (told, closed);
            told = moments.partition_point(|at| *at <= elapsed);
            closed = moments.partition_point(|at| *at + GOODBYE <= elapsed);
            for (number, connection) in connections[was_told..told].iter().enumerate() {
                if let Some(goodbye) = goodbyes.get((was_told + number) % goodbyes.len().max(1)) {
                    connection.tell(goodbye.clone());
                }
            }
            for connection in &connections[was_closed..closed] {
                connection.close(CloseReason::ServerShuttingDown);
            }
        }
        // The relayed ones choose their moments themselves.
        sleep(spread.saturating_sub(begun.elapsed())).await;
    }

    fn is_empty(&self) -> bool {
        self.connections.is_empty()
            && self.relay.as_ref().is_none_or(|relay| relay.in_flight() == 0)
    }
}

/// When each has to go, in order: each gets a part of the time, and a moment in
/// it by chance.
fn moments(count: usize, spread: Duration) -> Vec<Duration> {
    let part = spread.div_f64(count.max(1) as f64);
    (0..count).map(|number| part.mul_f64(number as f64 + fraction())).collect()
}

/// From 0 to 1.
fn fraction() -> f64 {
    let random = getrandom::u32().unwrap_or_default();
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_has_three_parts_and_none_is_longer_than_its_share() {
        let plan = DrainPlan::new(20 * SECOND, 2 * SECOND);
        assert_eq!(
            plan,
            DrainPlan { notice: 2 * SECOND, spread: 13 * SECOND, reserve: 5 * SECOND }
        );
        let long = DrainPlan::new(120 * SECOND, 2 * SECOND);
        assert_eq!((long.spread, long.reserve), (108 * SECOND, 10 * SECOND));
        let short = DrainPlan::new(SECOND, 2 * SECOND);
        assert_eq!((short.notice, short.spread), (SECOND / 4, SECOND / 2));
        let none = DrainPlan::new(Duration::ZERO, 2 * SECOND);
        assert_eq!((none.notice, none.spread), (Duration::ZERO, Duration::ZERO));
        assert!(Duration::ZERO < none.finish());
    }

    #[test]
    fn a_few_connections_do_not_take_minutes() {
        let plan = DrainPlan::new(120 * SECOND, SECOND);
        assert_eq!(plan.spread_of(0), Duration::ZERO);
        assert_eq!(plan.spread_of(3), 3 * SECOND);
        assert_eq!(plan.spread_of(usize::MAX), plan.spread);
    }

    #[test]
    fn moments_are_spread_evenly_and_by_chance() {
        let moments = moments(1_000, 10 * SECOND);
        assert!(moments.is_sorted() && moments.iter().all(|at| *at <= 10 * SECOND));
        for second in 0..10 {
            let within = |at: &&Duration| (second * SECOND..(second + 1) * SECOND).contains(*at);
            let count = moments.iter().filter(within).count();
            assert!((99..=101).contains(&count), "{count} in second {second}");
        }
    }
}
