//! Rate limits: exact sliding windows, and budgets per address.
//!
//! At most N accepted attempts in any window; refused attempts do not extend
//! it. The numbers come from the configuration.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::poker::ids::Millis;

/// How many, in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub attempts_max: u32,
    pub window_ms: u64,
}

impl Limit {
    pub const fn per_minute(attempts_max: u32) -> Self {
        Self { attempts_max, window_ms: 60_000 }
    }

    pub const fn window_seconds(&self) -> u64 {
        self.window_ms / 1_000
    }
}

/// The accepted attempts of one key; at most `attempts_max` stamps.
#[derive(Debug, Default)]
pub struct Window {
    stamps: VecDeque<Millis>,
}

/// When a refused attempt may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Whole seconds until the oldest attempt leaves the window, at least 1.
    pub retry_after_s: u32,
}

impl Window {
    /// Whether one more attempt fits; it is counted if it does.
    pub fn admit(&mut self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        self.check(limit, now)?;
        self.stamps.push_back(now);
        Ok(())
    }

    /// Whether one more attempt would fit; nothing is counted.
    pub fn check(&mut self, limit: Limit, now: Millis) -> Result<(), Exceeded> {
        self.forget(limit, now);
        if self.stamps.len() < limit.attempts_max as usize {
            return Ok(());
        }
        // The stamp whose leaving makes room: the oldest, unless the limit
        // shrank meanwhile.
        let index = self.stamps.len() - (limit.attempts_max as usize).min(self.stamps.len());
        let oldest = self.stamps.get(index).copied().unwrap_or(now);
        let wait_ms = oldest.add_ms(limit.window_ms).since(now);
        let retry_after_s = u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
        Err(Exceeded { retry_after_s })
    }

    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }

    fn forget(&mut self, limit: Limit, now: Millis) {
        while self.stamps.front().is_some_and(|stamp| limit.window_ms <= now.since(*stamp)) {
            self.stamps.pop_front();
        }
    }
}

/// Windows of many keys under one limit, bounded in number.
#[derive(Debug)]
pub struct Budgets<K> {
    limit: Limit,
    keys_max: usize,
    windows: Mutex<HashMap<K, Window>>,
}

impl<K: Hash + Eq + Clone> Budgets<K> {
    pub fn new(limit: Limit, keys_max: usize) -> Self {
        Self { limit, keys_max, windows: Mutex::default() }
    }

    pub const fn limit(&self) -> Limit {
        self.limit
    }

    pub fn admit(&self, key: &K, now: Millis) -> Result<(), Exceeded> {
        self.with(key, now, |window, limit| window.admit(limit, now))
    }

    pub fn check(&self, key: &K, now: Millis) -> Result<(), Exceeded> {
        self.with(key, now, |window, limit| window.check(limit, now))
    }

    fn with(
        &self,
        key: &K,
        now: Millis,
        ask: impl FnOnce(&mut Window, Limit) -> Result<(), Exceeded>,
    ) -> Result<(), Exceeded> {
        let mut windows = self.windows();
        if !windows.contains_key(key) && self.keys_max <= windows.len() {
            let limit = self.limit;
            windows.retain(|_, window| {
                window.forget(limit, now);
                !window.is_empty()
            });
            if self.keys_max <= windows.len() {
                // Never open: whoever fills the table is limited with the rest.
                return Err(Exceeded { retry_after_s: 1 });
            }
        }
        ask(windows.entry(key.clone()).or_default(), self.limit)
    }

    fn windows(&self) -> MutexGuard<'_, HashMap<K, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of an address that one party controls: an IPv4 address, or the
/// /64 of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Self(Ipv6Addr::from_bits(network).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { attempts_max: 2, window_ms: 60_000 };

    #[test]
    fn no_window_of_sixty_seconds_holds_more_than_the_limit() {
        let mut window = Window::default();
        assert_eq!(window.admit(LIMIT, Millis(0)), Ok(()));
        assert_eq!(window.admit(LIMIT, Millis(59_000)), Ok(()));
        assert_eq!(window.admit(LIMIT, Millis(59_500)), Err(Exceeded { retry_after_s: 1 }));
        assert_eq!(window.admit(LIMIT, Millis(60_000)), Ok(()));
        assert_eq!(window.admit(LIMIT, Millis(60_001)), Err(Exceeded { retry_after_s: 59 }));
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
    fn budgets_are_bounded_and_never_open() {
        let budgets = Budgets::new(LIMIT, 1);
        assert_eq!(budgets.admit(&1, Millis(0)), Ok(()));
        assert!(budgets.admit(&2, Millis(0)).is_err());
        assert_eq!(budgets.admit(&2, Millis(60_000)), Ok(()));
    }

    #[test]
    fn a_v6_network_is_one_party() {
        let network = |text: &str| text.parse::<IpAddr>().map(Network::from).ok();
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
    }
}
