//! What one instance knows of a budget that all instances share.

use crate::limits::limit::{Exceeded, Limit};
use crate::limits::window::Window;
use crate::poker::ids::Millis;

/// The attempts that this instance has let through, and until when the store
/// lets nobody through. Asked before the store is: what is refused here never
/// reaches it, so that a flood costs it nothing; what is admitted here is the
/// store's to decide. While the store is away the window here is the limit.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    window: Window,
    closed_until: Millis,
}

impl Gate {
    /// Whether the store is worth asking; then the attempt is counted.
    pub fn admit(&mut self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        self.check(limit, now)?;
        self.window.count(limit, now, 1);
        Ok(())
    }

    /// Whether one more would be admitted; nothing is counted.
    pub fn check(&mut self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        if now < self.closed_until {
            return Err(Exceeded { retry_after_ms: self.closed_until.since(now) });
        }
        self.window.check(limit, now)
    }

    /// The store refuses what was admitted here at `admitted_at`; nobody need
    /// ask it before the time it names.
    pub fn refuse(&mut self, limit: Limit, admitted_at: Millis, now: Millis, exceeded: Exceeded) {
        self.take_back(limit, admitted_at);
        self.close(now, exceeded);
    }

    /// What was admitted at `admitted_at` is none after all.
    pub fn take_back(&mut self, limit: Limit, admitted_at: Millis) {
        self.window.take_back(limit, admitted_at);
    }

    pub fn close(&mut self, now: Millis, exceeded: Exceeded) {
        self.closed_until = self.closed_until.max(now.add_ms(exceeded.retry_after_ms));
    }

    /// Whether it stands open, with nothing that counts.
    pub fn is_over(&self, now: Millis) -> bool {
        self.closed_until <= now && self.window.is_over(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_store_refuses_is_refused_here_until_it_opens() {
        let limit = Limit::per_minute(2);
        let mut gate = Gate::default();
        assert_eq!(gate.admit(limit, Millis(1_000)), Ok(()));
        let exceeded = Exceeded { retry_after_ms: 5_000 };
        gate.refuse(limit, Millis(1_000), Millis(1_100), exceeded);
        let later = Exceeded { retry_after_ms: 4_000 };
        assert_eq!(gate.admit(limit, Millis(2_100)), Err(later));
        // What was refused has left no trace.
        assert_eq!(gate.admit(limit, Millis(6_100)), Ok(()));
        assert_eq!(gate.admit(limit, Millis(6_101)), Ok(()));
        assert!(gate.admit(limit, Millis(6_102)).is_err());
        assert!(!gate.is_over(Millis(66_100)));
        assert!(gate.is_over(Millis(66_101)));
    }
}
