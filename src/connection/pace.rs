//! Whether a client takes what waits for it.
//!
//! Pure: time comes in. A client is as slow as the network says: over a
//! WebSocket it takes what the kernel accepts for it, over polling what it
//! polls for.

use std::time::Duration;

/// How slow a client may be.
///
/// The first message that waits is not counted: it may be a snapshot that is
/// larger than all that may wait behind it. So what a client that stopped
/// reading keeps alive is one message and `bytes_max`, or what its rooms say in
/// [`PAUSE`] if that is more; after `timeout` at the latest it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceLimits {
    /// What may wait behind the first message while the client takes nothing,
    /// in [held bytes](crate::hub::held_bytes).
    pub bytes_max: usize,
    /// How long a client may take nothing while something waits, or take less
    /// than all while more than `bytes_max` waits.
    pub timeout: Duration,
}

/// Who takes nothing for so long is not just late: beyond `bytes_max` this is
/// the end. A burst is over by then, and a busy machine has found the time to
/// write.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pace {
    limits: PaceLimits,
    /// Since when something waits and nothing has been taken.
    waiting_since: Option<Duration>,
    /// Since when more than `bytes_max` waits.
    crowded_since: Option<Duration>,
}

impl Pace {
    pub(super) fn new(limits: PaceLimits) -> Self {
        Self { limits, waiting_since: None, crowded_since: None }
    }

    /// Nothing waits, or nothing of what waited.
    pub(super) fn rest(&mut self) {
        self.waiting_since = None;
        self.crowded_since = None;
    }

    /// The client took something; if anything is left it waits from now on.
    pub(super) fn took(&mut self) {
        self.waiting_since = None;
    }

    /// So much waits behind the first message, and cannot go now.
    pub(super) fn waits(&mut self, now: Duration, behind_first_bytes: usize) {
        self.waiting_since.get_or_insert(now);
        if self.limits.bytes_max < behind_first_bytes {
            self.crowded_since.get_or_insert(now);
        } else {
            self.crowded_since = None;
        }
    }

    /// When the client is too slow, unless it takes something before.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let since = self.waiting_since?;
        let timeout = self.limits.timeout;
        let deadline = since + timeout;
        let Some(crowded_since) = self.crowded_since else { return Some(deadline) };
        Some(deadline.min(since + PAUSE).min(crowded_since + timeout))
    }

    /// How long it has taken nothing.
    pub(super) fn waited(&self, now: Duration) -> Duration {
        self.waiting_since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PaceLimits = PaceLimits { bytes_max: 1_000, timeout: Duration::from_secs(8) };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn who_takes_nothing_has_the_time_out() {
        let mut pace = Pace::new(LIMITS);
        assert_eq!(pace.deadline(), None);
        pace.waits(at(1), 0);
        pace.waits(at(5), 1_000);
        assert_eq!(pace.deadline(), Some(at(9)));
        assert_eq!(pace.waited(at(5)), at(4));
        pace.rest();
        assert_eq!(pace.deadline(), None);
    }

    #[test]
    fn who_takes_something_has_it_anew() {
        let mut pace = Pace::new(LIMITS);
        pace.waits(at(1), 0);
        pace.took();
        pace.waits(at(5), 0);
        assert_eq!(pace.deadline(), Some(at(13)));
    }

    #[test]
    fn with_too_much_behind_it_a_pause_is_all() {
        let mut pace = Pace::new(LIMITS);
        pace.waits(at(1), 0);
        pace.waits(at(1), 1_001);
        assert_eq!(pace.deadline(), Some(at(1) + PAUSE));
        pace.waits(at(2), 1_000);
        assert_eq!(pace.deadline(), Some(at(9)));
    }

    #[test]
    fn a_trickle_does_not_help_for_ever() {
        let mut pace = Pace::new(LIMITS);
        for second in 0..8 {
            pace.took();
            pace.waits(at(second), 2_000);
        }
        assert_eq!(pace.deadline(), Some(at(8)));
    }
}
