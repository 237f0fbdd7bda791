//! Packets that ask for nothing.

use std::time::Duration;

/// Counts what a client may send for free: control frames, pongs, noops. No
/// rate limit of an application sees them, so there is one here.
#[derive(Debug, Default)]
pub struct Chatter {
    second: u64,
    packets: u32,
}

impl Chatter {
    /// One more at `now`; whether there are more than `packets_max` in this
    /// second of the clock.
    pub fn is_too_much(&mut self, now: Duration, packets_max: u32) -> bool {
        if self.second != now.as_secs() {
            *self = Self { second: now.as_secs(), packets: 0 };
        }
        self.packets = self.packets.saturating_add(1);
        packets_max < self.packets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own() {
        let mut chatter = Chatter::default();
        let at = |ms| Duration::from_millis(ms);
        assert!(!chatter.is_too_much(at(100), 2));
        assert!(!chatter.is_too_much(at(900), 2));
        assert!(chatter.is_too_much(at(999), 2));
        assert!(!chatter.is_too_much(at(1_000), 2));
    }
}
