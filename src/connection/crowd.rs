//! How many there are of something, by the network that they come from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::Network;

/// Counts members by their network. A clone is the same crowd. It remembers
/// nobody who has left, so it is as large as what limits its members.
#[derive(Debug, Clone, Default)]
pub struct Crowd {
    counts: Arc<Mutex<HashMap<Network, u32>>>,
}

/// One of the crowd until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it counts it as gone"]
pub struct Member {
    crowd: Crowd,
    network: Network,
}

impl Crowd {
    /// Counts one more, and says how many of its network were here before.
    pub fn enter(&self, network: Network) -> (Member, u32) {
        let mut counts = self.counts();
        let count = counts.entry(network).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        (Member { crowd: self.clone(), network }, before)
    }

    pub fn count(&self, network: Network) -> u32 {
        self.counts().get(&network).copied().unwrap_or(0)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Network, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.crowd.counts().entry(self.network) {
            match entry.get().saturating_sub(1) {
                0 => drop(entry.remove()),
                rest => *entry.get_mut() = rest,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn who_leaves_is_forgotten() {
        let crowd = Crowd::default();
        let network = Network::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (first, none) = crowd.enter(network);
        let (second, one) = crowd.enter(network);
        assert_eq!((none, one, crowd.count(network)), (0, 1, 2));
        drop(first);
        assert_eq!(crowd.count(network), 1);
        drop(second);
        assert_eq!(crowd.count(network), 0);
        assert!(crowd.counts().is_empty());
    }
}
