//! How fast something may come.

use std::time::Duration;

use tokio::time::Instant;

/// So many a second in the long run; what [`BURST`] allows may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    interval: Duration,
}

/// A whole office comes back within a second when its instance has ended.
pub(super) const BURST: Duration = Duration::from_secs(10);

/// When all that has come would have come, one by one. The generic cell rate
/// algorithm (ITU-T I.371): a token bucket in one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due(Instant);

impl Rate {
    pub(super) fn per_second(max: u32) -> Self {
        Self { interval: Duration::from_secs(1) / max.max(1) }
    }

    /// One more. `Err`: how long it is too early.
    pub(super) fn advance(self, due: Option<Due>, now: Instant) -> Result<Due, Duration> {
        let due = due.map_or(now, |Due(due)| due.max(now));
        let next = due + self.interval;
        match (next - now).checked_sub(BURST) {
            None | Some(Duration::ZERO) => Ok(Due(next)),
            Some(early) => Err(early),
        }
    }
}

impl Due {
    /// Whether it is as if nothing had ever come.
    pub(super) fn is_past(self, now: Instant) -> bool {
        self.0 <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_at_once_and_then_no_more_than_the_rate() {
        let rate = Rate::per_second(10);
        let now = Instant::now();
        let mut due = None;
        let mut admitted = 0;
        // A hundred times the rate, for twenty seconds.
        for ms in 0..20_000 {
            if let Ok(next) = rate.advance(due, now + Duration::from_millis(ms)) {
                due = Some(next);
                admitted += 1;
            }
        }
        assert_eq!(admitted, 10 * (10 + 20) - 1, "the burst, and the rate");
    }

    #[test]
    fn it_says_how_long_to_wait() {
        let rate = Rate::per_second(1);
        let now = Instant::now();
        let mut due = None;
        for _ in 0..10 {
            due = Some(rate.advance(due, now).expect("of the burst"));
        }
        assert_eq!(rate.advance(due, now), Err(Duration::from_secs(1)));
        assert!(rate.advance(due, now + Duration::from_secs(1)).is_ok());
        assert!(!due.expect("one").is_past(now));
        assert!(due.expect("one").is_past(now + BURST));
    }
}
