//! The accepted attempts of one budget that still count.

use std::collections::VecDeque;

use crate::limits::limit::{Exceeded, Limit};
use crate::poker::ids::Millis;

/// At most as many stamps as the limit allows attempts, or one for each part
/// of the window (see [`Limit::STAMPS_MAX`]).
///
/// `store/redis/lua/window.lua` is the same rule for Redis.
#[derive(Debug, Clone, Default)]
pub struct Window {
    stamps: VecDeque<Stamp>,
    /// Of all stamps.
    attempts: u32,
}

#[derive(Debug, Clone, Copy)]
struct Stamp {
    /// From then on they count no more.
    leaves_at: Millis,
    attempts: u32,
}

/// Not all attempts that were wanted fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    pub fit: u32,
    /// For the first one that does not, once those that fit are counted.
    pub exceeded: Exceeded,
}

impl Window {
    /// Whether one more attempt fits; it is counted if it does.
    pub fn admit(&mut self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        self.check(limit, now)?;
        self.count(limit, now, 1);
        Ok(())
    }

    /// Whether one more attempt would fit; nothing is counted.
    pub fn check(&mut self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        self.room(limit, now, 1).map_err(|shortage| shortage.exceeded)
    }

    /// Whether so many would fit; nothing is counted.
    pub fn room(&mut self, limit: Limit, now: Millis, wanted: u32) -> Result<(), Shortage> {
        self.forget(now);
        let max = limit.attempts_max;
        if self.attempts.saturating_add(wanted) <= max {
            return Ok(());
        }
        let fit = max.saturating_sub(self.attempts);
        // More than this has to leave before one more fits.
        let mut excess = self.attempts.saturating_add(fit) - max;
        let mut opens_at = leaves_at(limit, now);
        for stamp in &self.stamps {
            if excess < stamp.attempts {
                opens_at = stamp.leaves_at;
                break;
            }
            excess -= stamp.attempts;
        }
        Err(Shortage { fit, exceeded: Exceeded { retry_after_ms: opens_at.since(now) } })
    }

    /// Counts attempts for which there is room.
    pub fn count(&mut self, limit: Limit, now: Millis, attempts: u32) {
        let leaves_at = leaves_at(limit, now);
        self.attempts = self.attempts.saturating_add(attempts);
        match self.stamps.back_mut() {
            Some(last) if last.leaves_at == leaves_at => last.attempts += attempts,
            _ => self.stamps.push_back(Stamp { leaves_at, attempts }),
        }
    }

    /// An attempt that was counted at `at` is none: somebody else refused it.
    pub fn take_back(&mut self, limit: Limit, at: Millis) {
        let leaves_at = leaves_at(limit, at);
        let found = self.stamps.iter_mut().rev().find(|stamp| stamp.leaves_at == leaves_at);
        if let Some(stamp) = found.filter(|stamp| 0 < stamp.attempts) {
            stamp.attempts -= 1;
            self.attempts -= 1;
        }
    }

    /// Whether nothing counts any more.
    pub fn is_over(&self, now: Millis) -> bool {
        self.stamps.back().is_none_or(|stamp| stamp.leaves_at <= now)
    }

    fn forget(&mut self, now: Millis) {
        while let Some(stamp) = self.stamps.front().filter(|stamp| stamp.leaves_at <= now) {
            self.attempts -= stamp.attempts;
            self.stamps.pop_front();
        }
    }
}

/// When an attempt of `now` leaves the window; never too early.
fn leaves_at(limit: Limit, now: Millis) -> Millis {
    let grain_ms = limit.grain_ms();
    Millis(now.0.div_ceil(grain_ms).saturating_mul(grain_ms)).add_ms(limit.window_ms)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const LIMIT: Limit = Limit { attempts_max: 2, window_ms: 60_000 };

    fn exceeded(retry_after_ms: u64) -> Exceeded {
        Exceeded { retry_after_ms }
    }

    #[test]
    fn no_window_of_sixty_seconds_holds_more_than_the_limit() {
        let mut window = Window::default();
        assert_eq!(window.admit(LIMIT, Millis(0)), Ok(()));
        assert_eq!(window.admit(LIMIT, Millis(59_000)), Ok(()));
        assert_eq!(window.admit(LIMIT, Millis(59_500)), Err(exceeded(500)));
        assert_eq!(window.admit(LIMIT, Millis(60_000)), Ok(()));
        assert_eq!(window.admit(LIMIT, Millis(60_001)), Err(exceeded(58_999)));
        assert_eq!((exceeded(500).retry_after_s(), exceeded(58_999).retry_after_s()), (1, 59));
    }

    #[test]
    fn refused_attempts_do_not_extend_the_window() {
        let mut window = Window::default();
        for at in 0..30_000 {
            let _ = window.admit(LIMIT, Millis(at));
        }
        assert_eq!(window.admit(LIMIT, Millis(60_000)), Ok(()));
    }

    #[test]
    fn of_several_as_many_fit_as_there_is_room() {
        let limit = Limit::per_minute(10);
        let mut window = Window::default();
        window.count(limit, Millis(0), 8);
        let shortage = Shortage { fit: 2, exceeded: exceeded(59_000) };
        assert_eq!(window.room(limit, Millis(1_000), 3), Err(shortage));
        assert_eq!(window.room(limit, Millis(1_000), 2), Ok(()));
        // All that stand in the way are of this very moment.
        let shortage = Shortage { fit: 10, exceeded: exceeded(60_000) };
        assert_eq!(Window::default().room(limit, Millis(1_000), 11), Err(shortage));
    }

    #[test]
    fn a_limit_that_shrank_opens_when_enough_have_left() {
        let mut window = Window::default();
        for at in [0, 1_000, 2_000] {
            window.count(Limit::per_minute(3), Millis(at), 1);
        }
        assert_eq!(window.check(Limit::per_minute(1), Millis(3_000)), Err(exceeded(59_000)));
    }

    #[test]
    fn what_was_taken_back_has_never_been() {
        let mut window = Window::default();
        let _ = window.admit(LIMIT, Millis(1));
        let _ = window.admit(LIMIT, Millis(2));
        window.take_back(LIMIT, Millis(2));
        window.take_back(LIMIT, Millis(2));
        assert_eq!(window.admit(LIMIT, Millis(3)), Ok(()));
        assert_eq!(window.admit(LIMIT, Millis(4)), Err(exceeded(59_997)));
    }

    #[test]
    fn a_large_limit_takes_little_room() {
        let limit = Limit::per_minute(100_000);
        let mut window = Window::default();
        for at in 0..600_000 {
            let _ = window.admit(limit, Millis(at));
        }
        assert!(window.stamps.len() <= 66, "{} stamps", window.stamps.len());
    }

    proptest! {
        /// Against the plainest form of the rule: exact up to `STAMPS_MAX`,
        /// and beyond never more than the limit in any window.
        #[test]
        fn never_more_than_the_limit(
            attempts_max in prop_oneof![1_u32..5, 255_u32..259],
            steps in proptest::collection::vec(0_u64..90, 1..900),
        ) {
            let limit = Limit { attempts_max, window_ms: 1_000 };
            let (mut window, mut accepted) = (Window::default(), VecDeque::new());
            let mut now = Millis(1_000_000);
            for step in steps {
                now = now.add_ms(step / 30);
                while accepted.front().is_some_and(|at: &Millis| at.add_ms(1_000) <= now) {
                    accepted.pop_front();
                }
                let fits = accepted.len() < attempts_max as usize;
                let is_admitted = window.admit(limit, now).is_ok();
                prop_assert!(fits || !is_admitted);
                if attempts_max <= Limit::STAMPS_MAX {
                    prop_assert_eq!(is_admitted, fits);
                }
                if is_admitted {
                    accepted.push_back(now);
                }
            }
        }
    }
}
