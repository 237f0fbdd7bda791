//! How many codes were tried that were not the caller's.

use cardroom::poker::ids::Millis;

const WINDOW_MS: u64 = 60_000;
/// In one environment. The function has 50 of them unless configured otherwise:
/// then all together allow as many as the server's
/// `limits.failed_joins_per_minute_max`.
const GUESSES_MAX: u32 = 20;

/// The guesses of the running minute.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    since: Millis,
    count: u32,
}

impl Guesses {
    /// The seconds until another guess is heard, if there were too many.
    pub(crate) fn are_too_many(&mut self, now: Millis) -> Option<u32> {
        // The clock may have been set back.
        if now < self.since || WINDOW_MS <= now.since(self.since) {
            *self = Self { since: now, count: 0 };
        }
        let left_s = (WINDOW_MS - now.since(self.since)).div_ceil(1_000);
        (GUESSES_MAX <= self.count).then(|| u32::try_from(left_s).unwrap_or(u32::MAX))
    }

    pub(crate) fn count(&mut self, now: Millis) {
        if self.count == 0 {
            self.since = now;
        }
        self.count = self.count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_takes_so_many() {
        let now = Millis(1_700_000_000_000);
        let mut guesses = Guesses::default();
        for _ in 0..GUESSES_MAX {
            assert_eq!(guesses.are_too_many(now), None);
            guesses.count(now);
        }
        assert_eq!(guesses.are_too_many(now.add_ms(500)), Some(60));
        assert_eq!(guesses.are_too_many(now.add_ms(59_999)), Some(1));
        assert_eq!(guesses.are_too_many(now.add_ms(60_000)), None);
    }
}
