//! The only place that asks the operating system what time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::poker::ids::Millis;

/// Wall-clock milliseconds that never run backwards: the time at the start
/// plus tokio's clock, which tests can pause. Does not follow a step of the
/// system's clock while the process runs.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: Millis,
    start: Instant,
}

impl Clock {
    #[allow(clippy::disallowed_methods, reason = "everybody else gets the time from here")]
    pub fn system() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::starting_at(Millis(since_epoch.as_millis() as u64))
    }

    /// For tests: `now` is the time at this moment.
    pub fn starting_at(now: Millis) -> Self {
        Self { base: now, start: Instant::now() }
    }

    pub fn now(&self) -> Millis {
        self.base.add_ms(self.start.elapsed().as_millis() as u64)
    }

    /// What to `sleep_until`, so that [`Self::now`] has reached `at`. A time
    /// in the past is an instant in the past; one beyond some 30 years is cut.
    pub fn instant(&self, at: Millis) -> Instant {
        self.start + Duration::from_millis(at.since(self.base).min(AHEAD_MAX_MS))
    }
}

const AHEAD_MAX_MS: u64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_paused_time() {
        let clock = Clock::starting_at(Millis(1_000));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(clock.now(), Millis(1_500));

        tokio::time::sleep_until(clock.instant(Millis(4_000))).await;
        assert_eq!(clock.now(), Millis(4_000));
        assert!(clock.instant(Millis(3_000)) < Instant::now());
        assert!(Instant::now() < clock.instant(Millis(u64::MAX)));
    }

    #[tokio::test]
    async fn the_system_knows_its_century() {
        assert!(Millis(1_600_000_000_000) < Clock::system().now());
    }
}
