//! Whether a missing lease means that its instance is dead.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A directory that was away or came back empty has no leases to show of
/// those who live. It is believed again once all of them have had the time of
/// a whole lease to renew theirs.
#[derive(Debug)]
pub(super) struct Trust {
    lease: Duration,
    founded_from: Mutex<Instant>,
}

impl Trust {
    pub(super) fn new(lease: Duration) -> Self {
        Self { lease, founded_from: Mutex::new(Instant::now() + lease) }
    }

    pub(super) fn doubt(&self) {
        *self.founded_from.lock().unwrap_or_else(PoisonError::into_inner) =
            Instant::now() + self.lease;
    }

    pub(super) fn is_founded(&self) -> bool {
        *self.founded_from.lock().unwrap_or_else(PoisonError::into_inner) <= Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn is_founded_a_lease_after_the_last_doubt() {
        let trust = Trust::new(Duration::from_secs(15));
        assert!(!trust.is_founded());
        tokio::time::advance(Duration::from_secs(10)).await;
        trust.doubt();
        tokio::time::advance(Duration::from_secs(14)).await;
        assert!(!trust.is_founded());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(trust.is_founded());
    }
}
