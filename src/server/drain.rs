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

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::info;

use crate::connection::{Connection, Connections};
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
        info!(connections_left = self.connections.len(), duration_ms, "drained");
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
        let mut leaving = Leaving::spread(connections, spread);
        let begun = Instant::now();
        while !leaving.is_done() {
            sleep(BATCH).await;
            let elapsed = begun.elapsed();
            for (number, connection) in leaving.next_told(elapsed) {
                if let Some(goodbye) = goodbyes.get(number % goodbyes.len().max(1)) {
                    connection.tell(goodbye.clone());
                }
            }
            for connection in leaving.next_closed(elapsed) {
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

/// Connections and when each has to go, in that order.
struct Leaving {
    due: Vec<(Duration, Arc<Connection>)>,
    told: usize,
    closed: usize,
}

impl Leaving {
    /// Each gets a part of the time, and a moment in it by chance.
    fn spread(connections: Vec<Arc<Connection>>, spread: Duration) -> Self {
        let part = spread.div_f64(connections.len().max(1) as f64);
        let due = connections
            .into_iter()
            .enumerate()
            .map(|(number, connection)| (part.mul_f64(number as f64 + fraction()), connection));
        Self { due: due.collect(), told: 0, closed: 0 }
    }

    fn is_done(&self) -> bool {
        self.closed == self.due.len()
    }

    /// Those whose time has come; with their numbers.
    fn next_told(&mut self, elapsed: Duration) -> impl Iterator<Item = (usize, &Arc<Connection>)> {
        let first = self.told;
        self.told += self.count(first, elapsed);
        self.due[first..self.told]
            .iter()
            .enumerate()
            .map(move |(index, (_, connection))| (first + index, connection))
    }

    fn next_closed(&mut self, elapsed: Duration) -> impl Iterator<Item = &Arc<Connection>> {
        let first = self.closed;
        if let Some(elapsed) = elapsed.checked_sub(GOODBYE) {
            self.closed += self.count(first, elapsed);
        }
        self.due[first..self.closed].iter().map(|(_, connection)| connection)
    }

    fn count(&self, first: usize, elapsed: Duration) -> usize {
        self.due[first..].iter().take_while(|(due, _)| *due <= elapsed).count()
    }
}

/// From 0 to 1.
fn fraction() -> f64 {
    let random = getrandom::u32().unwrap_or_default();
    f64::from(random) / f64::from(u32::MAX)
}
