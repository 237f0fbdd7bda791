//! The time of Redis, which all instances share, without asking every time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::poker::ids::Millis;

/// Redis' time as last heard plus what has passed here since. Never runs
/// backwards; after a step back it stands until the time is caught up.
#[derive(Debug)]
pub(super) struct ServerClock {
    start: Instant,
    /// The server's milliseconds at `start`.
    base_ms: AtomicU64,
    latest_ms: AtomicU64,
}

impl ServerClock {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), base_ms: AtomicU64::new(0), latest_ms: AtomicU64::new(0) }
    }

    /// The server said `server`, `round_trip` after it was asked.
    pub(super) fn hear(&self, server: Millis, round_trip: Duration) {
        let since_start = self.start.elapsed().as_millis() as u64;
        let half = round_trip.as_millis() as u64 / 2;
        let base = server.add_ms(half).saturating_sub_ms(since_start);
        self.base_ms.store(base.0, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Millis {
        let elapsed = self.start.elapsed().as_millis() as u64;
        let now = self.base_ms.load(Ordering::Relaxed).saturating_add(elapsed);
        Millis(self.latest_ms.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_the_server_and_never_runs_back() {
        let clock = ServerClock::new();
        clock.hear(Millis(10_000), Duration::from_millis(20));
        assert_eq!(clock.now(), Millis(10_010));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(clock.now(), Millis(10_510));
        clock.hear(Millis(9_000), Duration::ZERO);
        assert_eq!(clock.now(), Millis(10_510));
        tokio::time::advance(Duration::from_millis(2_000)).await;
        assert_eq!(clock.now(), Millis(11_000));
        clock.hear(Millis(20_000), Duration::ZERO);
        assert_eq!(clock.now(), Millis(20_000));
    }
}
